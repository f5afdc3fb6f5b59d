using Vedette.Kql;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Arguments of a function that runs in this process.</summary>
internal sealed class LocalCall(string name, IReadOnlyList<KqlType> types, object?[] values, KqlType type)
{
    public string Name { get; } = name;

    public KqlType Type { get; } = type;

    public int Count => values.Length;

    public object? this[int index] => values[index];

    public KqlType TypeOf(int index) => types[index];

    public bool Has(int index) => index < values.Length;

    /// <summary>An argument as text.</summary>
    public string Text(int index) => LocalValues.ToText(values[index], types[index]);

    /// <summary>An argument as a real, or null.</summary>
    public double? Real(int index) => LocalValues.To(values[index], types[index], KqlType.Real) as double?;

    /// <summary>An argument as a long, or null.</summary>
    public long? Long(int index) => LocalValues.To(values[index], types[index], KqlType.Long) as long?;

    /// <summary>An argument as bool, or null.</summary>
    public bool? Bool(int index) => LocalValues.To(values[index], types[index], KqlType.Bool) as bool?;

    /// <summary>An argument as a dynamic value; null for null.</summary>
    public System.Text.Json.Nodes.JsonNode? Json(int index) => LocalJson.Parse(LocalValues.ToJson(values[index], types[index]));

    /// <summary>An array argument; null when it is none.</summary>
    public System.Text.Json.Nodes.JsonArray? Array(int index) => Json(index) as System.Text.Json.Nodes.JsonArray;

    /// <summary>An array of numbers; null when it is none. Elements that are no numbers are NaN.</summary>
    public double[]? Reals(int index) => Array(index) is { } array ? [.. array.Select(LocalJson.Real)] : null;
}

/// <summary>Computes a function. The result is a .NET value of the call's type; dynamic results may be given as a JsonNode.</summary>
internal delegate object? LocalFunction(LocalCall call);

/// <summary>The scalar functions that run in this process, by canonical name.</summary>
internal static class LocalFunctionTable
{
    private static readonly Lazy<Dictionary<string, LocalFunction>> Lazy = new(() =>
    {
        var table = new Dictionary<string, LocalFunction>(StringComparer.Ordinal);
        TextFunctions.Add(table);
        SeriesFunctions.Add(table);
        AddressFunctions.Add(table);
        UnitFunctions.Add(table);
        ArrayFunctions.Add(table);
        GeoFunctions.Add(table);
        DigestFunctions.Add(table);
        return table;
    });

    public static LocalFunction? Find(string name) => Lazy.Value.GetValueOrDefault(name);

    /// <summary>Names of all functions in the table.</summary>
    public static IReadOnlyCollection<string> Names => Lazy.Value.Keys;

    /// <summary>Computes a call.</summary>
    public static object? Compute(LocalFunction function, string name, IReadOnlyList<KqlType> types, object?[] values, KqlType type)
    {
        var result = function(new LocalCall(name, types, values, type));
        return result switch
        {
            System.Text.Json.Nodes.JsonNode node => LocalValues.To(LocalJson.Write(node), KqlType.Dynamic, type),
            null => type is KqlType.String or KqlType.Dynamic ? "" : null,
            int i when type != KqlType.Int => LocalValues.To((long)i, KqlType.Long, type),
            long l when type != KqlType.Long => LocalValues.To(l, KqlType.Long, type),
            double d when type != KqlType.Real => LocalValues.To(d, KqlType.Real, type),
            string s when type != KqlType.String && type != KqlType.Dynamic => LocalValues.To(s, KqlType.String, type),
            bool b when type != KqlType.Bool => LocalValues.To(b, KqlType.Bool, type),
            _ => result,
        };
    }
}
