using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Npgsql;
using Vedette.Agent.Contract;
using Vedette.Defender.Actions;

namespace Vedette.Defender.LiveResponse;

/// <summary>How a device writes paths.</summary>
/// <param name="WorkingFolder">Folder that relative names lead to.</param>
/// <param name="Separator">Between folders.</param>
/// <param name="IgnoresCase">Whether names that differ in case are the same.</param>
internal sealed record PathStyle(string WorkingFolder, char Separator, bool IgnoresCase)
{
    private static readonly PathStyle Windows = new(@"C:\ProgramData\Microsoft\Windows Defender Advanced Threat Protection\Downloads", '\\', true);
    private static readonly PathStyle Unix = new("/opt/microsoft/mdatp/downloads", '/', false);

    /// <summary>The style of a platform.</summary>
    public static PathStyle Of(string platform) => ActionFacts.FamilyOf(platform) == OsFamily.Windows ? Windows : Unix;

    /// <summary>The full path that a text means: separators unified, <c>.</c> and <c>..</c> resolved.</summary>
    public string Full(string text)
    {
        var path = Separator == '\\' ? text.Trim().Replace('/', '\\') : text.Trim();
        var rooted = Separator == '\\' ? path.Length > 1 && path[1] == ':' : path.StartsWith('/');
        if (!rooted) path = WorkingFolder + Separator + path;
        var kept = new List<string>();
        foreach (var part in path.Split(Separator, StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                if (kept.Count > (Separator == '\\' ? 1 : 0)) kept.RemoveAt(kept.Count - 1);
            }
            else if (part != ".")
            {
                kept.Add(part);
            }
        }

        return (Separator == '/' ? "/" : "") + string.Join(Separator, kept);
    }

    /// <summary>What two spellings of one path have in common.</summary>
    public string Key(string full) => IgnoresCase ? full.ToLowerInvariant() : full;

    /// <summary>The last part of a path.</summary>
    public string Name(string full) => full[(full.LastIndexOf(Separator) + 1)..];
}

/// <summary>The disk went beyond what a simulated device has.</summary>
internal sealed class DiskFullException(string message) : IOException(message);

/// <summary>
/// The files of a simulated device as one session sees them. Changes stay in memory until the session's end; then they are stored together with
/// the session's results, all or nothing.
/// </summary>
internal sealed class DeviceDisk(DeviceSession device, PathStyle style, IEnumerable<(string Path, long Size)> files, Func<string, Task<byte[]?>> read)
{
    private const int MostFiles = 1000;
    private const long MostBytes = 64L * 1024 * 1024;

    private readonly SortedDictionary<string, (string Path, long Size)> _known = new(
        files.ToDictionary(f => style.Key(f.Path), f => f, StringComparer.Ordinal), StringComparer.Ordinal);

    private readonly Dictionary<string, byte[]?> _changes = new(StringComparer.Ordinal);

    /// <summary>Whose disk.</summary>
    public DeviceSession Device { get; } = device;

    /// <summary>How its paths are written.</summary>
    public PathStyle Style { get; } = style;

    /// <summary>Every file that is there, by path, with its size in bytes.</summary>
    public IEnumerable<(string Path, long Size)> Files => _known.Values;

    /// <summary>What the session changed: path and new content, or null for a file that is gone.</summary>
    public IEnumerable<(string Key, string Path, byte[]? Content)> Changes =>
        _changes.Select(change => (change.Key, _known.TryGetValue(change.Key, out var file) ? file.Path : change.Key, change.Value));

    /// <summary>The content of a file; null when its content is not known.</summary>
    public async ValueTask<byte[]?> ReadAsync(string path)
    {
        var key = Style.Key(Style.Full(path));
        if (_changes.TryGetValue(key, out var changed)) return changed;
        return _known.ContainsKey(key) ? await read(key) : null;
    }

    /// <summary>Whether there is such a file.</summary>
    public bool Has(string path) => _known.ContainsKey(Style.Key(Style.Full(path)));

    /// <summary>Writes a file, replacing what was there.</summary>
    /// <exception cref="DiskFullException">There is no room for it.</exception>
    public void Write(string path, byte[] content)
    {
        var full = Style.Full(path);
        var key = Style.Key(full);
        var before = _known.TryGetValue(key, out var known) ? known.Size : 0;
        if (_known.Values.Sum(f => f.Size) - before + content.LongLength > MostBytes || (_known.Count >= MostFiles && !_known.ContainsKey(key)))
            throw new DiskFullException($"A simulated device holds {MostFiles} files of {MostBytes} bytes in all, at most.");
        _known[key] = (full, content.LongLength);
        _changes[key] = content;
    }

