using Npgsql;
using Vedette.Defender;
using Vedette.Foundation.Snapshots;
using Vedette.Server.Hosting;
using Vedette.Telemetry;
using Vedette.Telemetry.Schema;

namespace Vedette.Server.Control.Scripting;

/// <summary>
/// Copies of all data of all tenants: devices, alerts, actions and all other state, telemetry, and the files that actions produced. The
/// directory (tenants, applications, users, keys) is not part of them, so that credentials stay good whatever is restored.
/// </summary>
internal sealed class ServerSnapshots(
    NpgsqlDataSource database, TelemetryEngine engine, TelemetryOptions telemetry, DataFolder folder, DefenderOptions defender, IEnumerable<IStateCache> caches,
    TimeProvider clock)
{
    private readonly SchemaSnapshots _state = new(database, "defender");
    private readonly HuntingSnapshots _hunting = new(engine, telemetry.Database);
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>The copies, oldest first.</summary>
    public Task<IReadOnlyList<(string Name, DateTime TakenAt)>> ListAsync(CancellationToken cancellationToken) => _state.ListAsync(cancellationToken);

    /// <summary>Takes a copy, in place of one of the same name.</summary>
    public Task TakeAsync(string name, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            await _hunting.TakeAsync(name, cancellationToken);
            CopyFiles(defender.FilesFolder, FilesOf(name));
            await _state.TakeAsync(name, clock.GetUtcNow().UtcDateTime, cancellationToken);
        },
        cancellationToken);

    /// <summary>Puts everything back as it was.</summary>
    /// <exception cref="KeyNotFoundException">There is no copy of that name.</exception>
    public Task RestoreAsync(string name, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            await _state.RestoreAsync(name, cancellationToken);
            await _hunting.RestoreAsync(name, cancellationToken);
            CopyFiles(FilesOf(name), defender.FilesFolder);
            Forget();
        },
        cancellationToken);

    /// <summary>Deletes all data.</summary>
    public Task EmptyAsync(CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            await _state.EmptyAsync(cancellationToken);
            await _hunting.EmptyAsync(cancellationToken);
            Empty(defender.FilesFolder);
            Forget();
        },
        cancellationToken);

    /// <summary>Deletes a copy; false when there is none of that name.</summary>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var known = await _state.DeleteAsync(name, cancellationToken);
            await _hunting.DeleteAsync(name, cancellationToken);
            if (Directory.Exists(FilesOf(name))) Directory.Delete(FilesOf(name), recursive: true);
            return known;
        }
        finally
        {
            _one.Release();
        }
    }

    private string FilesOf(string name) => Path.Combine(folder.Root, "snapshots", name);

    private void Forget()
    {
        foreach (var cache in caches) cache.Forget();
    }

    private async Task AloneAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            await work();
        }
        finally
        {
            _one.Release();
        }
    }

    private static void CopyFiles(string from, string to)
    {
        Directory.CreateDirectory(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Empty(to);
        if (!Directory.Exists(from)) return;
        foreach (var subfolder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, subfolder)));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    private static void Empty(string directory)
    {
        if (!Directory.Exists(directory)) return;
        foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo inner) inner.Delete(recursive: true);
            else entry.Delete();
        }
    }
}
