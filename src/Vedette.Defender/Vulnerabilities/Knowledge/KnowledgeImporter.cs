using System.Globalization;
using System.IO.Compression;
using Vedette.Defender.Vulnerabilities.Knowledge.Formats;

namespace Vedette.Defender.Vulnerabilities.Knowledge;

/// <summary>Something of a feed that was not understood.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Count">How often.</param>
/// <param name="Examples">A few places.</param>
public sealed record ImportNote(string Reason, long Count, IReadOnlyList<string> Examples);

/// <summary>What an import did.</summary>
/// <param name="Source">The feed that the file turned out to be.</param>
/// <param name="Released">The feed's own date or version; null when it has none.</param>
/// <param name="Records">Records read.</param>
/// <param name="Understood">Entries taken over.</param>
/// <param name="Ranges">Affected ranges taken over.</param>
/// <param name="Notes">What was not understood.</param>
public sealed record KnowledgeReport(KnowledgeSource Source, string? Released, long Records, long Understood, long Ranges, IReadOnlyList<ImportNote> Notes);

/// <summary>How far an import is.</summary>
/// <param name="BytesRead">Bytes of the file that were read.</param>
/// <param name="BytesTotal">Its size.</param>
/// <param name="Records">Records so far.</param>
public sealed record KnowledgeProgress(long BytesRead, long BytesTotal, long Records);

/// <summary>
/// Reads feeds of vulnerabilities: OSV, Debian's security tracker, NVD CVE JSON 2.0, CISA's known exploited vulnerabilities, EPSS. Which one a
/// file is, its content tells; gz and zip are opened. Files are read as a stream, so their size does not matter.
/// </summary>
public sealed class KnowledgeImporter(KnowledgeStore store, TimeProvider clock)
{
    private const int BatchEntries = 4000;
    private const int SniffItems = 16;

    private static readonly FeedFormat[] Formats = [new NvdFormat(), new KevFormat(), new OsvFormat(), new DebianFormat()];

    /// <summary>Imports a file. Repeating it gives the same knowledge.</summary>
    /// <exception cref="InvalidDataException">The file is none of the feeds, or is broken; the text says where.</exception>
    public async Task<KnowledgeReport> ImportAsync(string file, IProgress<KnowledgeProgress>? progress, CancellationToken cancellationToken)
    {
        var notes = new ImportNotes();
        var tally = new Tally();
        await using var raw = new CountingStream(File.OpenRead(file));
        void Report() => progress?.Report(new KnowledgeProgress(raw.BytesRead, raw.Length, tally.Records));
        if (IsZip(file))
        {
            using var archive = new ZipArchive(raw, ZipArchiveMode.Read, leaveOpen: true);
            foreach (var entry in archive.Entries.Where(e => e.Length > 0))
            {
                await using var content = await entry.OpenAsync(cancellationToken);
                await ReadAsync(content, entry.FullName, tally, notes, Report, cancellationToken);
            }
        }
        else
        {
            await using var content = IsGzip(file) ? new GZipStream(raw, CompressionMode.Decompress) : (Stream)raw;
            await ReadAsync(content, Path.GetFileName(file), tally, notes, Report, cancellationToken);
        }

        if (tally.Source is not { } source) throw new InvalidDataException($"{Path.GetFileName(file)} holds none of the feeds that are understood: OSV, Debian security tracker, NVD CVE 2.0, CISA KEV, EPSS.");
        await FlushAsync(source, tally, cancellationToken);
        await store.FinishAsync(
            new ImportedFeed(source.ToString(), Path.GetFileName(file), tally.Released, clock.GetUtcNow().UtcDateTime, tally.Records, tally.Understood), cancellationToken);
        Report();
        return new KnowledgeReport(source, tally.Released, tally.Records, tally.Understood, tally.Ranges, notes.ToList());
    }

    private static bool IsZip(string file) => Starts(file, [0x50, 0x4B, 0x03, 0x04]);

    private static bool IsGzip(string file) => Starts(file, [0x1F, 0x8B]);

    private static bool Starts(string file, ReadOnlySpan<byte> mark)
    {
        using var stream = File.OpenRead(file);
        Span<byte> head = stackalloc byte[4];
        var read = stream.ReadAtLeast(head, mark.Length, throwOnEndOfStream: false);
        return read >= mark.Length && head[..mark.Length].SequenceEqual(mark);
    }

