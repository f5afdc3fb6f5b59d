using System.Collections.Frozen;
using System.Globalization;

namespace Vedette.Kql.Symbols;

/// <summary>The built-in functions, aggregates and plug-ins, read once from the embedded <c>functions.txt</c>.</summary>
public static class FunctionTable
{
    private static readonly FrozenDictionary<string, ParameterClass> Classes = new Dictionary<string, ParameterClass>
    {
        ["any"] = ParameterClass.Any,
        ["type"] = ParameterClass.TypeLiteral,
        ["scalar"] = ParameterClass.Scalar,
        ["table"] = ParameterClass.Table,
        ["integer"] = ParameterClass.Integer,
        ["realOrDecimal"] = ParameterClass.RealOrDecimal,
        ["stringOrDynamic"] = ParameterClass.StringOrDynamic,
        ["stringOrArray"] = ParameterClass.StringOrArray,
        ["integerOrArray"] = ParameterClass.IntegerOrArray,
        ["array"] = ParameterClass.Array,
        ["bag"] = ParameterClass.Bag,
        ["number"] = ParameterClass.Number,
        ["numberOrBool"] = ParameterClass.NumberOrBool,
        ["summable"] = ParameterClass.Summable,
        ["orderable"] = ParameterClass.Orderable,
        ["notRealOrBool"] = ParameterClass.NotRealOrBool,
        ["notDynamic"] = ParameterClass.NotDynamic,
        ["notBool"] = ParameterClass.NotBool,
        ["same0"] = ParameterClass.Same0,
        ["common"] = ParameterClass.Common,
        ["commonNumber"] = ParameterClass.CommonNumber,
        ["commonSummable"] = ParameterClass.CommonSummable,
        ["commonOrderable"] = ParameterClass.CommonOrderable,
        ["commonOrDynamic"] = ParameterClass.CommonOrDynamic,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, ArgumentForm> Forms = new Dictionary<string, ArgumentForm>
    {
        ["const"] = ArgumentForm.Constant,
        ["literal"] = ArgumentForm.Literal,
        ["column"] = ArgumentForm.Column,
        ["column0"] = ArgumentForm.ColumnOfTable,
        ["column0common"] = ArgumentForm.CommonColumn,
        ["star"] = ArgumentForm.Star,
        ["starOr"] = ArgumentForm.StarAllowed,
        ["aggregate"] = ArgumentForm.Aggregate,
        ["element"] = ArgumentForm.Element,
    }.ToFrozenDictionary();

    private static readonly Lazy<Tables> Loaded = new(Load);

    /// <summary>Scalar functions by every spelling.</summary>
    public static IReadOnlyDictionary<string, FunctionSymbol> Scalars => Loaded.Value.Scalars;

    /// <summary>Aggregates by every spelling.</summary>
    public static IReadOnlyDictionary<string, FunctionSymbol> Aggregates => Loaded.Value.Aggregates;

    /// <summary>Plug-ins by name.</summary>
    public static IReadOnlyDictionary<string, FunctionSymbol> Plugins => Loaded.Value.Plugins;

    /// <summary>The scalar function of that spelling.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public static FunctionSymbol Scalar(string name) => Loaded.Value.Scalars[name];

    /// <summary>The aggregate of that spelling.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public static FunctionSymbol Aggregate(string name) => Loaded.Value.Aggregates[name];

    private static Tables Load()
    {
        using var stream = typeof(FunctionTable).Assembly.GetManifestResourceStream("functions.txt")
            ?? throw new InvalidOperationException("The function table is missing from the assembly.");
        using var reader = new StreamReader(stream);
        var tables = new[] { new Dictionary<string, FunctionSymbol>(), [], [] };
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            var kind = line[0] switch { 'f' => FunctionKind.Scalar, 'a' => FunctionKind.Aggregate, _ => FunctionKind.Plugin };
            var symbol = ParseLine(line[2..], kind);
            tables[(int)kind].Add(symbol.Name, symbol);
        }

        foreach (var table in tables)
        {
            foreach (var symbol in table.Values)
            {
                if (symbol.Attributes.Is is { } canonical)
                    symbol.Canonical = table[canonical];
            }
        }

        return new Tables(tables[0].ToFrozenDictionary(), tables[1].ToFrozenDictionary(), tables[2].ToFrozenDictionary());
    }

    private static FunctionSymbol ParseLine(string line, FunctionKind kind)
    {
        var open = line.IndexOf('(', StringComparison.Ordinal);
        var head = line[..open].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var isBlockFirst = head[^1] == "block";
        var attributes = ParseAttributes(head.AsSpan(1));
        var body = (isBlockFirst ? "block " : "") + line[open..];
        var signatures = body.Split(" | ").Select(ParseSignature).ToArray();
        return new FunctionSymbol(head[0], kind, signatures, attributes);
    }

