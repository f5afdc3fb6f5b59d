using Vedette.Kql;
using Vedette.Kql.Symbols;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>An argument: a literal of a type.</summary>
/// <param name="Type">Its type; unknown for a type's name.</param>
/// <param name="Literal">Its text.</param>
/// <param name="IsFixed">Whether the language wants it as it stands.</param>
internal sealed record OddArgument(KqlType Type, string Literal, bool IsFixed);

/// <summary>A call of a built-in function with literals of the types that it takes.</summary>
internal sealed record OddCall(string Name, IReadOnlyList<OddArgument> Arguments)
{
    /// <summary>The text of the call with other spellings of its arguments.</summary>
    public string Text(Func<OddArgument, int, string> spell) => $"{Name}({string.Join(", ", Arguments.Select((a, i) => a.IsFixed ? a.Literal : spell(a, i)))})";

    /// <inheritdoc/>
    public override string ToString() => Text((a, _) => a.Literal);
}

/// <summary>Makes calls of the functions in the function table.</summary>
internal static class FunctionCalls
{
    // Their value depends on the place, on chance or on the time, they need an element of a graph, or they are the network's.
    private static readonly HashSet<string> Excluded =
    [
        "all", "any", "map", "inner_nodes", "labels", "node_degree_in", "node_degree_out", "node_id", "column_names_of", "estimate_data_size", "pack_all", "rowstore_ordinal_range", "around_", "assert", "column_ifexists",
        "columnifexists", "iscolumnexists", "row_id", "geo_info_from_ip_address",
    ];

    /// <summary>Scalar functions that give the same value for the same arguments.</summary>
    public static IReadOnlyList<FunctionSymbol> Steady { get; } =
        [.. FunctionTable.Scalars.Values.Where(f => f is { IsWindow: false, IsVolatile: false } && f.Attributes is { IsAbsent: false } && !Excluded.Contains(f.Name)).OrderBy(f => f.Name, StringComparer.Ordinal)];

    /// <summary>A call of a function with random arguments; null when a parameter cannot be had here.</summary>
    public static OddCall? Make(Random random, FunctionSymbol function)
    {
        var signature = function.Signatures[random.Next(function.Signatures.Count)];
        var count = signature.IsBlock
            ? Block(signature, random.Next(1, 4))
            : random.Next(signature.MinArguments, (int)Math.Min(signature.MaxArguments, Math.Max(signature.MinArguments, signature.Parameters.Count) + 2L) + 1);
        var common = Common(random, signature);
        var arguments = new List<OddArgument>();
        foreach (var parameter in signature.Layout(count))
        {
            if (parameter.Class is ParameterClass.Table or ParameterClass.Any || parameter.Form is ArgumentForm.Star or ArgumentForm.Element or ArgumentForm.Aggregate or ArgumentForm.Column)
                return null;
            if (parameter.Class == ParameterClass.TypeLiteral)
            {
                arguments.Add(new OddArgument(KqlType.Unknown, $"typeof({OddValues.All[random.Next(OddValues.All.Length)].Name()})", true));
                continue;
            }

            var types = OddValues.Types(parameter, common);
            var type = types[random.Next(types.Length)];
            if (parameter.Values.Count > 0 && random.Next(12) > 0)
            {
                arguments.Add(new OddArgument(KqlType.String, $"'{parameter.Values[random.Next(parameter.Values.Count)]}'", parameter.Form is ArgumentForm.Constant or ArgumentForm.Literal));
                continue;
            }

            if (parameter.Values.Count > 0 && parameter.Form == ArgumentForm.Literal) return null;
            arguments.Add(new OddArgument(type, OddValues.Literal(random, type, parameter.Name), parameter.Form is ArgumentForm.Constant or ArgumentForm.Literal));
        }

        return new OddCall(function.Name, arguments);
    }

    private static int Block(FunctionSignature signature, int times)
    {
        var block = signature.Parameters.Count(p => p.Max > 1);
        return (block * times) + signature.Parameters.Count - block;
    }

    private static KqlType Common(Random random, FunctionSignature signature)
    {
        var common = signature.Parameters.Select(p => p.Class).FirstOrDefault(c => c >= ParameterClass.Same0);
        KqlType[] types = common switch
        {
            ParameterClass.CommonNumber => [KqlType.Int, KqlType.Long, KqlType.Real, KqlType.Decimal],
            ParameterClass.CommonSummable => [KqlType.Long, KqlType.Real, KqlType.DateTime, KqlType.TimeSpan],
            ParameterClass.CommonOrderable => [KqlType.Int, KqlType.Long, KqlType.Real, KqlType.Decimal, KqlType.DateTime, KqlType.TimeSpan, KqlType.String],
            _ => OddValues.All,
        };
        return types[random.Next(types.Length)];
    }
}
