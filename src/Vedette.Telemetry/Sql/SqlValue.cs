using Vedette.Kql;

namespace Vedette.Telemetry.Sql;

/// <summary>
/// A scalar expression of a statement. Every KQL type has one physical form: string is String and never null; bool UInt8 or Bool; int Int32;
/// long Int64; real Float64; decimal Decimal(38,17); datetime DateTime64(7,'UTC'); timespan Int64 ticks of 100 ns; guid UUID; dynamic JSON
/// text in a String, where '' is null.
/// </summary>
/// <param name="Text">SQL text, safe to use as an operand.</param>
/// <param name="Type">KQL type.</param>
/// <param name="Nullable">Whether the value can be NULL in the engine. Always false for string and dynamic.</param>
internal sealed record SqlValue(string Text, KqlType Type, bool Nullable)
{
    /// <summary>Whether <see cref="Constant"/> holds the value.</summary>
    public bool IsConstant { get; init; }

    /// <summary>
    /// The value when it is known at compile time: bool, int, long, double, decimal, string, DateTime, TimeSpan, Guid; a dynamic value is its
    /// JSON text; null is null.
    /// </summary>
    public object? Constant { get; init; }

    /// <summary>When the value was reached from a dynamic value by a path: the root and the path, so that it is read in one go.</summary>
    public SqlJsonPath? Json { get; init; }

    /// <summary>For a dynamic that is an array: its elements as an Array(String) of JSON texts, when at hand.</summary>
    public string? Elements { get; init; }

    /// <summary>For a dynamic value: its text as tostring() gives it, when that is at hand.</summary>
    public string? PlainText { get; init; }

    /// <summary>For a dynamic that is an array of strings: the strings as an Array(String), when at hand.</summary>
    public string? Strings { get; init; }

    /// <summary>Id of the column that holds <see cref="Strings"/> or <see cref="Elements"/>, when there is one.</summary>
    public int? Array { get; init; }

    /// <summary>Whether it is a column of a table that the engine keeps in dictionaries.</summary>
    public bool IsDictionary { get; init; }

    /// <summary>For a dynamic: whether it is known not to be null.</summary>
    public bool IsPresent { get; init; }

    /// <summary>The value as its JSON text only, for places that need one and the same column: keys of groups.</summary>
    public SqlValue WithoutArray() => this with { Strings = null, Elements = null, Array = null };

    public override string ToString() => Text;
}

/// <summary>A path into JSON text.</summary>
/// <param name="Root">SQL text of the JSON text.</param>
/// <param name="Steps">SQL texts of the steps: string keys, or positions as the engine counts them.</param>
internal sealed record SqlJsonPath(string Root, IReadOnlyList<string> Steps)
{
    public string Arguments => string.Concat(Steps.Select(step => ", " + step));
}
