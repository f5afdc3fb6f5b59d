using System.Globalization;

namespace Vedette.Defender.Vulnerabilities.Posture;

/// <summary>A configuration of the shipped benchmark.</summary>
/// <param name="Id">Number in the benchmark.</param>
/// <param name="Name">What it asks for.</param>
/// <param name="Category">Chapter.</param>
/// <param name="Source">Where the value is read from.</param>
/// <param name="Op">How the value is judged: <c>equals</c>, <c>atLeast</c>, <c>between1And</c>.</param>
/// <param name="Value">The recommended value.</param>
/// <param name="Cce">Common configuration enumeration number; empty when there is none.</param>
/// <param name="Rationale">Why.</param>
/// <param name="Simulated">The value that simulated devices have.</param>
public sealed record BenchmarkConfiguration(string Id, string Name, string Category, string Source, string Op, string Value, string Cce, string Rationale, string Simulated)
{
    /// <summary>How to get there, as HTML.</summary>
    public string Remediation => $"<p>Set the value <code>{Source}</code> to <code>{Value}</code>.</p>";

    /// <summary>What it is, as HTML.</summary>
    public string Description => $"<p>{Name}.</p>";
}

/// <summary>The shipped benchmark: a selection of the configurations of the CIS benchmarks for Windows, in own words.</summary>
public static class BaselineCatalogue
{
    /// <summary>Name of the benchmark.</summary>
    public const string Benchmark = "CIS";

    /// <summary>Its version.</summary>
    public const string Version = "3.0.0";

    private static readonly Lazy<BenchmarkConfiguration[]> Loaded = new(() => TvmJson.Resource<BenchmarkConfiguration[]>("benchmarks"));

    private static readonly Lazy<string> RowsText = new(() => "(VALUES " + string.Join(", ", All.Select(c => string.Create(CultureInfo.InvariantCulture,
        $"({Quote(c.Id)}, {Quote(c.Name)}, {Quote(c.Category)}, {Quote(c.Source)}, {Quote(c.Op)}, {Quote(c.Value)}, {Quote(c.Cce)}, {Quote(c.Rationale)}, {Quote(c.Description)}, {Quote(c.Remediation)})"))) + ")");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<BenchmarkConfiguration> All => Loaded.Value;

    /// <summary>SQL that gives the benchmark as rows under an alias.</summary>
    public static string Rows(string alias) => RowsText.Value + $" AS {alias}(id, name, category, source, op, value, cce, rationale, description, remediation)";

    /// <summary>SQL that judges a reported value, called <c>v</c>, against a row of <see cref="Rows"/>, called <c>b</c>.</summary>
    internal const string Verdict =
        """
        coalesce(CASE b.op
            WHEN 'equals' THEN s.v = b.value
            WHEN 'atLeast' THEN s.v ~ '^[0-9]{1,9}$' AND s.v::bigint >= b.value::bigint
            WHEN 'between1And' THEN s.v ~ '^[0-9]{1,9}$' AND s.v::bigint BETWEEN 1 AND b.value::bigint END, false)
        """;

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
