using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.External;

/// <summary>Reads files of the network as records, within what one query may read.</summary>
/// <param name="caller">Who is told of in messages.</param>
/// <param name="maxCharacters">Characters of all files together, unpacked; bytes for binary ones.</param>
/// <param name="engine">The engine, once the query runs: it reads binary formats.</param>
internal sealed class FileRows(string caller, int maxCharacters, Func<StepEngine?> engine)
{
    private readonly EngineFormats _binary = new(caller, engine);
    private long _read;

    /// <summary>The formats.</summary>
    public static IReadOnlyList<string> Formats { get; } = [.. TextFormats.Names, .. EngineFormats.Names];

    /// <summary>The format to read a file in: the one that is given, or what its name tells.</summary>
    /// <exception cref="HuntingException">There is no such format.</exception>
    public static string FormatOf(string caller, string? given, Uri uri)
    {
        if (given is null)
            return TextFormats.OfFile(uri.AbsolutePath);
        var format = given.ToLowerInvariant();
        return Formats.Contains(format)
            ? format
            : throw new HuntingException(HuntingFailure.Semantic, $"{caller}: the format '{given}' cannot be read; use one of {string.Join(", ", Formats)}.");
    }

    /// <summary>Reads a file.</summary>
    /// <param name="stream">The file as it is transferred.</param>
    /// <param name="uri">Its address: a name that ends in .gz is unpacked.</param>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="skip">Whether its first record is left out.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="HuntingException">It is too large, or not of that format.</exception>
    public async Task<IEnumerable<FileRecord>> ReadAsync(Stream stream, Uri uri, string format, bool skip, CancellationToken cancellationToken)
    {
        var address = uri.GetLeftPart(UriPartial.Path);
        if (EngineFormats.Knows(format))
        {
            var rows = await _binary.ReadAsync(await BytesAsync(stream, uri, cancellationToken), format, uri.Host, Count, cancellationToken);
            return rows.Select((row, i) => new FileRecord(null, row, address, i + 1));
        }

        var text = await TextFormats.ReadAsync(stream, caller, uri, (int)(maxCharacters - _read), maxCharacters, cancellationToken);
        _read += text.Length;
        return Records(text, format).Skip(skip && format is not ("raw" or "json" or "singlejson" or "multijson") ? 1 : 0)
            .Select((r, i) => new FileRecord(r.Fields, r.Json, address, i + 1));
    }

    /// <summary>The columns of a binary file.</summary>
    public async Task<IReadOnlyList<FileColumn>> DescribeAsync(Stream stream, Uri uri, string format, CancellationToken cancellationToken) =>
        await _binary.DescribeAsync(await BytesAsync(stream, uri, cancellationToken), format, uri.Host, cancellationToken);

    private void Count(int characters)
    {
        _read += characters;
        if (_read > maxCharacters)
            throw new HuntingException(HuntingFailure.ExcessiveResources, $"{caller} read more than {maxCharacters} characters.");
    }

    private async Task<byte[]> BytesAsync(Stream stream, Uri uri, CancellationToken cancellationToken)
    {
        await using var plain = uri.AbsolutePath.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(stream, CompressionMode.Decompress) : stream;
        using var bytes = new MemoryStream();
        var buffer = new byte[65536];
        try
        {
            int read;
            while ((read = await plain.ReadAsync(buffer, cancellationToken)) > 0)
            {
                Count(read);
                bytes.Write(buffer, 0, read);
            }
        }
        catch (InvalidDataException error)
        {
            throw new HuntingException(HuntingFailure.Semantic, $"{caller}: the file of '{uri.Host}' is not gzip: {error.Message}", inner: error);
        }

        return bytes.ToArray();
    }

    private static IEnumerable<(IReadOnlyList<string>? Fields, IReadOnlyDictionary<string, string>? Json)> Records(string text, string format) => format switch
    {
        "json" or "multijson" or "singlejson" => TextFormats.Bags(text).Select(bag => ((IReadOnlyList<string>?)null, Named(bag))),
        "raw" => [([text], null)],
        "txt" => text.Split('\n').Select(l => l.TrimEnd('\r')).Where(l => l.Length > 0).Select(l => ((IReadOnlyList<string>?)[l], (IReadOnlyDictionary<string, string>?)null)),
        _ => TextFormats.Records(text, format).Select(r => ((IReadOnlyList<string>?)r, (IReadOnlyDictionary<string, string>?)null)),
    };

    private static IReadOnlyDictionary<string, string>? Named(JsonObject bag) => bag.ToDictionary(p => p.Key, p => p.Value is null ? "" : LocalJson.Write(p.Value), StringComparer.Ordinal);
}
