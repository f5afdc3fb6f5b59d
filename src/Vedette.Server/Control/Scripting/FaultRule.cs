namespace Vedette.Server.Control.Scripting;

/// <summary>An order to answer some requests with a fault, or to delay them.</summary>
internal sealed record FaultRule
{
    /// <summary>Most rules at once.</summary>
    public const int Most = 1_000;

    private static readonly string[] Methods = ["*", "GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"];

    /// <summary>Identity; given by the server.</summary>
    public string? Id { get; init; }

    /// <summary>
    /// Which requests: a verb or <c>*</c>, then a path whose segments may be <c>*</c> or <c>{name}</c> (any one) and which may end in
    /// <c>**</c> (anything). <c>/api/v1.0/…</c> counts as <c>/api/…</c>; case does not matter.
    /// </summary>
    public string Route { get; init; } = "* /**";

    /// <summary>Only requests of this application.</summary>
    public Guid? Client { get; init; }

    /// <summary>HTTP status of the answer; null with a delay only.</summary>
    public int? Status { get; init; }

    /// <summary>True to drop the connection without an answer.</summary>
    public bool Drop { get; init; }

    /// <summary>Code of the error body; the surface's own when null.</summary>
    public string? Code { get; init; }

    /// <summary>Text of the error body; the surface's own when null.</summary>
    public string? Message { get; init; }

    /// <summary>The whole body in place of an error body.</summary>
    public string? Body { get; init; }

    /// <summary>Seconds for the <c>Retry-After</c> header.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>More headers of the answer.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Milliseconds to wait before the answer, scripted or real.</summary>
    public int DelayMs { get; init; }

    /// <summary>Matching requests that are left alone first.</summary>
    public int After { get; init; }

    /// <summary>How many requests are answered so; null without end.</summary>
    public int? Times { get; init; }

    /// <summary>Share of the matching requests, from 0 to 1.</summary>
    public double Rate { get; init; } = 1;

    /// <summary>What the share is drawn from; the same number gives the same sequence.</summary>
    public int Seed { get; init; }

    /// <summary>What is wrong with the rule; null when nothing is.</summary>
    public string? Problem()
    {
        var words = Route.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 2 || !words[1].StartsWith('/') || !Methods.Contains(words[0], StringComparer.OrdinalIgnoreCase))
            return $"'{Route}' is not a route: write a verb or *, a space and a path, for instance 'GET /api/alerts' or '* /api/machines/**'.";
        if (words[1].TrimEnd('*').Contains("**", StringComparison.Ordinal)) return "A path may hold ** at its end only.";
        if (Status is < 200 or > 599) return "A status is a number from 200 to 599.";
        if (Drop && Status is not null) return "A dropped connection has no status.";
        if (!Drop && Status is null && DelayMs == 0) return "The fault does nothing: give a status, drop or a delayMs.";
        if (DelayMs is < 0 or > 600_000) return "A delay is from 0 to 600000 ms.";
        if (Times is < 1) return "times is at least 1; leave it out for no end.";
        if (After < 0) return "after is at least 0.";
        if (Rate is not (> 0 and <= 1)) return "A rate is above 0 and at most 1.";
        if (RetryAfter is < 0) return "retryAfter is at least 0 seconds.";
        if (Body?.Length > 1 << 20) return "A body has at most 1 MiB.";
        if (Headers?.Any(header => header.Key.Length == 0 || header.Key.Concat(header.Value).Any(char.IsControl)) == true) return "A header's name or value has a character that no header can hold.";
        return null;
    }
}
