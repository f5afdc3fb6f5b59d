using System.Globalization;
using System.Runtime.InteropServices;

namespace Vedette.Foundation.Postgres;

/// <summary>The few calls of the operating system that .NET does not offer.</summary>
internal static class Posix
{
    internal const int Interrupt = 2;
    internal const int Quit = 3;
    internal const int Kill = 9;

    /// <summary>Gives a file or folder to a user and group.</summary>
    internal static void ChangeOwner(string path, Account account)
    {
        if (ChangeOwnerCore(path, account.UserId, account.GroupId) != 0)
        {
            throw new IOException($"{path} cannot be given to user {account.Name}: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    /// <summary>Owner and permission bits of a path (Linux).</summary>
    internal static (uint UserId, uint GroupId, uint Mode) Status(string path)
    {
        // struct statx has one layout on every architecture: uid at byte 20, gid at 24, mode at 28.
        var buffer = new byte[256];
        const int currentFolder = -100;
        const uint basicStatistics = 0x7ff;
        if (StatusCore(currentFolder, path, 0, basicStatistics, buffer) != 0)
        {
            throw new IOException($"{path} cannot be examined: error {Marshal.GetLastPInvokeError()}.");
        }

        return (BitConverter.ToUInt32(buffer, 20), BitConverter.ToUInt32(buffer, 24), BitConverter.ToUInt16(buffer, 28));
    }

    /// <summary>Sends a signal; false when there is no such process.</summary>
    internal static bool Signal(int processId, int signal) => SignalCore(processId, signal) == 0;

    /// <summary>Whether a user may pass through every folder above and including the given one.</summary>
    internal static bool CanEnter(string folder, Account account)
    {
        for (var at = new DirectoryInfo(Path.GetFullPath(folder)); at is not null; at = at.Parent)
        {
            var (user, group, mode) = Status(at.FullName);
            var bit = user == account.UserId ? 0x40u : group == account.GroupId ? 0x08u : 0x01u;
            if ((mode & bit) == 0) return false;
        }

        return true;
    }

    [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
    private static extern int ChangeOwnerCore([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint user, uint group);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int StatusCore(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, byte[] buffer);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int SignalCore(int processId, int signal);
}

/// <summary>A user of the operating system.</summary>
internal sealed record Account(string Name, uint UserId, uint GroupId)
{
    /// <summary>
    /// The user that the engine runs as when the server is root: the data folder's owner, or else a system user named <c>vedette</c>, or else
    /// <c>nobody</c>. Null when the server is not root.
    /// </summary>
    internal static Account? ForEngine(string dataFolder)
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess) return null;
        if (!OperatingSystem.IsLinux()) throw new PostgresStartException("PostgreSQL does not run as root: start the server as an ordinary user.");
        var known = File.ReadLines("/etc/passwd")
            .Select(line => line.Split(':'))
            .Where(fields => fields.Length >= 4)
            .Select(fields => new Account(fields[0], uint.Parse(fields[2], CultureInfo.InvariantCulture), uint.Parse(fields[3], CultureInfo.InvariantCulture)))
            .ToArray();
        var owner = Posix.Status(dataFolder).UserId;
        return (owner == 0 ? null : known.FirstOrDefault(a => a.UserId == owner))
            ?? known.FirstOrDefault(a => a.Name == "vedette" && a.UserId != 0)
            ?? known.FirstOrDefault(a => a.Name == "nobody" && a.UserId != 0)
            ?? throw new PostgresStartException(
                "PostgreSQL does not run as root, and there is no user 'vedette' or 'nobody' to run it as: add one, or start the server as an ordinary user.");
    }
}
