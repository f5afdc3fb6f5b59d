using System.Text;
using System.Text.Json.Nodes;
using Vedette.Kql;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Arrays, bags and replacements whose rules SQL says only awkwardly.</summary>
internal static partial class ArrayFunctions
{
    public static void Add(IDictionary<string, LocalFunction> table)
    {
        table["array_iff"] = Iff;
        table["array_iif"] = Iff;
        table["bag_zip"] = Zip;
        table["dynamic_to_json"] = c => c.TypeOf(0) == KqlType.Dynamic ? LocalJson.Write(Sorted(c.Json(0))) : c.Text(0);
        table["replace_strings"] = Replace;
        table["bag_has_key"] = c => c.Json(0) is JsonObject bag && Find(bag, Names(c.Text(1))) is var (holder, name) && holder.ContainsKey(name);
        table["bag_remove_keys"] = c =>
        {
            if (c.Json(0) is not JsonObject bag)
                return null;
            foreach (var key in c.Array(1) ?? [])
            {
                if (Find(bag, Names(LocalJson.Text(key))) is var (holder, name))
                    holder.Remove(name);
            }

            return bag;
        };
        table["treepath"] = c =>
        {
            var paths = new JsonArray();
            Paths(c.Json(0), "", paths);
            return paths;
        };
        table["punycode_from_string"] = c => Punycode.Encode(c.Text(0));
        table["punycode_to_string"] = c => Punycode.Decode(c.Text(0));
        table["punycode_domain_to_string"] = c => string.Join('.', c.Text(0).Split('.', '。', '｡', '．').Select(l => l.All(char.IsAscii) ? l : "xn--" + Punycode.Encode(l)));
        table["punycode_domain_from_string"] = c => c.Text(0).Split('.').Select(l => l.StartsWith("xn--", StringComparison.OrdinalIgnoreCase) ? Punycode.Decode(l[4..]) : l).ToList() is var labels
            && labels.Contains(null) ? "" : string.Join('.', labels);
    }

    private static JsonNode? Iff(LocalCall c)
    {
        if (c.Array(0) is not { } conditions)
            return null;
        JsonNode? At(int index, int i) => c.TypeOf(index) == KqlType.Dynamic && c.Json(index) is JsonArray array
            ? i < array.Count ? array[i]?.DeepClone() : null
            : c.Json(index)?.DeepClone();
        return new JsonArray([.. conditions.Select((condition, i) => condition is JsonValue value
            ? value.TryGetValue<bool>(out var flag) ? At(flag ? 1 : 2, i) : !double.IsNaN(LocalJson.Real(value)) && value.GetValueKind() == System.Text.Json.JsonValueKind.Number ? At(LocalJson.Real(value) != 0 ? 1 : 2, i) : null
            : null)]);
    }