    /// <summary>Removes a file; false when there is none.</summary>
    public bool Delete(string path)
    {
        var key = Style.Key(Style.Full(path));
        if (!_known.Remove(key)) return false;
        _changes[key] = null;
        return true;
    }
}

/// <summary>Keeps the disks of simulated devices.</summary>
internal sealed class DeviceDisks(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>Opens a device's disk for a session.</summary>
    public async Task<DeviceDisk> OpenAsync(DeviceSession device, string platform, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var files = await connection.QueryAsync<(string, long)>(new CommandDefinition(
            "SELECT path, size FROM defender.device_files WHERE tenant_id = @Tenant AND machine_id = @Machine", Key(device), cancellationToken: cancellationToken));
        return new DeviceDisk(device, PathStyle.Of(platform), files, key => ReadAsync(device, key, cancellationToken));
    }

    /// <summary>How a session ended that was stored before; null when none was.</summary>
    public async Task<IReadOnlyList<StepResult>?> EndedAsync(Guid commandId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var steps = await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "SELECT steps::text FROM defender.device_sessions WHERE command_id = @Id", new { Id = commandId }, cancellationToken: cancellationToken));
        return steps is null ? null : JsonSerializer.Deserialize<StepResult[]>(steps);
    }

    /// <summary>Stores what a session changed and how it ended.</summary>
    public async Task StoreAsync(DeviceDisk disk, Guid commandId, IReadOnlyList<StepResult> steps, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var isFirst = await connection.ExecuteAsync(new CommandDefinition(
            "INSERT INTO defender.device_sessions (command_id, steps) VALUES (@Id, @Steps::jsonb) ON CONFLICT DO NOTHING",
            new { Id = commandId, Steps = JsonSerializer.Serialize(steps) },
            transaction,
            cancellationToken: cancellationToken)) == 1;
        if (!isFirst) return;
        foreach (var (key, path, content) in disk.Changes)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                content is null
                    ? "DELETE FROM defender.device_files WHERE tenant_id = @Tenant AND machine_id = @Machine AND path_key = @Key"
                    : """
                    INSERT INTO defender.device_files (tenant_id, machine_id, path_key, path, size, sha1, modified_at, content)
                    VALUES (@Tenant, @Machine, @Key, @Path, @Size, @Sha1, @Now, @Content)
                    ON CONFLICT (tenant_id, machine_id, path_key) DO UPDATE SET
                        path = excluded.path, size = excluded.size, sha1 = excluded.sha1, modified_at = excluded.modified_at, content = excluded.content
                    """,
                new
                {
                    Tenant = disk.Device.TenantId,
                    Machine = disk.Device.DeviceId,
                    Key = key,
                    Path = path,
                    Size = content?.LongLength ?? 0,
                    Sha1 = content is null ? "" : Sha1(content),
                    Now = clock.GetUtcNow().UtcDateTime,
                    Content = content ?? [],
                },
                transaction,
                cancellationToken: cancellationToken));
        }

        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Takes away all files with a hash, as quarantine does; returns how many there were.</summary>
    public async Task<int> RemoveAsync(DeviceSession device, string sha1, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition(
            "DELETE FROM defender.device_files WHERE tenant_id = @Tenant AND machine_id = @Machine AND sha1 = @Sha1",
            new { Tenant = device.TenantId, Machine = device.DeviceId, Sha1 = sha1 },
            cancellationToken: cancellationToken));
    }

    /// <summary>SHA-1 of a content, lower-case hexadecimal.</summary>
    // The service names files by SHA-1; nothing is protected by it.
#pragma warning disable CA5350
    public static string Sha1(byte[] content) => Convert.ToHexStringLower(SHA1.HashData(content));
#pragma warning restore CA5350

    private static object Key(DeviceSession device) => new { Tenant = device.TenantId, Machine = device.DeviceId };

    private async Task<byte[]?> ReadAsync(DeviceSession device, string key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<byte[]?>(new CommandDefinition(
            "SELECT content FROM defender.device_files WHERE tenant_id = @Tenant AND machine_id = @Machine AND path_key = @Key",
            new { Tenant = device.TenantId, Machine = device.DeviceId, Key = key },
            cancellationToken: cancellationToken));
    }
}
