using System.Text.Json;

namespace Vedette.Clients.Tests;

/// <summary>What a client library is told: the settings that its own documentation names, and nothing else.</summary>
internal sealed record ClientSettings
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public required string Authority { get; init; }

    public required string Tenant { get; init; }

    public required string ClientId { get; init; }

    public required string Scope { get; init; }

    public string? Secret { get; init; }

    /// <summary>Files that hold the client's certificate and key.</summary>
    public string? Pfx { get; init; }

    public string? KeyPem { get; init; }

    public string? CertificatePem { get; init; }

    /// <summary>Both in one file.</summary>
    public string? BothPem { get; init; }

    public string? Thumbprint { get; init; }

    public string? ThumbprintSha256 { get; init; }

    public bool SendX5c { get; init; }

    /// <summary>The user, where one signs in.</summary>
    public string? UserName { get; init; }

    public string? Password { get; init; }
}

/// <summary>What a client library said.</summary>
internal sealed record ClientAnswer(string? AccessToken, string? Error);
