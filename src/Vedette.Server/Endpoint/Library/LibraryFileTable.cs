using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Library;

/// <summary>The library file resource.</summary>
internal static class LibraryFileTable
{
    /// <summary>Files of the live response library by name.</summary>
    public static EntityTable Files { get; } = new("LibraryFile", "defender.library_files l", "l.tenant_id", "fileName", "l.file_key",
    [
        new("fileName", ValueKind.String, "l.file_name") { NotNull = true },
        new("sha256", ValueKind.String, "l.sha256") { NotNull = true },
        new("description", ValueKind.String, "l.description"),
        new("creationTime", ValueKind.Time, "l.creation_time") { NotNull = true },
        new("lastUpdatedTime", ValueKind.Time, "l.last_updated_time") { NotNull = true },
        new("createdBy", ValueKind.String, "l.created_by") { NotNull = true },
        new("hasParameters", ValueKind.Boolean, "l.has_parameters") { NotNull = true },
        new("parametersDescription", ValueKind.String, "l.parameters_description"),
    ]);
}
