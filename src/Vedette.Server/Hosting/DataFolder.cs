using System.Security.Cryptography;
using System.Text;

namespace Vedette.Server.Hosting;

/// <summary>
/// The folder that holds everything a server keeps: both engines' data, keys, certificates and the demo credentials. Only its owner can
/// enter the private parts.
/// </summary>
internal sealed class DataFolder
{
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // sun_path holds 108 bytes, the last of which is zero.
    private const int LongestSocketPath = 107;

    private DataFolder(string root) => Root = root;

    /// <summary>Absolute path of the folder.</summary>
    public string Root { get; }

    /// <summary>PostgreSQL's part.</summary>
    public string Postgres => Path.Combine(Root, "postgres");

    /// <summary>ClickHouse's part.</summary>
    public string Telemetry => Path.Combine(Root, "telemetry");

    /// <summary>Signing keys, certificates and other secrets, for the owner's eyes only.</summary>
    public string Keys => Path.Combine(Root, "keys");

    /// <summary>Files that actions produce: investigation packages, collected files.</summary>
    public string Files => Path.Combine(Root, "files");

    /// <summary>Settings beyond the command line; need not exist.</summary>
    public string Settings => Path.Combine(Root, "settings.json");

    /// <summary>Detection rules of the user's own; need not exist.</summary>
    public string Rules => Path.Combine(Root, "rules");

    /// <summary>The demo application's credentials.</summary>
    public string DemoCredentials => Path.Combine(Keys, "demo-application.json");

    /// <summary>The key of the control API; made when it is first switched on.</summary>
    public string ControlKey => Path.Combine(Keys, "control.key");

    /// <summary>Where commands reach a running server.</summary>
    public string ControlSocket
    {
        get
        {
            var inside = Path.Combine(Root, "control.sock");
            if (Encoding.UTF8.GetByteCount(inside) <= LongestSocketPath) return inside;
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Root)))[..16];
            return Path.Combine(Path.GetTempPath(), $"vedette-{Environment.UserName}-{hash}", "control.sock");
        }
    }

    /// <summary>Names the folder without touching it.</summary>
    public static DataFolder At(string path) => new(Path.GetFullPath(path));

    /// <summary>Creates the folder and its parts where they are missing.</summary>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public DataFolder Create()
    {
        Directory.CreateDirectory(Root);
        foreach (var folder in new[] { Keys, Files, Telemetry, Path.GetDirectoryName(ControlSocket)! })
        {
            if (Directory.Exists(folder)) continue;
            Directory.CreateDirectory(folder, OwnerOnlyFolder);
        }

        return this;
    }

    /// <summary>Writes a file that only the owner can read, whole or not at all.</summary>
    public static void WriteSecret(string path, string content)
    {
        var temporary = path + ".new";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.None,
            UnixCreateMode = OwnerOnlyFile,
        };
        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(Encoding.UTF8.GetBytes(content));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
