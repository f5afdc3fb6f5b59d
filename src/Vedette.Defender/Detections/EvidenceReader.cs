using System.Text.Json;
using Vedette.Defender.State;

namespace Vedette.Defender.Detections;

/// <summary>Makes evidence of a result row, as a rule's entity mapping says.</summary>
internal static class EvidenceReader
{
    /// <summary>The device that a row is about; null when the row names none.</summary>
    public static string? Device(DetectionRule rule, ResultRow row)
    {
        var mapping = rule.Entities.FirstOrDefault(entity => entity.Kind == EntityKind.Device);
        return mapping is null ? null : row.Text(Column(mapping, "id"))?.ToLowerInvariant();
    }

    /// <summary>The name of the device that a row is about; null when the row names none.</summary>
    public static string? DeviceName(DetectionRule rule, ResultRow row)
    {
        var mapping = rule.Entities.FirstOrDefault(entity => entity.Kind == EntityKind.Device);
        return mapping is null ? null : row.Text(Column(mapping, "name"))?.ToLowerInvariant();
    }

    /// <summary>The evidence of a row. Entities without any value are left out.</summary>
    public static IEnumerable<AlertEvidence> Read(DetectionRule rule, ResultRow row)
    {
        foreach (var mapping in rule.Entities)
        {
            var evidence = mapping.Kind switch
            {
                EntityKind.Process => Process(mapping, row),
                EntityKind.File => File(mapping, row),
                EntityKind.User => User(mapping, row),
                EntityKind.Ip => Ip(mapping, row),
                EntityKind.Url => Url(mapping, row),
                EntityKind.RegistryValue => Registry(mapping, row),
                EntityKind.Mailbox => Mailbox(mapping, row),
                _ => null,
            };
            if (evidence is not null) yield return evidence;
        }
    }

    /// <summary>
    /// What makes two events the same happening: the device and each entity by what it is, not by its process number, so that a command that
    /// is repeated collapses.
    /// </summary>
    public static string Identity(string device, IEnumerable<AlertEvidence> evidence) => string.Join('\n', evidence.Select(item => item.EntityType switch
    {
        EvidenceKind.Process => $"p|{item.FileName}|{item.ProcessCommandLine}",
        EvidenceKind.File => $"f|{item.FilePath}|{item.FileName}",
        EvidenceKind.User => $"u|{item.UserSid ?? item.AccountName ?? item.UserPrincipalName ?? item.AadUserId?.ToString()}",
        EvidenceKind.Mailbox => $"m|{item.UserPrincipalName ?? item.AadUserId?.ToString() ?? item.AccountName}",
        EvidenceKind.Ip => $"i|{item.IpAddress}",
        EvidenceKind.Url => $"l|{item.Url}",
        _ => $"r|{item.RegistryKey}|{item.RegistryValueName}|{item.RegistryValue}",
    }).Prepend(device)).ToLowerInvariant();

    private static AlertEvidence? Process(EntityMapping mapping, ResultRow row)
    {
        var (folder, name) = Split(row.Text(Column(mapping, "folderPath")), row.Text(Column(mapping, "fileName")));
        var (parentFolder, parentName) = Split(row.Text(Column(mapping, "parentFolderPath")), row.Text(Column(mapping, "parentFileName")));
        var command = row.Text(Column(mapping, "commandLine"));
        if (name is null && command is null) return null;
        return new AlertEvidence
        {
            EntityType = EvidenceKind.Process,
            FileName = name,
            FilePath = folder,
            Sha1 = Hash(row, mapping, "sha1"),
            Sha256 = Hash(row, mapping, "sha256"),
            ProcessId = row.Number(Column(mapping, "processId")),
            ProcessCommandLine = command,
            ProcessCreationTime = row.Time(Column(mapping, "creationTime")),
            ParentProcessId = row.Number(Column(mapping, "parentProcessId")),
            ParentProcessCreationTime = row.Time(Column(mapping, "parentCreationTime")),
            ParentProcessFileName = parentName,
            ParentProcessFilePath = parentFolder,
            AccountName = row.Text(Column(mapping, "accountName")),
            DomainName = row.Text(Column(mapping, "accountDomain")),
            UserSid = row.Text(Column(mapping, "accountSid")),
            DetectionStatus = "Detected",
        };
    }

