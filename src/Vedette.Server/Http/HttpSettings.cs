namespace Vedette.Server.Http;

/// <summary>Settings of all API surfaces.</summary>
public sealed class HttpSettings
{
    /// <summary>Whether calls are counted against the limits of the service.</summary>
    public QuotaMode Quotas { get; set; } = QuotaMode.Real;

    /// <summary>Largest request body that is read, in bytes.</summary>
    public int MaximumBodyBytes { get; set; } = 4 * 1024 * 1024;
}
