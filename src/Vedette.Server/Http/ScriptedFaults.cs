namespace Vedette.Server.Http;

/// <summary>Answers that a test or a user ordered in place of the real ones.</summary>
public interface IFaultScript
{
    /// <summary>
    /// The fault to play for a call, or null to go on. The method may also wait, which delays the call.
    /// </summary>
    /// <param name="method">HTTP verb.</param>
    /// <param name="template">Path template of the row.</param>
    /// <param name="application">The calling application.</param>
    /// <param name="cancellationToken">Ends a wait when the client goes away.</param>
    ValueTask<ScriptedFault?> NextAsync(string method, string template, Guid application, CancellationToken cancellationToken);
}

/// <summary>An ordered answer.</summary>
/// <param name="Status">HTTP status; 0 drops the connection.</param>
/// <param name="Code">Code of the error body.</param>
/// <param name="Message">Text of the error body.</param>
/// <param name="RetryAfter">Seconds for the <c>Retry-After</c> header.</param>
public sealed record ScriptedFault(int Status, string Code, string Message, int? RetryAfter);

/// <summary>Plays no faults.</summary>
internal sealed class NoFaults : IFaultScript
{
    /// <inheritdoc/>
    public ValueTask<ScriptedFault?> NextAsync(string method, string template, Guid application, CancellationToken cancellationToken) => new((ScriptedFault?)null);
}
