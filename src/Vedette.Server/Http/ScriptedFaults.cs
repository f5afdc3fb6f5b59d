namespace Vedette.Server.Http;

/// <summary>Answers that a test or a user ordered in place of the real ones.</summary>
internal interface IFaultScript
{
    /// <summary>
    /// The fault to play for a request, or null to go on. The method may also wait, which delays the request.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="application">The calling application; null when it is not known.</param>
    ValueTask<ScriptedFault?> NextAsync(HttpContext http, Guid? application);
}

/// <summary>An ordered answer.</summary>
internal sealed record ScriptedFault
{
    /// <summary>HTTP status; 0 drops the connection.</summary>
    public required int Status { get; init; }

    /// <summary>Code of the error body; null takes the one that the surface gives this status.</summary>
    public string? Code { get; init; }

    /// <summary>Text of the error body; null takes the one that the surface gives this status.</summary>
    public string? Message { get; init; }

    /// <summary>The whole body in place of an error body.</summary>
    public string? Body { get; init; }

    /// <summary>Seconds for the <c>Retry-After</c> header.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>More headers.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();
}

/// <summary>Plays no faults.</summary>
internal sealed class NoFaults : IFaultScript
{
    /// <inheritdoc/>
    public ValueTask<ScriptedFault?> NextAsync(HttpContext http, Guid? application) => new((ScriptedFault?)null);
}
