using System.Security.Cryptography;

namespace Vedette.Defender.Actions;

/// <summary>A stored file.</summary>
/// <param name="Name">Name in the store.</param>
/// <param name="Size">Bytes.</param>
public sealed record StoredFile(string Name, long Size);

/// <summary>The files that actions produce, on disk: written aside and then renamed, so that a crash leaves a file whole or not at all.</summary>
public sealed class FileStore
{
    private readonly string _folder;
    private readonly long _maxBytes;

    /// <summary>A store in a folder, which is made when needed.</summary>
    public FileStore(DefenderOptions options)
    {
        _folder = Path.GetFullPath(options.FilesFolder);
        _maxBytes = options.MaxUploadBytes;
    }

    /// <summary>Stores a file for a command; the same command and name replace the earlier file.</summary>
    /// <exception cref="InvalidDataException">The content is larger than allowed.</exception>
    public async Task<StoredFile> SaveAsync(Guid tenantId, Guid commandId, string fileName, Stream content, CancellationToken cancellationToken)
    {
        // The name in the store has nothing of the caller's text but its ending, so no path can be smuggled in.
        var ending = Path.GetExtension(fileName);
        if (ending.Length > 10 || !ending.All(c => c == '.' || char.IsAsciiLetterOrDigit(c))) ending = "";
        var hash = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(fileName)))[..12];
        var name = $"{tenantId:N}/{commandId:N}-{hash}{ending}";
        var path = PathOf(name);
        Vedette.Foundation.Files.CreateFolder(Path.GetDirectoryName(path)!);
        var next = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            long size = 0;
            await using (var file = new FileStream(next, FileMode.CreateNew, FileAccess.Write))
            {
                var buffer = new byte[81920];
                int read;
                while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
                {
                    size += read;
                    if (size > _maxBytes) throw new InvalidDataException($"The file is larger than {_maxBytes} bytes.");
                    await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                }
            }

            File.Move(next, path, overwrite: true);
            return new StoredFile(name, size);
        }
        finally
        {
            File.Delete(next);
        }
    }

    /// <summary>Opens a stored file for reading.</summary>
    /// <exception cref="FileNotFoundException">There is none of that name.</exception>
    public Stream OpenRead(string name) => new FileStream(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);

    /// <summary>Name and size of a command's file; null when there is none.</summary>
    public StoredFile? Find(Guid tenantId, Guid commandId, string fileName)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(fileName)))[..12];
        var name = $"{tenantId:N}/{commandId:N}-{hash}{Path.GetExtension(fileName)}";
        var file = new FileInfo(PathOf(name));
        return file.Exists ? new StoredFile(name, file.Length) : null;
    }

    private string PathOf(string name)
    {
        var path = Path.GetFullPath(Path.Combine(_folder, name));
        return path.StartsWith(_folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new FileNotFoundException("The name leads out of the store.", name);
    }
}
