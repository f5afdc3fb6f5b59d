using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.External;

/// <summary>A Delta Lake table as its log tells: its columns, and the files that hold its rows at the last version.</summary>
/// <param name="Columns">Names of its columns.</param>
/// <param name="Files">Paths of its files below its root, with the values of the columns by which it is parted.</param>
internal sealed record DeltaTable(IReadOnlySet<string> Columns, IReadOnlyList<(string Path, IReadOnlyDictionary<string, string> Values)> Files)
{
    private const int MaxVersions = 1000;

    /// <summary>Reads the log: from the last checkpoint, version by version.</summary>
    /// <exception cref="HuntingException">There is no such table, or it is of a kind that cannot be read.</exception>
    public static async Task<DeltaTable> ReadAsync(string caller, BlobContainer root, FileRows reader, CancellationToken cancellationToken)
    {
        var log = new Log(caller);
        var version = 0L;
        if (await root.At("_delta_log/_last_checkpoint").TryOpenAsync(cancellationToken) is { } pointer)
        {
            await using (pointer)
            {
                var last = LocalJson.Parse(await TextAsync(reader, pointer, cancellationToken));
                version = last?["version"]?.GetValue<long>() ?? throw ExternalConnector.Refused(caller, "the table's last checkpoint cannot be read.");
                var parts = last["parts"]?.GetValue<int>() ?? 1;
                for (var part = 1; part <= Math.Min(parts, MaxVersions); part++)
                {
                    var of = parts == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $".{part:D10}.{parts:D10}");
                    var file = root.At(string.Create(CultureInfo.InvariantCulture, $"_delta_log/{version:D20}.checkpoint{of}.parquet"));
                    await using var stream = await file.OpenAsync(cancellationToken);
                    foreach (var record in await reader.ReadAsync(stream, file.Address, "parquet", skip: false, cancellationToken))
                    {
                        foreach (var (name, json) in record.Json!)
                            log.Take(name, LocalJson.Parse(json));
                    }
                }
            }

            version++;
        }

        for (var count = 0; ; count++, version++)
        {
            if (count == MaxVersions)
                throw new HuntingException(HuntingFailure.ExcessiveResources, $"{caller}: the table has more than {MaxVersions} versions behind its last checkpoint.");
            if (await root.At(string.Create(CultureInfo.InvariantCulture, $"_delta_log/{version:D20}.json")).TryOpenAsync(cancellationToken) is not { } entry)
                break;
            await using (entry)
            {
                foreach (var action in TextFormats.Bags(await TextAsync(reader, entry, cancellationToken)))
                {
                    foreach (var (name, value) in action)
                        log.Take(name, value);
                }
            }
        }

        return log.Table();
    }

    private static async Task<string> TextAsync(FileRows reader, Stream stream, CancellationToken cancellationToken) =>
        (await reader.ReadAsync(stream, new Uri("https://log/x.raw"), "raw", skip: false, cancellationToken)).FirstOrDefault()?.Fields![0] ?? "";

    /// <summary>What the actions of a log come to.</summary>
    private sealed class Log(string caller)
    {
        private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _files = new(StringComparer.Ordinal);
        private HashSet<string>? _columns;

        public void Take(string action, JsonNode? value)
        {
            if (value is not JsonObject bag)
                return;
            switch (action)
            {
                case "protocol" when bag["minReaderVersion"] is JsonValue least && LocalJson.Real(least) > 1:
                    throw ExternalConnector.Refused(caller, "the table needs a reader of a later version: tables with deletion vectors, or whose columns are mapped, are not read.");
                case "metaData" when bag["schemaString"] is { } schema:
                    _columns = LocalJson.Parse(LocalJson.Text(schema))?["fields"] is JsonArray fields ? [.. fields.Select(f => LocalJson.Text(f?["name"]))] : [];
                    break;
                case "add" when LocalJson.Text(bag["path"]) is { Length: > 0 } path:
                    _files[path] = bag["partitionValues"] is JsonObject values ? values.ToDictionary(v => v.Key, v => LocalJson.Text(v.Value), StringComparer.Ordinal) : new Dictionary<string, string>();
                    break;
                case "remove":
                    _files.Remove(LocalJson.Text(bag["path"]));
                    break;
            }
        }

        public DeltaTable Table() => new(
            _columns ?? throw ExternalConnector.Refused(caller, "there is no Delta Lake table at this address."),
            [.. _files.Select(f => (Uri.UnescapeDataString(f.Key), f.Value))]);
    }
}
