namespace Vedette.Identity.Directory;

/// <summary>A directory role: its template is the same in every tenant.</summary>
/// <param name="TemplateId">Id of the template, which tokens carry in <c>wids</c>.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Description">What its holders may do.</param>
public sealed record DirectoryRole(Guid TemplateId, string Name, string Description)
{
    /// <summary>Manages everything and consents for everybody.</summary>
    public static readonly DirectoryRole GlobalAdministrator = new(
        new Guid("62e90394-69f5-4237-9190-012177145e10"), "Global Administrator", "Manages all of the directory and all services that use its identities.");

    /// <summary>Reads everything, changes nothing.</summary>
    public static readonly DirectoryRole GlobalReader = new(
        new Guid("f2ef992c-3afb-46b9-b7cf-a126ee74c451"), "Global Reader", "Reads all that a Global Administrator can read.");

    /// <summary>Manages security services.</summary>
    public static readonly DirectoryRole SecurityAdministrator = new(
        new Guid("194ae4cb-b126-40b2-bd5b-6091b380977d"), "Security Administrator", "Reads security information and manages the configuration of security services.");

    /// <summary>Answers to alerts.</summary>
    public static readonly DirectoryRole SecurityOperator = new(
        new Guid("5f2222b1-57c3-48ba-8ad5-d4759f1fde6f"), "Security Operator", "Investigates security events and answers to them.");

    /// <summary>Reads security information.</summary>
    public static readonly DirectoryRole SecurityReader = new(
        new Guid("5d6b6bb7-de71-4623-b4af-96380a352509"), "Security Reader", "Reads security information and reports.");

    /// <summary>Manages registered applications and consent.</summary>
    public static readonly DirectoryRole ApplicationAdministrator = new(
        new Guid("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"), "Application Administrator", "Manages all registered and enterprise applications.");

    /// <summary>As the application administrator, but for application proxies.</summary>
    public static readonly DirectoryRole CloudApplicationAdministrator = new(
        new Guid("158c047a-c907-4556-b7ef-446551a6b5f7"), "Cloud Application Administrator", "Manages all registered and enterprise applications except application proxies.");

    /// <summary>Manages users.</summary>
    public static readonly DirectoryRole UserAdministrator = new(
        new Guid("fe930be7-5e62-47db-91af-98c3a49a38b1"), "User Administrator", "Manages users and groups.");

    /// <summary>Manages groups.</summary>
    public static readonly DirectoryRole GroupsAdministrator = new(
        new Guid("fdd7a751-b60b-444a-984c-02652fe8fa1c"), "Groups Administrator", "Manages groups and their settings.");

    /// <summary>Manages who holds roles.</summary>
    public static readonly DirectoryRole PrivilegedRoleAdministrator = new(
        new Guid("e8611ab8-c189-46e8-94e1-60213ab1f814"), "Privileged Role Administrator", "Manages who holds directory roles, and application permissions.");

    /// <summary>Every role that is known here, by name.</summary>
    public static IReadOnlyList<DirectoryRole> All { get; } =
    [
        ApplicationAdministrator,
        CloudApplicationAdministrator,
        GlobalAdministrator,
        GlobalReader,
        GroupsAdministrator,
        PrivilegedRoleAdministrator,
        SecurityAdministrator,
        SecurityOperator,
        SecurityReader,
        UserAdministrator,
    ];

    /// <summary>Finds a role by template id or by name, ignoring case.</summary>
    /// <exception cref="DirectoryException">There is none.</exception>
    public static DirectoryRole Find(string reference) =>
        All.FirstOrDefault(role => string.Equals(role.Name, reference, StringComparison.OrdinalIgnoreCase) || (Guid.TryParse(reference, out var id) && role.TemplateId == id))
        ?? throw DirectoryException.NotFound($"There is no directory role '{reference}'. The roles: {string.Join(", ", All.Select(role => role.Name))}.");

    /// <summary>Id of the role's object in a tenant; it follows from tenant and template, so that nothing has to be stored.</summary>
    public Guid ObjectId(Guid tenantId)
    {
        Span<byte> both = stackalloc byte[32];
        tenantId.TryWriteBytes(both, bigEndian: true, out _);
        TemplateId.TryWriteBytes(both[16..], bigEndian: true, out _);
        var hash = System.Security.Cryptography.SHA256.HashData(both)[..16];
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x0F) | 0x80);
        return new Guid(hash, bigEndian: true);
    }
}