    private static AlertEvidence? File(EntityMapping mapping, ResultRow row)
    {
        var (folder, name) = Split(row.Text(Column(mapping, "folderPath")), row.Text(Column(mapping, "name")));
        var sha1 = Hash(row, mapping, "sha1");
        var sha256 = Hash(row, mapping, "sha256");
        if (name is null && sha1 is null && sha256 is null) return null;
        return new AlertEvidence { EntityType = EvidenceKind.File, FileName = name, FilePath = folder, Sha1 = sha1, Sha256 = sha256, DetectionStatus = "Detected" };
    }

    private static AlertEvidence? User(EntityMapping mapping, ResultRow row)
    {
        var name = row.Text(Column(mapping, "name"));
        var sid = row.Text(Column(mapping, "sid"));
        var upn = row.Text(Column(mapping, "upn"));
        var id = Id(row, mapping);
        if (name is null && sid is null && upn is null && id is null) return null;
        return new AlertEvidence
        {
            EntityType = EvidenceKind.User,
            AccountName = name ?? upn?.Split('@')[0],
            DomainName = row.Text(Column(mapping, "domain")),
            UserSid = sid,
            UserPrincipalName = upn,
            AadUserId = id,
            EvidenceRole = "Impacted",
        };
    }

    private static AlertEvidence? Mailbox(EntityMapping mapping, ResultRow row)
    {
        var address = row.Text(Column(mapping, "address"));
        var name = row.Text(Column(mapping, "displayName"));
        var id = Id(row, mapping);
        if (address is null && name is null && id is null) return null;
        return new AlertEvidence
        {
            EntityType = EvidenceKind.Mailbox,
            UserPrincipalName = address,
            AccountName = name,
            AadUserId = id,
            Details = JsonSerializer.Serialize(new { displayName = name, primaryAddress = address, upn = address }),
            EvidenceRole = "Impacted",
        };
    }

    private static Guid? Id(ResultRow row, EntityMapping mapping) => Guid.TryParse(row.Text(Column(mapping, "objectId")), out var id) ? id : null;

    private static AlertEvidence? Ip(EntityMapping mapping, ResultRow row) => row.Text(Column(mapping, "address")) is { } address
        ? new AlertEvidence { EntityType = EvidenceKind.Ip, IpAddress = address, DetectionStatus = "Detected" }
        : null;

    private static AlertEvidence? Url(EntityMapping mapping, ResultRow row) => row.Text(Column(mapping, "url")) is { } url
        ? new AlertEvidence { EntityType = EvidenceKind.Url, Url = url, DetectionStatus = "Detected" }
        : null;

    private static AlertEvidence? Registry(EntityMapping mapping, ResultRow row)
    {
        if (row.Text(Column(mapping, "key")) is not { } full) return null;
        var cut = full.IndexOf('\\', StringComparison.Ordinal);
        return new AlertEvidence
        {
            EntityType = EvidenceKind.RegistryValue,
            RegistryHive = cut < 0 ? full : full[..cut],
            RegistryKey = cut < 0 ? "" : full[(cut + 1)..],
            RegistryValueName = row.Text(Column(mapping, "valueName")),
            RegistryValue = row.Text(Column(mapping, "valueData")),
            RegistryValueType = row.Text(Column(mapping, "valueType")),
            DetectionStatus = "Detected",
        };
    }

    private static string? Hash(ResultRow row, EntityMapping mapping, string field) => row.Text(Column(mapping, field))?.ToLowerInvariant();

    private static string? Column(EntityMapping mapping, string field) => mapping.Columns.GetValueOrDefault(field);

    // Hunting's folder path usually ends with the file's own name; evidence has the folder alone.
    private static (string? Folder, string? Name) Split(string? path, string? name)
    {
        if (path is null) return (null, name);
        var cut = path.LastIndexOfAny(['\\', '/']);
        if (cut < 0) return (null, name ?? path);
        var last = path[(cut + 1)..];
        if (name is null) return (path[..cut], last.Length > 0 ? last : null);
        return last.Equals(name, StringComparison.OrdinalIgnoreCase) || last.Length == 0 ? (cut == 0 ? path[..1] : path[..cut], name) : (path, name);
    }
}
