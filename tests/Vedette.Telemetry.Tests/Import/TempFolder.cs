using System.IO.Compression;
using System.Text;

namespace Vedette.Telemetry.Tests.Import;

/// <summary>A folder for a test's own files, removed afterwards.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vedette-import-");

    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public string Text(string name, params IEnumerable<string> lines) => Bytes(name, Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));

    public string Bytes(string name, byte[] content)
    {
        File.WriteAllBytes(Path(name), content);
        return Path(name);
    }

    public string Gzip(string name, params IEnumerable<string> lines)
    {
        using var file = new GZipStream(File.Create(Path(name)), CompressionLevel.Fastest);
        file.Write(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
        return Path(name);
    }

    public string Zip(string name, params IEnumerable<(string Member, string Text)> members)
    {
        using var archive = new ZipArchive(File.Create(Path(name)), ZipArchiveMode.Create);
        foreach (var (member, text) in members)
        {
            using var stream = archive.CreateEntry(member).Open();
            stream.Write(Encoding.UTF8.GetBytes(text));
        }

        return Path(name);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