    private static FunctionAttributes ParseAttributes(ReadOnlySpan<string> words)
    {
        var naming = ResultNaming.None;
        string prefix = "", canonical = "";
        bool obsolete = false, window = false, isVolatile = false, absent = false, graph = false;
        var most = 0;
        List<(string, KqlType)>? tuple = null;
        IReadOnlyList<string> columns = [];
        foreach (var word in words)
        {
            var (key, value) = word.Split('=', 2) is [var k, var v] ? (k, v) : (word, "");
            switch (key)
            {
                case "name":
                    var parts = value.Split(':', 2);
                    prefix = parts.Length > 1 ? parts[1] : "";
                    naming = parts[0] switch
                    {
                        "argument" => ResultNaming.Argument,
                        "only" => ResultNaming.OnlyArgument,
                        "prefix" => ResultNaming.Prefix,
                        "fixed" => ResultNaming.Fixed,
                        "column" => ResultNaming.Column,
                        _ => ResultNaming.Extremum,
                    };
                    break;
                case "is": canonical = value; break;
                case "obsolete": obsolete = true; break;
                case "window": window = true; break;
                case "volatile": isVolatile = true; break;
                case "absent": absent = true; break;
                case "graph": graph = true; break;
                case "most": most = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture); break;
                case "columns": columns = word[8..].Split(','); break;
                case "tuple":
                    tuple = [];
                    if (value == "sorted")
                        break;
                    foreach (var item in value.Split(','))
                    {
                        var colon = item.IndexOf(':', StringComparison.Ordinal);
                        KqlTypes.TryParse(item.AsSpan(colon + 1), out var type);
                        tuple.Add((item[..colon], type));
                    }

                    break;
            }
        }

        return new FunctionAttributes(naming, prefix, canonical.Length == 0 ? null : canonical, obsolete, window, isVolatile, absent, graph, columns, tuple, most);
    }

    private static FunctionSignature ParseSignature(string text)
    {
        text = text.Trim();
        var isBlock = text.StartsWith("block ", StringComparison.Ordinal);
        if (isBlock)
            text = text[6..];
        var close = text.LastIndexOf(')');
        var inside = text[1..close];
        var parameters = inside.Length == 0 ? [] : inside.Split(", ").Select(ParseParameter).ToArray();
        var result = text[(close + 1)..].Trim();
        if (KqlTypes.TryParse(result, out var type))
            return new FunctionSignature(parameters, ResultRule.Declared, type, 0, isBlock);
        var (rule, index) = result switch
        {
            "widest" => (ResultRule.Widest, 0),
            "common" => (ResultRule.Common, 0),
            "promoted0" => (ResultRule.Promoted, 0),
            "percentile" => (ResultRule.Percentile, 0),
            "custom" => (ResultRule.Custom, 0),
            "typeN" => (ResultRule.TypeOfArgument, -1),
            _ when result.StartsWith("type", StringComparison.Ordinal) => (ResultRule.TypeOfArgument, int.Parse(result.AsSpan(4), CultureInfo.InvariantCulture)),
            _ when result.StartsWith("arg", StringComparison.Ordinal) => (ResultRule.Argument, int.Parse(result.AsSpan(3), CultureInfo.InvariantCulture)),
            _ => throw new InvalidOperationException($"Unknown result rule '{result}' in the function table."),
        };
        return new FunctionSignature(parameters, rule, KqlType.Unknown, index, isBlock);
    }

    private static FunctionParameterSymbol ParseParameter(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var words = text[(colon + 1)..].Split(' ');
        var type = words[0];
        int min = 1, max = 1;
        var mark = type.AsSpan().IndexOfAny("?*+");
        if (mark >= 0)
        {
            // Digits before the mark are a minimum only when they do not belong to a class name such as same0.
            var limit = type[(mark + 1)..];
            var minimum = type[mark - 1] is >= '2' and <= '9' ? type[mark - 1] - '0' : 1;
            max = type[mark] == '?' ? 1 : limit.Length > 0 ? int.Parse(limit, CultureInfo.InvariantCulture) : short.MaxValue;
            min = type[mark] == '+' ? minimum : 0;
            type = type[..(minimum > 1 ? mark - 1 : mark)];
        }

        var form = ArgumentForm.Expression;
        IReadOnlyList<string> values = [];
        foreach (var word in words.AsSpan(1))
        {
            if (word[0] == '[')
                values = word[1..^1].Split('/');
            else
                form = Forms[word];
        }

        if (Classes.TryGetValue(type, out var parameterClass))
            return new FunctionParameterSymbol(text[..colon], parameterClass, [], min, max, form, values);
        var types = type.Split('/').Select(t => KqlTypes.TryParse(t, out var parsed)
            ? parsed
            : throw new InvalidOperationException($"Unknown type '{t}' in the function table.")).ToArray();
        return new FunctionParameterSymbol(text[..colon], ParameterClass.Declared, types, min, max, form, values);
    }

    private sealed record Tables(
        FrozenDictionary<string, FunctionSymbol> Scalars,
        FrozenDictionary<string, FunctionSymbol> Aggregates,
        FrozenDictionary<string, FunctionSymbol> Plugins);
}
