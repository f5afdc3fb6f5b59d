using System.Globalization;
using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>
/// Registry fields. Logs have key and value in one path with the hive abbreviated, and data with its type in words; the table has columns of
/// their own, the hive spelled out, and numbers in decimal.
/// </summary>
internal static partial class RegistryTests
{
    // HKEY_CURRENT_USER is followed by the user's identifier in the table; logs that follow a user name HKU.
    private static readonly (string Log, SigmaPart[][] Table)[] Hives =
    [
        (@"HKEY_LOCAL_MACHINE\", [Parts(@"HKEY_LOCAL_MACHINE\")]),
        (@"HKLM\", [Parts(@"HKEY_LOCAL_MACHINE\")]),
        (@"\REGISTRY\MACHINE\", [Parts(@"HKEY_LOCAL_MACHINE\")]),
        (@"HKEY_CURRENT_USER\", [Parts(@"HKEY_CURRENT_USER\"), Below(@"HKEY_CURRENT_USER\")]),
        (@"HKCU\", [Parts(@"HKEY_CURRENT_USER\"), Below(@"HKEY_CURRENT_USER\")]),
        (@"HKEY_USERS\", [Parts(@"HKEY_USERS\"), Parts(@"HKEY_CURRENT_USER\")]),
        (@"HKU\", [Parts(@"HKEY_USERS\"), Parts(@"HKEY_CURRENT_USER\")]),
        (@"\REGISTRY\USER\", [Parts(@"HKEY_USERS\"), Parts(@"HKEY_CURRENT_USER\")]),
        (@"HKEY_CLASSES_ROOT\", [Parts(@"HKEY_CLASSES_ROOT\"), Parts(@"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\")]),
        (@"HKCR\", [Parts(@"HKEY_CLASSES_ROOT\"), Parts(@"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\")]),
    ];

    /// <summary>Key and value name in one text, as logs have them.</summary>
    public static string Full(SigmaField field) => field.Arguments.Count == 1
        ? field.Arguments[0]
        : $"strcat({field.Arguments[0]}, @\"\\\", iff(isempty({field.Arguments[1]}), \"(Default)\", {field.Arguments[1]}))";

    /// <summary>Data as logs have it.</summary>
    public static string Details(SigmaField field) =>
        $"case({field.Arguments[1]} =~ \"Dword\", strcat(\"DWORD (0x\", tohex(tolong({field.Arguments[0]}), 8), \")\"), {field.Arguments[1]} =~ \"Binary\", \"Binary Data\", "
        + $"isempty({field.Arguments[0]}), \"(Empty)\", {field.Arguments[0]})";

    /// <summary>The condition on the path of a key or value.</summary>
    public static Predicate Key(FieldContext context, IReadOnlyList<SigmaValue> values)
    {
        values = [.. values.SelectMany(static value => value is SigmaText text ? Spelled(text.Pattern).Select(pattern => (SigmaValue)(text with { Pattern = pattern })) : [value])];
        if (context.Field.Arguments.Count == 1) return FieldTests.General(context.Expression(0), values, context.Line, context);

        // The end of a path names the value, which has a column of its own; everything else is asked of the whole.
        var (key, name) = (context.Expression(0), context.Expression(1));
        var named = new List<(Predicate Key, SigmaText Name)>();
        var whole = new List<SigmaValue>();
        foreach (var value in values)
        {
            if (value is SigmaText { Pattern.Shape: (SigmaShape.Equal or SigmaShape.End, var path) } text && path.LastIndexOf('\\') is >= 0 and var cut && cut < path.Length - 1)
            {
                var folder = SigmaPattern.Of(path[..cut]).Opened(start: text.Pattern.Shape.Shape == SigmaShape.End, end: false);
                var last = path[(cut + 1)..];
                var isDefault = last.Equals("(Default)", StringComparison.OrdinalIgnoreCase);
                named.Add((cut == 0 ? Predicate.True : TextTests.Any(key, [text with { Pattern = folder }]), text with { Pattern = SigmaPattern.Of(isDefault ? "" : last) }));
            }
            else
            {
                whole.Add(value);
            }
        }

        var tests = named.GroupBy(static item => item.Key).Select(group => Predicate.All([TextTests.Any(name, group.Select(static item => item.Name)), group.Key])).ToList();
        if (whole.Count > 0) tests.Add(FieldTests.General(context.Column, whole, context.Line, context));
        return Predicate.Any(tests);
    }

    /// <summary>The condition on the data of a value.</summary>
    public static Predicate Data(FieldContext context, IReadOnlyList<SigmaValue> values)
    {
        var (data, type) = (context.Expression(0), context.Expression(1));
        var numbers = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var plain = new List<SigmaValue>();
        var asWritten = new List<SigmaValue>();
        var tests = new List<Predicate>();
        foreach (var value in values)
        {
            var text = value is SigmaText { Pattern: { } pattern } ? pattern.ToString() : "";
            if (value is SigmaText { Pattern.IsLiteral: true } && Number().Match(text) is { Success: true } match)
            {
                var kind = match.Groups[1].Value.Equals("QWORD", StringComparison.OrdinalIgnoreCase) ? "Qword" : "Dword";
                var high = match.Groups[3].Success ? match.Groups[2].Value : "";
                var low = match.Groups[3].Success ? match.Groups[3].Value : match.Groups[2].Value;
                if (!numbers.TryGetValue(kind, out var list)) numbers.Add(kind, list = []);
                list.Add(ulong.Parse(high + low, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture));
            }
            else if (text.Equals("Binary Data", StringComparison.OrdinalIgnoreCase)) tests.Add(Predicate.Test($"{type} =~ \"Binary\""));
            else if (text.Equals("(Empty)", StringComparison.OrdinalIgnoreCase)) tests.Add(Predicate.Test($"(isempty({data}) and {type} !~ \"Binary\")"));
            else if (text.Contains("DWORD", StringComparison.OrdinalIgnoreCase) || text.Contains("0x0", StringComparison.OrdinalIgnoreCase) || value is SigmaRegex { Pattern: var regex } && regex.Contains("WORD", StringComparison.Ordinal)) asWritten.Add(value);
            else plain.Add(value);
        }

        tests.InsertRange(0, numbers.Select(pair => Predicate.Test(
            pair.Value.Count == 1 ? $"({type} =~ \"{pair.Key}\" and {data} == \"{pair.Value[0]}\")" : $"({type} =~ \"{pair.Key}\" and {data} in ({KqlText.List(pair.Value.Distinct())}))")));
        if (plain.Count > 0) tests.Add(FieldTests.General(data, plain, context.Line, context));
        if (asWritten.Count > 0) tests.Add(FieldTests.General(context.Column, asWritten, context.Line, context));
        return Predicate.Any(tests);
    }

    // The ways in which the table spells what a log's pattern may stand for.
    private static IEnumerable<SigmaPattern> Spelled(SigmaPattern pattern)
    {
        var at = pattern.Parts is [{ Kind: SigmaPartKind.AnyText }, ..] ? 1 : 0;
        if (at < pattern.Parts.Count && pattern.Parts[at] is { Kind: SigmaPartKind.Text, Text: var text })
        {
            foreach (var (log, table) in Hives)
            {
                if (!text.StartsWith(log, StringComparison.OrdinalIgnoreCase)) continue;
                var rest = new SigmaPart(SigmaPartKind.Text, text[log.Length..]);
                return table.Select(hive => new SigmaPattern([.. pattern.Parts.Take(at), .. hive, rest, .. pattern.Parts.Skip(at + 1)]));
            }
        }

        return [pattern];
    }

    private static SigmaPart[] Parts(string text) => [new SigmaPart(SigmaPartKind.Text, text)];

    private static SigmaPart[] Below(string text) => [new SigmaPart(SigmaPartKind.Text, text), new SigmaPart(SigmaPartKind.AnyText), new SigmaPart(SigmaPartKind.Text, @"\")];

    [GeneratedRegex(@"^(DWORD|QWORD) \(0x([0-9a-f]{1,8})(?:-0x([0-9a-f]{8}))?\)$", RegexOptions.IgnoreCase)]
    private static partial Regex Number();
}
