using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.External;

/// <summary>externaldata: rows out of files that the host lets the query read.</summary>
internal sealed class ExternalDataStep(
    IReadOnlyList<string> addresses,
    IReadOnlyList<LocalColumn> columns,
    IReadOnlyDictionary<string, string> properties,
    Func<Uri, CancellationToken, Task<Stream>> open,
    int maxCharacters) : ILocalStep
{
    public string Name => "externaldata";

    public bool FindsColumns => false;

    /// <summary>The host of an address, for people.</summary>
    public static string HostOf(string address) => Uri.TryCreate(WithoutKey(address), UriKind.Absolute, out var uri) ? uri.Host : address;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) => throw new InvalidOperationException("externaldata has to wait for its files.");

    public async ValueTask<LocalTable> RunAsync(LocalTable input, CancellationToken cancellationToken)
    {
        if (properties.TryGetValue("format", out var wanted) && !TextFormats.Names.Contains(wanted, StringComparer.OrdinalIgnoreCase))
            throw new HuntingException(HuntingFailure.Semantic, $"externaldata: the format '{wanted}' cannot be read; use one of {string.Join(", ", TextFormats.Names)}.");
        var rows = new List<object?[]>();
        var characters = 0;
        foreach (var address in addresses)
        {
            if (!Uri.TryCreate(WithoutKey(address), UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps)
                throw new HuntingException(HuntingFailure.Semantic, $"externaldata: '{HostOf(address)}' is not an https address.");
            await using var stream = await open(uri, cancellationToken);
            var text = await TextFormats.ReadAsync(stream, "externaldata", uri, maxCharacters - characters, maxCharacters, cancellationToken);
            characters += text.Length;
            Parse(text, FormatOf(uri), rows);
        }

        return new LocalTable(columns, rows);
    }

    // A storage key may follow the address behind a semicolon.
    private static string WithoutKey(string address) => address.Split(';')[0].Trim();

    private string FormatOf(Uri uri)
    {
        if (properties.TryGetValue("format", out var format))
            return format.ToLowerInvariant();
        return TextFormats.OfFile(uri.AbsolutePath);
    }

    private void Parse(string text, string format, List<object?[]> rows)
    {
        var skip = properties.TryGetValue("ignorefirstrecord", out var first) && first.Equals("true", StringComparison.OrdinalIgnoreCase);
        switch (format)
        {
            case "json" or "multijson" or "singlejson":
                foreach (var bag in TextFormats.Bags(text))
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
                foreach (var record in TextFormats.Records(text, format).Skip(skip ? 1 : 0))
                    rows.Add(Row(record));
                break;
            }
        }
    }

    private object?[] Row(IReadOnlyList<string> fields) =>
        [.. columns.Select((c, i) => i < fields.Count ? LocalValues.To(c.Type == KqlType.Dynamic ? LocalJson.Write(LocalJson.Parse(fields[i]) ?? JsonValue.Create(fields[i])) : fields[i], c.Type == KqlType.Dynamic ? KqlType.Dynamic : KqlType.String, c.Type) : LocalValues.To(null, KqlType.String, c.Type))];
}
