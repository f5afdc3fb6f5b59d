using System.IO.Compression;
using System.Text;

using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>externaldata: rows out of files that the host lets the query read.</summary>
internal sealed class ExternalDataStep(
    IReadOnlyList<string> addresses,
    IReadOnlyList<LocalColumn> columns,
    IReadOnlyDictionary<string, string> properties,
    Func<Uri, CancellationToken, Task<Stream>> open,
    int maxCharacters) : ILocalStep
{
    private static readonly string[] Formats = ["csv", "tsv", "tsve", "psv", "scsv", "sohsv", "txt", "raw", "json", "singlejson", "multijson"];

    public string Name => "externaldata";

    public bool FindsColumns => false;

    /// <summary>The host of an address, for people.</summary>
    public static string HostOf(string address) => Uri.TryCreate(WithoutKey(address), UriKind.Absolute, out var uri) ? uri.Host : address;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) => throw new InvalidOperationException("externaldata has to wait for its files.");

    public async ValueTask<LocalTable> RunAsync(LocalTable input, CancellationToken cancellationToken)
    {
        if (properties.TryGetValue("format", out var wanted) && !Formats.Contains(wanted, StringComparer.OrdinalIgnoreCase))
            throw new HuntingException(HuntingFailure.Semantic, $"externaldata: the format '{wanted}' cannot be read; use one of {string.Join(", ", Formats)}.");
        var rows = new List<object?[]>();
        var characters = 0;
        foreach (var address in addresses)
        {
            if (!Uri.TryCreate(WithoutKey(address), UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps)
                throw new HuntingException(HuntingFailure.Semantic, $"externaldata: '{HostOf(address)}' is not an https address.");
            await using var stream = await open(uri, cancellationToken);
            await using var plain = uri.AbsolutePath.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(stream, CompressionMode.Decompress) : stream;
            using var reader = new StreamReader(plain, Encoding.UTF8);
            var text = new StringBuilder();
            var buffer = new char[16384];
            int read;
            try
            {
                while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
                {
                    text.Append(buffer, 0, read);
                    if ((characters += read) > maxCharacters)
                        throw new HuntingException(HuntingFailure.ExcessiveResources, $"externaldata read more than {maxCharacters} characters.");
                }
            }
            catch (InvalidDataException error)
            {
                throw new HuntingException(HuntingFailure.Semantic, $"externaldata: the file of '{uri.Host}' is not gzip: {error.Message}", inner: error);
            }

            Parse(text.ToString(), FormatOf(uri), rows);
        }

        return new LocalTable(columns, rows);
    }

    // A storage key may follow the address behind a semicolon.
    private static string WithoutKey(string address) => address.Split(';')[0].Trim();

    private string FormatOf(Uri uri)
    {
        if (properties.TryGetValue("format", out var format))
            return format.ToLowerInvariant();
        var path = uri.AbsolutePath.ToLowerInvariant();
        path = path.EndsWith(".gz", StringComparison.Ordinal) ? path[..^3] : path;
        return Path.GetExtension(path).TrimStart('.') switch { "json" or "multijson" => "multijson", "tsv" => "tsv", "psv" => "psv", "txt" => "txt", "raw" => "raw", _ => "csv" };
    }

    private void Parse(string text, string format, List<object?[]> rows)
    {
        var skip = properties.TryGetValue("ignorefirstrecord", out var first) && first.Equals("true", StringComparison.OrdinalIgnoreCase);
        switch (format)
        {
            case "json" or "multijson" or "singlejson":
                foreach (var bag in Bags(text))
                    rows.Add([.. columns.Select(c => bag[c.Name] is { } value ? LocalValues.To(LocalJson.Write(value), KqlType.Dynamic, c.Type) : LocalValues.To(null, KqlType.String, c.Type))]);
                break;
            case "raw":
                rows.Add(Row([text]));
                break;
            case "txt":
                foreach (var line in text.Split('\n').Select(l => l.TrimEnd('\r')).Where(l => l.Length > 0).Skip(skip ? 1 : 0))
                    rows.Add(Row([line]));
                break;
            default:
            {
                var separator = format switch { "tsv" or "tsve" => '\t', "psv" => '|', "scsv" => ';', "sohsv" => '\u0001', _ => ',' };
                foreach (var record in Records(text, separator).Skip(skip ? 1 : 0))
                    rows.Add(Row(record));
                break;
            }
        }
    }

    private object?[] Row(IReadOnlyList<string> fields) =>
        [.. columns.Select((c, i) => i < fields.Count ? LocalValues.To(c.Type == KqlType.Dynamic ? LocalJson.Write(LocalJson.Parse(fields[i]) ?? JsonValue.Create(fields[i])) : fields[i], c.Type == KqlType.Dynamic ? KqlType.Dynamic : KqlType.String, c.Type) : LocalValues.To(null, KqlType.String, c.Type))];

    private static IEnumerable<JsonObject> Bags(string text)
    {
        if (LocalJson.Parse(text) is { } whole)
            return whole is JsonArray array ? array.OfType<JsonObject>() : whole is JsonObject bag ? [bag] : [];
        return text.Split('\n').Select(l => LocalJson.Parse(l.Trim())).OfType<JsonObject>();
    }

    private static IEnumerable<IReadOnlyList<string>> Records(string text, char separator)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '"' && field.Length == 0)
            {
                for (i++; i < text.Length; i++)
                {
                    if (text[i] == '"' && i + 1 < text.Length && text[i + 1] == '"')
                        i++;
                    else if (text[i] == '"')
                        break;
                    field.Append(text[i]);
                }
            }
            else if (c == separator)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else if (c == '\n')
            {
                if (fields.Count > 0 || field.Length > 0)
                {
                    fields.Add(field.ToString());
                    yield return fields.ToArray();
                }

                fields.Clear();
                field.Clear();
            }
            else if (c != '\r')
            {
                field.Append(c);
            }
        }

        if (fields.Count > 0 || field.Length > 0)
        {
            fields.Add(field.ToString());
            yield return fields;
        }
    }
}
