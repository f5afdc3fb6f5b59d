using Vedette.Identity.Directory;

namespace Vedette.Identity.Protocol;

/// <summary>The words that stand for "any tenant" in a path.</summary>
public enum TenantAlias
{
    /// <summary>A particular tenant.</summary>
    None,

    /// <summary><c>common</c>: any account.</summary>
    Common,

    /// <summary><c>organizations</c>: work accounts.</summary>
    Organizations,

    /// <summary><c>consumers</c>: personal accounts, of which there are none here.</summary>
    Consumers,
}

/// <summary>What a tenant segment of a path means.</summary>
/// <param name="Tenant">The tenant; null for an alias.</param>
/// <param name="Alias">The alias, if it is one.</param>
public readonly record struct TenantSegment(Tenant? Tenant, TenantAlias Alias)
{
    private const string PersonalAccounts = "9188040d-6c67-4c5b-b112-36a304b66dad";

    /// <summary>Reads a segment: a GUID, a verified domain, or an alias.</summary>
    /// <returns>The error when it means nothing here, else null.</returns>
    public static ProtocolError? Resolve(string segment, DirectorySnapshot directory, out TenantSegment result)
    {
        result = default;
        if (segment.Length == 0) return ErrorCatalogue.Create(90019);
        if (AliasOf(segment) is var alias and not TenantAlias.None)
        {
            result = new TenantSegment(null, alias);
            return null;
        }

        if (!Guid.TryParseExact(segment, "D", out _) && !DirectoryService.IsDomainName(segment)) return ErrorCatalogue.Create(900023, segment);
        if (!directory.TryGetTenant(segment, out var tenant)) return ErrorCatalogue.Create(90002, segment);
        result = new TenantSegment(tenant, TenantAlias.None);
        return null;
    }

    /// <summary>The alias that a segment is, ignoring case.</summary>
    public static TenantAlias AliasOf(string segment)
    {
        if (string.Equals(segment, "common", StringComparison.OrdinalIgnoreCase)) return TenantAlias.Common;
        if (string.Equals(segment, "organizations", StringComparison.OrdinalIgnoreCase)) return TenantAlias.Organizations;
        return string.Equals(segment, "consumers", StringComparison.OrdinalIgnoreCase) || string.Equals(segment, PersonalAccounts, StringComparison.OrdinalIgnoreCase)
            ? TenantAlias.Consumers
            : TenantAlias.None;
    }
}
