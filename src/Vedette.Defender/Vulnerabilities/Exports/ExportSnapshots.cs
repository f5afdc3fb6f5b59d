using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using Vedette.Defender.Vulnerabilities.Assessment;

namespace Vedette.Defender.Vulnerabilities.Exports;

/// <summary>A file of a snapshot.</summary>
/// <param name="Group">The device group whose rows it holds.</param>
/// <param name="Path">Name in the file store.</param>
/// <param name="Rows">Its rows, one a line.</param>
public sealed record ExportFile(int Group, string Path, int Rows);

/// <summary>One picture of the state, in files.</summary>
/// <param name="TimePath">Names it: <c>yyyy-MM-dd/HHmm/</c>.</param>
/// <param name="GeneratedAt">When it was made, UTC.</param>
/// <param name="Files">Its files in order.</param>
public sealed record ExportSnapshot(string TimePath, DateTime GeneratedAt, IReadOnlyList<ExportFile> Files);

/// <summary>
/// Makes and keeps the pictures that exports are read from: gzip files of one JSON object a line, by device group. A picture is good for its
/// six hours (0, 6, 12, 18 o'clock UTC); the first who asks in that time has it made. It appears when all its files are whole, so a killed
/// server leaves a whole picture or none.
/// </summary>
public sealed class ExportSnapshots(NpgsqlDataSource database, DefenderOptions options, VulnerabilityAssessment assessment, TimeProvider clock)
{
    /// <summary>Hours that a picture holds.</summary>
    public const int BucketHours = 6;

    /// <summary>Rows in a file, at most: what a page must pass over to go on in the middle.</summary>
    public const int RowsPerFile = 50_000;

    // The longest that a link to a file may live, and a little more.
    private static readonly TimeSpan Keep = TimeSpan.FromHours(26);
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private readonly ConcurrentDictionary<(Guid, string), SemaphoreSlim> _turns = new();

    /// <summary>Begin of the six hours that a moment belongs to.</summary>
    public static DateTime BucketOf(DateTime time) => time.Date.AddHours(time.Hour / BucketHours * BucketHours);

