namespace Vedette.Server.Http;

/// <summary>Settings of all API surfaces.</summary>
public sealed class HttpSettings
{
    /// <summary>Whether calls are counted against the limits of the service.</summary>
    public QuotaMode Quotas { get; set; } = QuotaMode.Real;

    /// <summary>Limits of calls that differ from those of their table, by verb and path template.</summary>
    internal IReadOnlyDictionary<string, CallLimits> Calls { get; set; } = new Dictionary<string, CallLimits>();

    /// <summary>Largest request body that is read, in bytes.</summary>
    public int MaximumBodyBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Whether Graph takes a token without the word <c>Bearer</c> before it, as the service was seen to do.</summary>
    public bool BareGraphTokens { get; set; } = true;
}
