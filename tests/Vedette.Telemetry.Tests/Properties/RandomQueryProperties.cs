using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>Queries made at random never crash anything: they give rows, or an error that speaks of the query.</summary>
public sealed class RandomQueryProperties
{
    [Fact]
    public void Queries_of_the_grammar_run() => PropertyRuns.Check(250, random => new QueryGrammar(random).Query(), query =>
    {
        try
        {
            var result = PropertyRuns.Run(query);
            return result.Rows.All(row => row.Length == result.Columns.Count) ? null : "A row has another number of values than there are columns.\n" + query;
        }
        catch (HuntingException error)
        {
            return $"{error.Failure}: {error.Message} ({error.Line},{error.Column}) {error.InnerException?.Message}\n{query}";
        }
    });

    [Fact]
    public void Broken_queries_are_told_what_is_wrong() => PropertyRuns.Check(300, random => new QueryGrammar(random).Broken(), query =>
    {
        try
        {
            PropertyRuns.Run(query);
            return null;
        }
        catch (HuntingException error)
        {
            return error.Failure == HuntingFailure.Internal || error.Message.Length == 0 ? $"{error.Failure}: {error.Message} {error.InnerException?.Message}\n{query}" : null;
        }
    });

    // Values that are refused in words.
    private static readonly string[] Refused = ["time zone", "_isvalid", "current_node_id", "needs a constant percentile", "must be a constant", "bin_auto()", "JSON path", "unknown group", "needs an array of numbers", "tdigest_merge() is not", "buildschema() is not"];

    [Fact]
    public void Queries_of_the_wide_grammar_never_break_the_engine() => FuzzCampaign.Run("queries", 150, random =>
    {
        var query = new QueryGrammar(random, wide: true).Query();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var answer = Answer.Of(query);
        var wrong = new List<(string, string)>();
        if (answer.IsBroken) wrong.Add((answer.ErrorText, query[QueryGrammar.Table.Length..]));
        if (FuzzCampaign.IsLong)
        {
            // What cannot be had and what the grammar gets wrong is worth a look, no more.
            if (answer.Error is { Failure: HuntingFailure.Unsupported or HuntingFailure.ExcessiveResources or HuntingFailure.Timeout } && !Refused.Any(r => answer.Error.Message.Contains(r, StringComparison.Ordinal))) wrong.Add((answer.ErrorText, query[QueryGrammar.Table.Length..]));
                        if (clock.Elapsed.TotalSeconds > 5) wrong.Add(("slow", clock.Elapsed + "\n" + query[QueryGrammar.Table.Length..]));
        }

        return wrong;
    });
}