    private async Task ReadAsync(Stream content, string name, Tally tally, ImportNotes notes, Action report, CancellationToken cancellationToken)
    {
        var begin = new byte[64 * 1024];
        var read = await content.ReadAtLeastAsync(begin, begin.Length, throwOnEndOfStream: false, cancellationToken);
        var head = System.Text.Encoding.UTF8.GetString(begin, 0, read).TrimStart('\uFEFF', ' ', '\r', '\n', '\t');
        await using var whole = new PrependedStream(begin.AsMemory(0, read), content);
        if (head.StartsWith("#model_version", StringComparison.Ordinal) || head.StartsWith("cve,epss", StringComparison.Ordinal))
        {
            await ReadEpssAsync(whole, tally, notes, report, cancellationToken);
            return;
        }

        var format = await SniffAsync(begin.AsMemory(0, read), cancellationToken);
        if (format is null)
        {
            notes.Add("file that is none of the feeds", name);
            return;
        }

        if (tally.Source is { } earlier && earlier != format.Source) throw new InvalidDataException($"The archive mixes feeds: {name} is {format.Source}, others are {earlier}.");
        tally.Source = format.Source;
        await foreach (var item in JsonItems.ReadAsync(whole, format.Enter, format.IsWhole, cancellationToken))
        {
            if (item.Name is "timestamp" or "dateReleased" && item.Value.ValueKind == System.Text.Json.JsonValueKind.String) tally.Released = item.Value.GetString();
            if (item.Value.ValueKind is not System.Text.Json.JsonValueKind.Object) continue;
            tally.Records++;
            foreach (var entry in format.Read(item, notes)) tally.Add(entry);
            if (tally.Batch.Count < BatchEntries) continue;
            await FlushAsync(format.Source, tally, cancellationToken);
            report();
        }
    }

    // The first items tell the feed. The beginning of a file may end in the middle of an item; what came before it is enough.
    private static async Task<FeedFormat?> SniffAsync(ReadOnlyMemory<byte> begin, CancellationToken cancellationToken)
    {
        foreach (var format in Formats)
        {
            try
            {
                var items = 0;
                await foreach (var item in JsonItems.ReadAsync(new MemoryStream(begin.ToArray()), format.Enter, format.IsWhole, cancellationToken))
                {
                    if (format.Recognises(item)) return format;
                    if (++items >= SniffItems) break;
                }
            }
            catch (InvalidDataException) when (begin.Length == 64 * 1024)
            {
                // The first item is larger than the beginning: only Debian's packages and OSV's records get that large.
                var text = System.Text.Encoding.UTF8.GetString(begin.Span);
                if (format is DebianFormat && text.Contains("\"releases\"", StringComparison.Ordinal)) return format;
                if (format is OsvFormat && text.Contains("\"modified\"", StringComparison.Ordinal) && text.Contains("\"affected\"", StringComparison.Ordinal)) return format;
            }
            catch (InvalidDataException)
            {
                // Not this one, or no JSON at all.
            }
        }

        return null;
    }

    private async Task ReadEpssAsync(Stream content, Tally tally, ImportNotes notes, Action report, CancellationToken cancellationToken)
    {
        tally.Source = KnowledgeSource.Epss;
        using var reader = new StreamReader(content, leaveOpen: true);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith('#'))
            {
                var date = line.IndexOf("score_date:", StringComparison.Ordinal);
                if (date >= 0) tally.Released = line[(date + "score_date:".Length)..].Split(',')[0];
                continue;
            }

            if (line.Length == 0 || line.StartsWith("cve,", StringComparison.OrdinalIgnoreCase)) continue;
            tally.Records++;
            var cells = line.Split(',');
            if (cells.Length < 2 || !cells[0].StartsWith("CVE-", StringComparison.Ordinal)
                || !double.TryParse(cells[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var epss) || epss is < 0 or > 1)
            {
                notes.Add("line that is no score", line.Length > 60 ? line[..60] : line);
                continue;
            }

            tally.Add(new KnowledgeEntry(cells[0]) { Epss = epss });
            if (tally.Batch.Count < BatchEntries) continue;
            await FlushAsync(KnowledgeSource.Epss, tally, cancellationToken);
            report();
        }
    }

    private async Task FlushAsync(KnowledgeSource source, Tally tally, CancellationToken cancellationToken)
    {
        await store.AddAsync(source, tally.Batch, cancellationToken);
        tally.Batch.Clear();
    }

    private sealed class Tally
    {
        public KnowledgeSource? Source { get; set; }

        public string? Released { get; set; }

        public long Records { get; set; }

        public long Understood { get; private set; }

        public long Ranges { get; private set; }

        public List<KnowledgeEntry> Batch { get; } = new(BatchEntries);

        public void Add(KnowledgeEntry entry)
        {
            Batch.Add(entry);
            Understood++;
            Ranges += entry.Affected?.Count ?? 0;
        }
    }
}
