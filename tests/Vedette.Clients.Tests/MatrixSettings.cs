namespace Vedette.Clients.Tests;

/// <summary>What one client is told: its applications and, unless it goes by the real names, where the authority is.</summary>
internal sealed record MatrixSettings
{
    /// <summary>The authority's address with its documented switch; null for no setting at all.</summary>
    public string? Authority { get; init; }

    public required string Tenant { get; init; }

    /// <summary>A web application that is an API itself, with a secret and a certificate.</summary>
    public required string ClientId { get; init; }

    public required string Secret { get; init; }

    /// <summary>A native application.</summary>
    public required string NativeId { get; init; }

    public required string Scope { get; init; }

    public required string UserScope { get; init; }

    public required string UserName { get; init; }

    public required string Password { get; init; }

    /// <summary>A user's token for the web application, which it exchanges on the user's behalf.</summary>
    public required string Assertion { get; init; }

    public required string Pfx { get; init; }

    public required string KeyPem { get; init; }

    public required string CertificatePem { get; init; }

    public required string BothPem { get; init; }

    public required string Thumbprint { get; init; }

    public required string ThumbprintSha256 { get; init; }
}
