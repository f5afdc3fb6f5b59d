using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.External;

/// <summary>externaldata: rows out of files that the host lets the query read.</summary>
/// <param name="addresses">The files.</param>
/// <param name="columns">The columns of the rows.</param>
/// <param name="properties">What the query says about the files, by name in small letters.</param>
/// <param name="open">Opens a file.</param>
/// <param name="maxCharacters">Characters of all files together.</param>
/// <param name="engine">The engine, once the query runs: it reads binary formats.</param>
internal sealed class ExternalDataStep(
    IReadOnlyList<string> addresses,
    IReadOnlyList<LocalColumn> columns,
    IReadOnlyDictionary<string, string> properties,
    Func<Uri, CancellationToken, Task<Stream>> open,
    int maxCharacters,
    Func<StepEngine?> engine) : ILocalStep
{
    public string Name => "externaldata";

    public bool FindsColumns => false;

    /// <summary>The host of an address, for people.</summary>
    public static string HostOf(string address) => Uri.TryCreate(WithoutKey(address), UriKind.Absolute, out var uri) ? uri.Host : address;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) => throw new InvalidOperationException("externaldata has to wait for its files.");

    public async ValueTask<LocalTable> RunAsync(LocalTable input, CancellationToken cancellationToken)
    {
        var given = properties.GetValueOrDefault("format");
        var skip = properties.TryGetValue("ignorefirstrecord", out var first) && first.Equals("true", StringComparison.OrdinalIgnoreCase);
        var mapping = new ColumnMapping(Name, columns, properties.GetValueOrDefault("ingestionmapping") ?? "");
        var reader = new FileRows(Name, maxCharacters, engine);
        var budget = new RowBudget(Name);
        var rows = new List<object?[]>();
        foreach (var address in addresses)
        {
            if (!Uri.TryCreate(WithoutKey(address), UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps)
                throw new HuntingException(HuntingFailure.Semantic, $"externaldata: '{HostOf(address)}' is not an https address.");
            var format = FileRows.FormatOf(Name, given, uri);
            await using var stream = await open(uri, cancellationToken);
            foreach (var record in await reader.ReadAsync(stream, uri, format, skip, cancellationToken))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var row = mapping.Row(record);
                budget.Add(row);
                rows.Add(row);
            }
        }

        return new LocalTable(columns, rows);
    }

    // A storage key may follow the address behind a semicolon.
    private static string WithoutKey(string address) => address.Split(';')[0].Trim();
}
