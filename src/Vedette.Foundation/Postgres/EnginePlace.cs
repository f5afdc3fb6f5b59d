using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Vedette.Foundation.Postgres;

/// <summary>
/// Where an embedded engine's program, cluster and socket lie, given what the user it runs as can reach. As root the engine runs as somebody
/// else; when that user cannot pass through the folders above (as in <c>/root</c>), program and cluster go below
/// <see cref="PostgresOptions.SharedFolder"/>.
/// </summary>
internal sealed class EnginePlace
{
    private const int LongestSocketPath = 107;
    private const string SocketFile = ".s.PGSQL.5432";
    private readonly string _dataFolder;

    private EnginePlace(string dataFolder, string engine, string home, Account? account)
    {
        _dataFolder = dataFolder;
        Engine = engine;
        Home = home;
        Account = account;
        ClusterName = "vedette-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Cluster)))[..24];
        SocketFolder = Cluster;
    }

    /// <summary>The user to run as; null means the server's own.</summary>
    internal Account? Account { get; }

    /// <summary>Folder with the engine's <c>bin</c>.</summary>
    internal string Engine { get; }

    /// <summary>Folder that holds the cluster's folder.</summary>
    internal string Home { get; }

    /// <summary>The cluster's folder.</summary>
    internal string Cluster => Path.Combine(Home, "postgres");

    /// <summary>A mark in the command line of each of the cluster's processes, by which they can be told.</summary>
    internal string ClusterName { get; }

    /// <summary>Folder of the Unix socket.</summary>
    internal string SocketFolder { get; private set; }

    /// <summary>The owner-only file with the superuser's password.</summary>
    internal string PasswordFile => Path.Combine(_dataFolder, "postgres.password");

    private string SocketNote => Path.Combine(_dataFolder, "postgres.socket");

    internal static EnginePlace Choose(PostgresOptions options)
    {
        var data = Path.GetFullPath(options.DataFolder);
        Files.CreateFolder(data);
        var engine = options.EngineFolder ?? EngineFiles.PostgresFolder;
        var account = Account.ForEngine(data);
        if (account is null) return new EnginePlace(data, engine, data, null);

        if (!Posix.CanEnter(engine, account)) engine = CopyEngine(options.SharedFolder, engine, account);
        return new EnginePlace(data, engine, HomeFor(options.SharedFolder, data, account), account);
    }

    /// <summary>Makes the socket's folder: the cluster's own, or a short one when that path is too long for a socket.</summary>
    internal void PrepareSocketFolder()
    {
        if (File.Exists(SocketNote))
        {
            var old = File.ReadAllText(SocketNote).Trim();
            if (Path.GetFileName(old).StartsWith("vedette-", StringComparison.Ordinal) && Directory.Exists(old)) Directory.Delete(old, recursive: true);
            File.Delete(SocketNote);
        }

        if (Encoding.UTF8.GetByteCount(Path.Combine(Cluster, SocketFile)) < LongestSocketPath) return;
        SocketFolder = Path.Combine("/tmp", "vedette-" + RandomNumberGenerator.GetHexString(16, lowercase: true));
        Files.Write(SocketNote, SocketFolder);
        Files.CreateFolder(SocketFolder);
        Own(SocketFolder);
    }

    /// <summary>Removes a socket folder that is not the cluster's own.</summary>
    internal void RemoveSocketFolder()
    {
        if (SocketFolder == Cluster) return;
        if (Directory.Exists(SocketFolder)) Directory.Delete(SocketFolder, recursive: true);
        File.Delete(SocketNote);
    }

    /// <summary>Gives a path to the engine's user.</summary>
    internal void Own(string path)
    {
        if (Account is not null) Posix.ChangeOwner(path, Account);
    }

    private static string HomeFor(string shared, string data, Account account)
    {
        var above = Path.GetDirectoryName(data);
        if (OperatingSystem.IsWindows()) return data;
        if (above is null || Posix.CanEnter(above, account))
        {
            // Only the engine's group may pass through, and only through: names in the folder stay unreadable.
            if (!Posix.CanEnter(data, account))
            {
                var mode = File.GetUnixFileMode(data);
                Posix.ChangeOwner(data, account with { UserId = Posix.Status(data).UserId });
                File.SetUnixFileMode(data, mode | UnixFileMode.GroupExecute);
            }

            return data;
        }

        return SharedHome(shared, data);
    }

    private static string SharedHome(string shared, string data)
    {
        var pointer = Path.Combine(data, "postgres.location");
        var folder = Path.Combine(shared, "state");
        Reach(shared);
        Reach(folder);
        Prune(folder);
        if (File.Exists(pointer) && File.ReadAllText(pointer).Trim() is var known && Directory.Exists(known)) return known;

        var home = Path.Combine(folder, RandomNumberGenerator.GetHexString(16, lowercase: true));
        Reach(home);
        Files.Write(Path.Combine(home, "home"), data);
        Files.Write(pointer, home);
        return home;
    }

    /// <summary>Removes clusters whose data folder was emptied since. A data folder that is away altogether may come back, and keeps its cluster.</summary>
    private static void Prune(string folder)
    {
        foreach (var home in Directory.EnumerateDirectories(folder))
        {
            var note = Path.Combine(home, "home");
            if (!File.Exists(note)) continue;
            var data = File.ReadAllText(note).Trim();
            var pointer = Path.Combine(data, "postgres.location");
            if (!Directory.Exists(data) || (File.Exists(pointer) && File.ReadAllText(pointer).Trim() == home)) continue;
            Directory.Delete(home, recursive: true);
        }
    }

    private static string CopyEngine(string shared, string engine, Account account)
    {
        var stamp = Path.Combine(engine, "bin", "postgres");
        var key = $"{engine}|{new FileInfo(stamp).Length}|{File.GetLastWriteTimeUtc(stamp).Ticks.ToString(CultureInfo.InvariantCulture)}";
        var engines = Path.Combine(shared, "engines");
        var target = Path.Combine(engines, "postgres-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..16]);
        if (Directory.Exists(target)) return target;

        Reach(shared);
        Reach(engines);
        var next = target + "." + Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Copy(new DirectoryInfo(engine), next);
        try
        {
            Directory.Move(next, target);
        }
        catch (IOException) when (Directory.Exists(target))
        {
            Directory.Delete(next, recursive: true);
        }

        if (!Posix.CanEnter(target, account)) throw new PostgresStartException($"User {account.Name} cannot enter {target}, where the engine was copied.");
        return target;
    }

    private static void Copy(DirectoryInfo from, string to)
    {
        Reach(to);
        foreach (var entry in from.EnumerateFileSystemInfos())
        {
            var path = Path.Combine(to, entry.Name);
            if (entry.LinkTarget is { } link) File.CreateSymbolicLink(path, link);
            else if (entry is DirectoryInfo folder) Copy(folder, path);
            else ((FileInfo)entry).CopyTo(path);
        }
    }

    private static void Reach(string folder)
    {
        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
    }
}
