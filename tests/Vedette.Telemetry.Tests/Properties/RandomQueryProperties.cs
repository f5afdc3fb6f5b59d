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
}
