using System.Globalization;

namespace Vedette.Foundation;

/// <summary>
/// Holds a data folder for one server: two servers on one folder would destroy each other's state. The lock ends with the process, however
/// that ends.
/// </summary>
public sealed class DataFolderLock : IDisposable
{
    private const string LockName = "server.lock";
    private const string HolderName = "server.pid";
    private readonly FileStream _file;
    private readonly string _holder;

    private DataFolderLock(FileStream file, string holder)
    {
        _file = file;
        _holder = holder;
    }

    /// <summary>Takes the folder, creating it (owner only) when it is missing.</summary>
    /// <exception cref="DataFolderInUseException">Another live process holds it.</exception>
    public static DataFolderLock Acquire(string folder)
    {
        Files.CreateFolder(folder);
        var holder = Path.Combine(folder, HolderName);
        FileStream file;
        try
        {
            file = new FileStream(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (exception is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            throw new DataFolderInUseException(folder, ReadHolder(holder), exception);
        }

        Files.Write(holder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        return new DataFolderLock(file, holder);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The holder's note goes first: once the lock is free, the note may already be the next holder's.
        File.Delete(_holder);
        _file.Dispose();
    }

    private static int? ReadHolder(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out var id) ? id : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}

/// <summary>The data folder belongs to another running server.</summary>
public sealed class DataFolderInUseException(string folder, int? processId, Exception inner)
    : IOException($"The data folder {folder} is in use by another server{(processId is { } id ? $" (process {id})" : "")}. Stop it, or choose another folder.", inner);