    private static JsonNode? Zip(LocalCall c)
    {
        if (c.Array(0) is not { } keys)
            return null;
        var values = c.Array(1);
        var bag = new JsonObject();
        for (var i = 0; i < keys.Count; i++)
        {
            // Only strings name properties; the first of a name stays.
            if (keys[i] is JsonValue key && key.TryGetValue<string>(out var name) && !bag.ContainsKey(name))
                bag[name] = values is not null && i < values.Count ? values[i]?.DeepClone() : null;
        }

        return bag;
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject bag => new JsonObject(bag.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        JsonArray array => new JsonArray([.. array.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    /// <summary>One lookup after the other; what was replaced once is not looked at again. A replacement that is no string stands for no change.</summary>
    private static string Replace(LocalCall c)
    {
        var text = c.Text(0);
        if (c.Array(1) is not { } lookups || c.Array(2) is not { } replacements)
            return text;
        var segments = new List<(string Text, bool Done)> { (text, false) };
        for (var i = 0; i < Math.Min(lookups.Count, replacements.Count); i++)
        {
            if (lookups[i] is not JsonValue lookup || !lookup.TryGetValue<string>(out var from) || from.Length == 0)
                continue;
            var to = replacements[i] is JsonValue value && value.TryGetValue<string>(out var given) ? given : from;
            segments = [.. segments.SelectMany(s => s.Done ? [s] : Cut(s.Text, from, to))];
        }

        return string.Concat(segments.Select(s => s.Text));

        static IEnumerable<(string, bool)> Cut(string text, string from, string to)
        {
            var parts = text.Split(from);
            for (var i = 0; i < parts.Length; i++)
            {
                if (i > 0)
                    yield return (to, true);
                yield return (parts[i], false);
            }
        }
    }

    /// <summary>The names that a key leads through: of <c>$.a['b']</c> a and b, of anything else itself.</summary>
    private static IReadOnlyList<string> Names(string key) => key.StartsWith('$')
        ? [.. PathNames().Matches(key, 1).Select(m => m.Groups[1].Success ? m.Groups[1].Value : m.Groups[2].Value)]
        : [key];

    [System.Text.RegularExpressions.GeneratedRegex("""\.([^.\[]+)|\[['"]([^'"]*)['"]\]""")]
    private static partial System.Text.RegularExpressions.Regex PathNames();

    /// <summary>The bag that would hold the last of the names; null where the way there ends.</summary>
    private static (JsonObject Holder, string Name)? Find(JsonObject bag, IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return null;
        for (var i = 0; i + 1 < names.Count; i++)
        {
            if (bag[names[i]] is not JsonObject inner)
                return null;
            bag = inner;
        }

        return (bag, names[^1]);
    }

    private static void Paths(JsonNode? node, string path, JsonArray paths)
    {
        switch (node)
        {
            case JsonObject bag:
                foreach (var (name, value) in bag)
                {
                    var here = $"{path}['{name}']";
                    paths.Add(here);
                    Paths(value, here, paths);
                }

                break;
            case JsonArray { Count: > 0 } array:
            {
                // All elements stand at the first one's place.
                paths.Add(path + "[0]");
                foreach (var element in array)
                {
                    var below = new JsonArray();
                    Paths(element, path + "[0]", below);
                    foreach (var found in below.Select(p => p!.GetValue<string>()).Where(p => !paths.Any(known => known!.GetValue<string>() == p)).ToList())
                        paths.Add(found);
                }

                break;
            }
        }
    }
}

/// <summary>Punycode, RFC 3492.</summary>
internal static class Punycode
{
    private const int Base = 36;
    private const int MinThreshold = 1;
    private const int MaxThreshold = 26;
    private const int InitialN = 128;
    private const int InitialBias = 72;

    public static string Encode(string text)
    {
        var points = text.EnumerateRunes().Select(r => r.Value).ToList();
        var output = new StringBuilder(string.Concat(points.Where(p => p < 128).Select(p => (char)p)));
        var basic = output.Length;
        var handled = basic;
        if (basic > 0)
            output.Append('-');
        int n = InitialN, delta = 0, bias = InitialBias;
        while (handled < points.Count)
        {
            var next = points.Where(p => p >= n).Min();
            delta += (next - n) * (handled + 1);
            n = next;
            foreach (var point in points)
            {
                if (point < n)
                    delta++;
                if (point != n)
                    continue;
                var q = delta;
                for (var k = Base; ; k += Base)
                {
                    var t = Threshold(k, bias);
                    if (q < t)
                        break;
                    output.Append(Digit(t + ((q - t) % (Base - t))));
                    q = (q - t) / (Base - t);
                }

                output.Append(Digit(q));
                bias = Adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled++;
            }

            delta++;
            n++;
        }

        return output.ToString();
    }

    public static string? Decode(string text)
    {
        var split = text.LastIndexOf('-');
        var output = text[..Math.Max(split, 0)].Select(c => (int)c).ToList();
        int n = InitialN, i = 0, bias = InitialBias;
        for (var at = split < 0 ? 0 : split + 1; at < text.Length;)
        {
            int start = i, weight = 1;
            for (var k = Base; ; k += Base)
            {
                if (at >= text.Length)
                    return null;
                var c = char.ToLowerInvariant(text[at++]);
                var digit = c is >= 'a' and <= 'z' ? c - 'a' : c is >= '0' and <= '9' ? c - '0' + 26 : -1;
                if (digit < 0 || digit > (int.MaxValue - i) / weight)
                    return null;
                i += digit * weight;
                var t = Threshold(k, bias);
                if (digit < t)
                    break;
                if (weight > int.MaxValue / (Base - t))
                    return null;
                weight *= Base - t;
            }

            bias = Adapt(i - start, output.Count + 1, start == 0);
            n += i / (output.Count + 1);
            i %= output.Count + 1;
            if (!Rune.IsValid(n))
                return null;
            output.Insert(i++, n);
        }

        return string.Concat(output.Select(p => new Rune(p).ToString()));
    }

    private static int Threshold(int k, int bias) => Math.Clamp(k - bias, MinThreshold, MaxThreshold);

    private static char Digit(int value) => (char)(value < 26 ? 'a' + value : '0' + value - 26);

    private static int Adapt(int delta, int points, bool first)
    {
        delta = first ? delta / 700 : delta / 2;
        delta += delta / points;
        var k = 0;
        for (; delta > (Base - MinThreshold) * MaxThreshold / 2; k += Base)
            delta /= Base - MinThreshold;
        return k + ((Base - MinThreshold + 1) * delta / (delta + 38));
    }
}
