using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Detections.Testing;

/// <summary>One test file, read.</summary>
/// <param name="File">Its name, relative to the folder that is tested.</param>
/// <param name="Tests">Its tests; empty when <paramref name="Problems"/> are not.</param>
/// <param name="Problems">What is wrong in the file.</param>
public sealed record RuleTestFile(string File, IReadOnlyList<RuleTest> Tests, IReadOnlyList<RuleProblem> Problems);

/// <summary>One test: input rows, a rule or a query to run over them, and what must come out.</summary>
public sealed record RuleTest
{
    /// <summary>Name for people.</summary>
    public required string Name { get; init; }

    /// <summary>The rule; null when a query is tested.</summary>
    public DetectionRule? Rule { get; init; }

    /// <summary>The query that runs.</summary>
    public required string Query { get; init; }

    /// <summary>What <c>now()</c> gives, UTC.</summary>
    public required DateTime Now { get; init; }

    /// <summary>Rows to put into the tables.</summary>
    public IReadOnlyList<HuntingRow> Rows { get; init; } = [];

    /// <summary>Recordings to import, as absolute paths.</summary>
    public IReadOnlyList<string> Imports { get; init; } = [];

    /// <summary>What must come out.</summary>
    public required RuleExpectation Expected { get; init; }
}

/// <summary>What a test expects; what is null is not looked at.</summary>
public sealed record RuleExpectation
{
    /// <summary>Names of the result's columns, in order.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Number of result rows.</summary>
    public int? RowCount { get; init; }

    /// <summary>All result rows, each by the columns that are named.</summary>
    public IReadOnlyList<ExpectedItem>? Rows { get; init; }

    /// <summary>Rows that must be among the result's.</summary>
    public IReadOnlyList<ExpectedItem>? Includes { get; init; }

    /// <summary>Whether <see cref="Rows"/> come in this order.</summary>
    public bool IsOrdered { get; init; }

    /// <summary>Number of alerts.</summary>
    public int? AlertCount { get; init; }

    /// <summary>All alerts, each by the fields that are named.</summary>
    public IReadOnlyList<ExpectedItem>? Alerts { get; init; }

    /// <summary>A part of the error that the query must end with.</summary>
    public string? Error { get; init; }
}

/// <summary>An expected row or alert: named values, as the file writes them.</summary>
/// <param name="Values">Values by column or field.</param>
/// <param name="Line">Line in the file, from 1.</param>
public sealed record ExpectedItem(IReadOnlyDictionary<string, TestValue> Values, int Line);

/// <summary>A value of a test file: a text, a list, a mapping, or null.</summary>
public sealed record TestValue
{
    /// <summary>The text of a plain value.</summary>
    public string? Text { get; init; }

    /// <summary>Whether the text was in quotes: then it is never null and never a number.</summary>
    public bool IsQuoted { get; init; }

    /// <summary>Items of a list.</summary>
    public IReadOnlyList<TestValue>? Items { get; init; }

    /// <summary>Entries of a mapping.</summary>
    public IReadOnlyDictionary<string, TestValue>? Fields { get; init; }

    /// <summary>Whether it stands for null.</summary>
    public bool IsNull => Items is null && Fields is null && !IsQuoted && Text is null or "" or "null" or "~";
}

/// <summary>The outcome of one test.</summary>
/// <param name="File">Its file.</param>
/// <param name="Name">Its name.</param>
/// <param name="Elapsed">Time taken.</param>
/// <param name="Failure">Null when it passed; else what differs, over several lines.</param>
public sealed record RuleTestResult(string File, string Name, TimeSpan Elapsed, string? Failure)
{
    /// <summary>Whether it passed.</summary>
    public bool Passed => Failure is null;
}
