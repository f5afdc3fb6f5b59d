using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections;

/// <summary>One rule's turn: what it looks at, and what came of it.</summary>
/// <param name="rule">The rule.</param>
/// <param name="window">Times of arrival that it looks at.</param>
internal sealed class DetectionWork(DetectionRule rule, (DateTime From, DateTime To) window)
{
    private static readonly ConditionalWeakTable<DetectionRule, string> Hashes = [];

    public DetectionRule Rule => rule;

    public string QueryHash { get; } = HashOf(rule);

    public (DateTime From, DateTime To) Window => window;

    /// <summary>Times of the events that there are to look at; null when that is not known, or the rule reads several tables.</summary>
    public (DateTime From, DateTime To)? Events { get; init; }

    /// <summary>Whether the rule, or its query, has not looked before.</summary>
    public bool IsFirst { get; init; }

    /// <summary>Whether its alerts are investigated, where the tenant and the device allow it.</summary>
    public bool Investigates { get; init; } = true;

    /// <summary>Whether nothing arrived that the rule could match, so that its query need not be run.</summary>
    public bool Idle { get; init; }

    public RuleMatches Matches { get; set; } = new([], 0, 0);

    /// <summary>Alerts beyond what the rule may raise in a minute.</summary>
    public int Held { get; set; }

    public string? Failure { get; set; }

    public string? ErrorCode { get; set; }

    public TimeSpan Elapsed { get; set; }

    public int Raised { get; set; }

    public int Merged { get; set; }

    /// <summary>What tells whether a rule's query is still the one that has looked.</summary>
    public static string HashOf(DetectionRule rule) => Hashes.GetValue(rule, static r => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(r.Query)))[..16]);

    /// <summary>Where a rule's look begins when it was last at <paramref name="seen"/>; null stands for a rule that has not looked yet.</summary>
    public static DateTime Begin(DetectionRule rule, DateTime? seen, DateTime until)
    {
        // A new or changed rule begins like a new one, and so does everything when the clock was set back.
        if (seen is not { } last || last > until) return until - DetectionSchedule.FirstRun;
        var back = until - rule.Schedule.LookBack;
        return rule.Schedule.IsContinuous || last < back ? last : back;
    }

    /// <summary>The turn as the history tells it.</summary>
    public DetectionRun Run(DateTime now) => new(
        rule.Id, rule.Label, now, (int)Elapsed.TotalMilliseconds, window.From, window.To, Failure is null ? RunStatus.Completed : RunStatus.Failed,
        Matches.Rows, Raised, Merged, Matches.Dropped + Held, Failure, ErrorCode);

    /// <summary>Notes that the query failed.</summary>
    public void Fail(HuntingException exception)
    {
        ErrorCode = RunErrors.Code(exception.Failure);
        Failure = exception.Line is { } line
            ? $"{rule.File}({rule.QueryLine + line - 1}): {exception.Failure}: {exception.Message}"
            : $"{exception.Failure}: {exception.Message}";
    }
}
