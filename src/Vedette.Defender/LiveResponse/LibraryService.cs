using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dapper;
using Npgsql;

namespace Vedette.Defender.LiveResponse;

/// <summary>A file on its way into the library.</summary>
/// <param name="FileName">Its name: letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</param>
/// <param name="Content">Its bytes.</param>
public sealed record LibraryUpload(string FileName, byte[] Content)
{
    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>What parameters the script takes, for people.</summary>
    public string? ParametersDescription { get; init; }

    /// <summary>Whether the script takes parameters; null means that the description of them tells.</summary>
    public bool? HasParameters { get; init; }

    /// <summary>Whether a file of the same name is replaced.</summary>
    public bool OverrideIfExists { get; init; }
}

/// <summary>The files that live response sessions of a tenant can put on devices and run there.</summary>
public sealed partial class LibraryService(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>Bytes of a file, at most. Source: the service's page on uploads.</summary>
    public const int MaxFileBytes = 20 * 1024 * 1024;

    /// <summary>Bytes of all files of a tenant, at most. Source: the service's page on live response.</summary>
    public const long MaxLibraryBytes = 250L * 1024 * 1024;

    private const int LongestName = 255;

    /// <summary>Stores a file and gives its name back as it was stored.</summary>
    public async Task<Outcome<string>> UploadAsync(Caller caller, LibraryUpload upload, CancellationToken cancellationToken)
    {
        if (upload.FileName.Length is 0 or > LongestName || !FileName().IsMatch(upload.FileName)) return new DomainError(Refusal.InvalidInput, "File");
        if (upload.Content.Length > MaxFileBytes) return new DomainError(Refusal.BadRequest, $"The file is larger than {MaxFileBytes} bytes.");
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var used = await connection.ExecuteScalarAsync<long>(Command(
            "SELECT coalesce(sum(size), 0)::bigint FROM defender.library_files WHERE tenant_id = @Tenant AND file_key <> lower(@Name)",
            new { Tenant = caller.TenantId, Name = upload.FileName }));
        if (used + upload.Content.Length > MaxLibraryBytes) return new DomainError(Refusal.BadRequest, $"The library would be larger than {MaxLibraryBytes} bytes.");

        var stored = await connection.ExecuteAsync(Command(
            $"""
            INSERT INTO defender.library_files AS known (
                tenant_id, file_name, sha256, size, description, has_parameters, parameters_description, created_by, creation_time, last_updated_time, content)
            VALUES (@Tenant, @Name, @Sha256, @Size, @Description, @HasParameters, @ParametersDescription, @CreatedBy, @Now, @Now, @Content)
            ON CONFLICT (tenant_id, file_key) DO {(upload.OverrideIfExists ? Replace : "NOTHING")}
            """,
            new
            {
                Tenant = caller.TenantId,
                Name = upload.FileName,
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(upload.Content)),
                Size = upload.Content.LongLength,
                Description = string.IsNullOrEmpty(upload.Description) ? null : upload.Description,
                HasParameters = upload.HasParameters ?? !string.IsNullOrEmpty(upload.ParametersDescription),
                ParametersDescription = string.IsNullOrEmpty(upload.ParametersDescription) ? null : upload.ParametersDescription,
                CreatedBy = caller.Name,
                Now = clock.GetUtcNow().UtcDateTime,
                upload.Content,
            }));
        return stored == 1 ? upload.FileName : new DomainError(Refusal.BadRequest, $"A file with the name '{upload.FileName}' already exists in the library.");

        CommandDefinition Command(string sql, object values) => new(sql, values, cancellationToken: cancellationToken);
    }

    /// <summary>Removes a file. What sessions have put on devices stays there.</summary>
    public async Task<Outcome<string>> DeleteAsync(Caller caller, string fileName, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var deleted = await connection.ExecuteAsync(new CommandDefinition(
            "DELETE FROM defender.library_files WHERE tenant_id = @Tenant AND file_key = lower(@Name)",
            new { Tenant = caller.TenantId, Name = fileName },
            cancellationToken: cancellationToken));
        return deleted == 1 ? fileName : new DomainError(Refusal.ResourceNotFound, "Library file", fileName);
    }

    /// <summary>The bytes of a file; null when there is none of that name.</summary>
    internal async Task<byte[]?> ReadAsync(Guid tenantId, string fileName, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<byte[]?>(new CommandDefinition(
            "SELECT content FROM defender.library_files WHERE tenant_id = @Tenant AND file_key = lower(@Name)",
            new { Tenant = tenantId, Name = fileName },
            cancellationToken: cancellationToken));
    }

    private const string Replace =
        """
        UPDATE SET file_name = excluded.file_name, sha256 = excluded.sha256, size = excluded.size, description = excluded.description,
            has_parameters = excluded.has_parameters, parameters_description = excluded.parameters_description,
            last_updated_time = excluded.last_updated_time, content = excluded.content
        """;

    [GeneratedRegex(@"^[A-Za-z0-9_\-.]*[A-Za-z0-9_\-][A-Za-z0-9_\-.]*$")]
    private static partial Regex FileName();
}
