using System.Globalization;
using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>What a query answered: rows as texts, or an error.</summary>
internal sealed partial record Answer(IReadOnlyList<HuntingResultColumn> Columns, IReadOnlyList<string[]> Rows, HuntingException? Error)
{
    /// <summary>Whether the engine broke rather than told what is wrong with the query.</summary>
    public bool IsBroken => Error is { } error && (error.Failure == HuntingFailure.Internal || error.Message.Contains("DB::", StringComparison.Ordinal) || error.Message.Length is 0 or > 600);

    /// <summary>The error in short.</summary>
    public string ErrorText => Error is null ? "" : $"{Error.Failure}: {Error.Message} {Cause(Error.InnerException)}".Trim();

    /// <summary>Runs a query over the rows of the property tests.</summary>
    public static Answer Of(string query) => Of(query, static request => request);

    /// <summary>Runs a request.</summary>
    public static Answer Of(string query, Func<HuntingRequest, HuntingRequest> change)
    {
        try
        {
            var result = PropertyRuns.RunAsync(query, change).GetAwaiter().GetResult();
            return new Answer(result.Columns, [.. result.Rows.Select(r => r.Select((v, i) => v is null ? "null" : LocalValues.ToText(v, result.Columns[i].Type is KqlType.Dynamic ? KqlType.String : result.Columns[i].Type)).ToArray())], null);
        }
        catch (HuntingException error)
        {
            return new Answer([], [], error);
        }
    }

    /// <summary>Whether two values are the same, but for the last digits of reals.</summary>
    public static bool Same(string a, string b)
    {
        if (a == b) return true;
        var (x, y) = (Number().Matches(a), Number().Matches(b));
        if (x.Count != y.Count || x.Count == 0 || Number().Replace(a, "#") != Number().Replace(b, "#")) return false;
        for (var i = 0; i < x.Count; i++)
        {
            if (x[i].Value == y[i].Value) continue;
            var (p, q) = (double.Parse(x[i].Value, CultureInfo.InvariantCulture), double.Parse(y[i].Value, CultureInfo.InvariantCulture));
            if (!(Math.Abs(p - q) <= 1e-9 * Math.Max(1e-9, Math.Max(Math.Abs(p), Math.Abs(q)))) && !p.Equals(q)) return false;
        }

        return true;
    }

    private static string Cause(Exception? error) => error is null ? "" : $"[{error.GetType().Name}: {(error.Message.Length > 400 ? error.Message[..400] : error.Message)}{At(error)}]";

    private static string At(Exception error) => error is ClickHouseException ? "" : " " + string.Join(" < ", (error.StackTrace ?? "").Split('\n').Where(l => l.Contains("Vedette", StringComparison.Ordinal)).Take(3).Select(l => l.Trim()));

    [GeneratedRegex(@"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")]
    private static partial Regex Number();
}