    /// <summary>The present picture, made when there is none yet.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="kind">What it shows.</param>
    /// <param name="since">For changes: the begin of the six hours from which they count.</param>
    /// <param name="cancellationToken">Stops waiting; a picture that was begun is given up.</param>
    public async Task<ExportSnapshot> CurrentAsync(Guid tenantId, ExportKind kind, DateTime? since, CancellationToken cancellationToken)
    {
        var name = NameOf(kind, since);
        var now = clock.GetUtcNow().UtcDateTime;
        if (await FindAsync(tenantId, name, BucketOf(now), null, cancellationToken) is { } known) return known;
        var turn = _turns.GetOrAdd((tenantId, name), _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            return await FindAsync(tenantId, name, BucketOf(now), null, cancellationToken) ?? await MakeAsync(tenantId, kind, name, since, now, cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>An earlier picture by its name; null when it is gone.</summary>
    public Task<ExportSnapshot?> FindAsync(Guid tenantId, ExportKind kind, DateTime? since, string timePath, CancellationToken cancellationToken) =>
        FindAsync(tenantId, NameOf(kind, since), null, timePath, cancellationToken);

    /// <summary>Lets the next who asks have new pictures made. Those that were handed out stay.</summary>
    public async Task ExpireAsync(Guid? tenantId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE defender.export_snapshots SET bucket = '-infinity' WHERE @tenantId::uuid IS NULL OR tenant_id = @tenantId", new { tenantId }, cancellationToken: cancellationToken));
    }

    /// <summary>The lines of a file, from one on.</summary>
    /// <exception cref="FileNotFoundException">The file is gone.</exception>
    public async IAsyncEnumerable<string> LinesAsync(ExportFile file, int from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var content = new GZipStream(new FileStream(PathOf(file.Path), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16), CompressionMode.Decompress);
        using var reader = new StreamReader(content, bufferSize: 1 << 16);
        for (var line = 0; await reader.ReadLineAsync(cancellationToken) is { } text; line++)
            if (line >= from) yield return text;
    }

    private static string NameOf(ExportKind kind, DateTime? since) => since is { } begin ? string.Create(CultureInfo.InvariantCulture, $"{kind.Name}-{begin:yyyyMMddHH}") : kind.Name;

    private async Task<ExportSnapshot?> FindAsync(Guid tenantId, string name, DateTime? bucket, string? timePath, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var row = await connection.QueryFirstOrDefaultAsync<(string TimePath, DateTime GeneratedAt, string Files)?>(new CommandDefinition(
            """
            SELECT time_path, generated_at, files::text FROM defender.export_snapshots
            WHERE tenant_id = @tenantId AND kind = @name AND (@bucket::timestamptz IS NULL OR bucket = @bucket) AND (@timePath::text IS NULL OR time_path = @timePath)
            ORDER BY generated_at DESC LIMIT 1
            """,
            new { tenantId, name, bucket, timePath },
            cancellationToken: cancellationToken));
        return row is { } found ? new ExportSnapshot(found.TimePath, found.GeneratedAt, JsonSerializer.Deserialize<ExportFile[]>(found.Files)!) : null;
    }

    private async Task<ExportSnapshot> MakeAsync(Guid tenantId, ExportKind kind, string name, DateTime? since, DateTime now, CancellationToken cancellationToken)
    {
        await assessment.EnsureFreshAsync(tenantId, cancellationToken);
        await PruneAsync(tenantId, name, now, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var groups = (await connection.QueryAsync<int>(new CommandDefinition(
            """
            SELECT rbac_group_id FROM defender.machines WHERE tenant_id = @tenantId
            UNION SELECT old_group_id FROM defender.machine_group_moves WHERE tenant_id = @tenantId AND @since::timestamptz IS NOT NULL ORDER BY 1
            """,
            new { tenantId, since },
            cancellationToken: cancellationToken))).AsList();
        var named = await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "SELECT EXISTS (SELECT 1 FROM defender.device_groups WHERE tenant_id = @tenantId)", new { tenantId }, cancellationToken: cancellationToken));

        // Names are minutes; a second picture within one takes the next.
        var minute = new DateTime(now.Ticks - now.Ticks % TimeSpan.TicksPerMinute, DateTimeKind.Utc);
        while (await FindAsync(tenantId, name, null, TimePathOf(minute), cancellationToken) is not null) minute = minute.AddMinutes(1);
        var files = new List<ExportFile>();
        foreach (var group in groups) files.AddRange(await WriteGroupAsync(connection, tenantId, kind, name, group, named ? "Unassigned" : "None", since, minute, cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "INSERT INTO defender.export_snapshots (tenant_id, kind, time_path, bucket, generated_at, files) VALUES (@tenantId, @name, @path, @bucket, @minute, @files::jsonb)",
            new { tenantId, name, path = TimePathOf(minute), bucket = BucketOf(now), minute, files = JsonSerializer.Serialize(files) },
            cancellationToken: cancellationToken));
        return new ExportSnapshot(TimePathOf(minute), minute, files);
    }

    private async Task<List<ExportFile>> WriteGroupAsync(
        NpgsqlConnection connection, Guid tenantId, ExportKind kind, string name, int group, string unassigned, DateTime? since, DateTime minute, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(kind.Select, connection) { CommandTimeout = 600 };
        command.Parameters.Add(new NpgsqlParameter { Value = tenantId });
        command.Parameters.Add(new NpgsqlParameter { Value = group });
        command.Parameters.Add(new NpgsqlParameter { Value = unassigned, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)since ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<ExportFile>();
        var more = await rows.ReadAsync(cancellationToken);
        while (more)
        {
            var path = string.Create(CultureInfo.InvariantCulture,
                $"{tenantId:N}/exports/{TimePathOf(minute)}{name}/json/OrgId={tenantId:D}/_RbacGroupId={group}/part-{files.Count:00000}-{Guid.NewGuid():D}.c000.json.gz");
            Foundation.Files.CreateFolder(Path.GetDirectoryName(PathOf(path))!);
            var count = 0;
            await using (var packed = new GZipStream(new FileStream(PathOf(path), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16), CompressionLevel.Fastest))
            {
                var buffer = new System.Buffers.ArrayBufferWriter<byte>(1 << 16);
                await using var json = new Utf8JsonWriter(buffer, Json);
                while (more && count < RowsPerFile)
                {
                    WriteRow(json, rows, kind.Columns);
                    json.Flush();
                    json.Reset();
                    buffer.GetSpan(1)[0] = (byte)'\n';
                    buffer.Advance(1);
                    count++;
                    if (buffer.WrittenCount > 1 << 16)
                    {
                        packed.Write(buffer.WrittenSpan);
                        buffer.ResetWrittenCount();
                    }

                    more = await rows.ReadAsync(cancellationToken);
                }

                packed.Write(buffer.WrittenSpan);
            }

            files.Add(new ExportFile(group, path, count));
        }

        return files;
    }

    // Files leave out what has no value, and empty lists.
    private static void WriteRow(Utf8JsonWriter json, NpgsqlDataReader row, IReadOnlyList<ExportColumn> columns)
    {
        json.WriteStartObject();
        for (var at = 0; at < columns.Count; at++)
        {
            if (row.IsDBNull(at)) continue;
            var name = columns[at].FileName;
            switch (columns[at].Value)
            {
                case ExportValue.Text: json.WriteString(name, row.GetString(at)); break;
                case ExportValue.Number: json.WriteNumber(name, row.GetInt64(at)); break;
                case ExportValue.Real: json.WriteNumber(name, row.GetDouble(at)); break;
                case ExportValue.Flag: json.WriteBoolean(name, row.GetBoolean(at)); break;
                case ExportValue.Stamp: json.WriteString(name, row.GetDateTime(at).ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture)); break;
                case ExportValue.Time: json.WriteString(name, row.GetDateTime(at)); break;
                case ExportValue.Json:
                    json.WritePropertyName(name);
                    json.WriteRawValue(row.GetString(at), skipInputValidation: true);
                    break;
                case ExportValue.Texts:
                    var items = row.GetFieldValue<string[]>(at);
                    if (items.Length == 0) break;
                    json.WriteStartArray(name);
                    foreach (var item in items) json.WriteStringValue(item);
                    json.WriteEndArray();
                    break;
            }
        }

        json.WriteEndObject();
    }

    private async Task PruneAsync(Guid tenantId, string name, DateTime now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var old = await connection.QueryAsync<string>(new CommandDefinition(
            "DELETE FROM defender.export_snapshots WHERE tenant_id = @tenantId AND generated_at < @limit AND (kind = @name OR kind LIKE 'VaDeltaExport-%') RETURNING kind || '|' || time_path",
            new { tenantId, name, limit = now - Keep },
            cancellationToken: cancellationToken));
        foreach (var (kind, path) in old.Select(o => (o[..o.IndexOf('|', StringComparison.Ordinal)], o[(o.IndexOf('|', StringComparison.Ordinal) + 1)..])))
        {
            var folder = PathOf($"{tenantId:N}/exports/{path}{kind}");
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static string TimePathOf(DateTime minute) => minute.ToString("yyyy-MM-dd'/'HHmm'/'", CultureInfo.InvariantCulture);

    private string PathOf(string name) => Path.Combine(Path.GetFullPath(options.FilesFolder), name);
}
