namespace Vedette.Kql.Symbols;

/// <summary>What a parameter accepts.</summary>
internal enum ParameterClass : byte
{
    Any,
    Declared,
    TypeLiteral,
    Scalar,
    Table,
    Integer,
    RealOrDecimal,
    StringOrDynamic,
    StringOrArray,
    IntegerOrArray,
    Array,
    Bag,
    Number,
    NumberOrBool,
    Summable,
    Orderable,
    NotRealOrBool,
    NotDynamic,
    NotBool,
    Same0,
    Common,
    CommonNumber,
    CommonSummable,
    CommonOrderable,
    CommonOrDynamic,
}

/// <summary>What form an argument must have.</summary>
internal enum ArgumentForm : byte
{
    Expression,
    Constant,
    Literal,
    Column,
    /// <summary>A column of the table given as first argument.</summary>
    ColumnOfTable,
    /// <summary>A column that the input and the table given as first argument have both.</summary>
    CommonColumn,
    Star,
    StarAllowed,
    Aggregate,
    /// <summary>An expression over the element of the first argument (graph functions).</summary>
    Element,
}

/// <summary>A parameter of a built-in.</summary>
internal sealed record FunctionParameterSymbol(
    string Name, ParameterClass Class, IReadOnlyList<KqlType> Types, int Min, int Max, ArgumentForm Form, IReadOnlyList<string> Values);

/// <summary>How the result type comes about.</summary>
internal enum ResultRule : byte
{
    Declared,
    Argument,
    TypeOfArgument,
    Widest,
    Common,
    Promoted,
    Percentile,
    Custom,
}

/// <summary>One overload of a built-in: its parameters and how the result type comes about.</summary>
internal sealed class FunctionSignature(
    IReadOnlyList<FunctionParameterSymbol> parameters, ResultRule rule, KqlType type, int index, bool isBlock)
{
    public IReadOnlyList<FunctionParameterSymbol> Parameters { get; } = parameters;

    public ResultRule Rule { get; } = rule;

    /// <summary>The type, for a declared result.</summary>
    public KqlType Type { get; } = type;

    /// <summary>The argument's index for results that follow one; -1 is the last.</summary>
    public int Index { get; } = index;

    /// <summary>The repeated parameters repeat as a group (case: predicate, value, predicate, value, else).</summary>
    public bool IsBlock { get; } = isBlock;

    public int MinArguments { get; } = parameters.Sum(p => p.Min);

    public int MaxArguments { get; } = isBlock ? int.MaxValue : (int)Math.Min(int.MaxValue, parameters.Sum(p => (long)p.Max));

    /// <summary>Whether so many arguments fill the repeated group a whole number of times.</summary>
    public bool HasWholeBlocks(int count)
    {
        var block = Parameters.Count(p => p.Max > 1);
        return block == 0 || (count - (Parameters.Count - block)) % block == 0;
    }

    /// <summary>The parameter for each of <paramref name="count"/> arguments.</summary>
    public FunctionParameterSymbol[] Layout(int count)
    {
        var result = new FunctionParameterSymbol[count];
        if (IsBlock)
        {
            var block = Parameters.Count(p => p.Max > 1);
            var tail = Parameters.Count - block;
            for (var i = 0; i < count; i++)
                result[i] = i >= count - tail ? Parameters[block + i - (count - tail)] : Parameters[i % block];
            return result;
        }

        var index = 0;
        for (var p = 0; p < Parameters.Count && index < count; p++)
        {
            // A repeated parameter takes what the later ones do not need.
            var later = 0;
            for (var q = p + 1; q < Parameters.Count; q++)
                later += Parameters[q].Min;
            var take = Math.Min(Parameters[p].Max, Math.Max(Parameters[p].Min, count - index - later));
            if (Parameters[p].Max == 1)
                take = Parameters[p].Min == 1 || count - index > later ? 1 : 0;
            for (var i = 0; i < take && index < count; i++)
                result[index++] = Parameters[p];
        }

        while (index < count)
            result[index++] = Parameters[^1];
        return result;
    }
}
