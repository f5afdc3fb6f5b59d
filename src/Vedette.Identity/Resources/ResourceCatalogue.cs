using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Vedette.Identity.Resources;

/// <summary>
/// The first-party APIs with their application ids, audience spellings, app roles and scopes, read from
/// <c>first-party-resources.json</c>.
/// </summary>
public sealed class ResourceCatalogue
{
    /// <summary>Application id of WindowsDefenderATP, the Endpoint API.</summary>
    public static readonly Guid EndpointAppId = new("fc780465-2017-40d4-a0c5-307022471b92");

    /// <summary>Application id of Microsoft Threat Protection, the Defender XDR API.</summary>
    public static readonly Guid ThreatProtectionAppId = new("8ee8fdad-f234-4243-8f3b-15c294843740");

    /// <summary>Application id of Microsoft Graph.</summary>
    public static readonly Guid GraphAppId = new("00000003-0000-0000-c000-000000000000");

    private static readonly Lazy<ResourceCatalogue> Shared = new(Load);
    private readonly FrozenDictionary<Guid, FirstPartyResource> _byId;
    private readonly FrozenDictionary<string, FirstPartyResource> _byAudience;

    private ResourceCatalogue(IReadOnlyList<FirstPartyResource> resources)
    {
        All = resources;
        _byId = resources.ToFrozenDictionary(resource => resource.AppId);
        _byAudience = resources
            .SelectMany(resource => resource.Audiences.Append(resource.AppId.ToString()).Select(audience => (audience, resource)))
            .ToFrozenDictionary(pair => pair.audience, pair => pair.resource, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The catalogue that ships with the product.</summary>
    public static ResourceCatalogue Default => Shared.Value;

    /// <summary>All first-party resources.</summary>
    public IReadOnlyList<FirstPartyResource> All { get; }

    /// <summary>The Endpoint API.</summary>
    public FirstPartyResource Endpoint => _byId[EndpointAppId];

    /// <summary>The Defender XDR API.</summary>
    public FirstPartyResource ThreatProtection => _byId[ThreatProtectionAppId];

    /// <summary>Microsoft Graph.</summary>
    public FirstPartyResource Graph => _byId[GraphAppId];

    /// <summary>Finds a resource by its application id.</summary>
    public bool TryGet(Guid appId, [NotNullWhen(true)] out FirstPartyResource? resource) => _byId.TryGetValue(appId, out resource);

    /// <summary>
    /// Finds the resource that an audience names: a URI in any listed spelling and case, with or without trailing slashes, or the
    /// application id with or without <c>api://</c>.
    /// </summary>
    public bool TryResolve(string audience, [NotNullWhen(true)] out FirstPartyResource? resource)
    {
        var name = audience.AsSpan().TrimEnd('/');
        if (name.StartsWith("api://", StringComparison.OrdinalIgnoreCase)) name = name[6..];
        return _byAudience.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out resource);
    }

    private static ResourceCatalogue Load()
    {
        using var stream = typeof(ResourceCatalogue).Assembly.GetManifestResourceStream("Vedette.Identity.first-party-resources.json")!;
        using var document = JsonDocument.Parse(stream);
        return new ResourceCatalogue([.. document.RootElement.EnumerateArray().Select(Read)]);
    }

    private static FirstPartyResource Read(JsonElement element) => new(
        element.GetProperty("appId").GetGuid(),
        element.GetProperty("displayName").GetString()!,
        element.GetProperty("resourceUri").GetString()!,
        [.. element.GetProperty("audiences").EnumerateArray().Select(audience => audience.GetString()!)],
        ReadPermissions(element.GetProperty("appRoles"), PermissionKind.Role),
        ReadPermissions(element.GetProperty("scopes"), PermissionKind.Scope));

    private static Permission[] ReadPermissions(JsonElement array, PermissionKind kind) =>
    [
        .. array.EnumerateArray().Select(item => new Permission(
            item.GetProperty("id").GetGuid(),
            item.GetProperty("value").GetString()!,
            item.GetProperty("displayName").GetString()!,
            kind,
            item.TryGetProperty("derived", out var derived) && derived.GetBoolean())),
    ];
}
