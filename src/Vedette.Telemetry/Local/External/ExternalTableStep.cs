using System.Globalization;
using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.External;

/// <summary>inline_external_table: rows out of the files of storage containers, or of a Delta Lake table.</summary>
/// <param name="addresses">Files, containers, folders of containers; the root of a Delta Lake table.</param>
/// <param name="node">The operator.</param>
/// <param name="session">The way to the network.</param>
/// <param name="engine">The engine, once the query runs: it reads binary formats.</param>
internal sealed class ExternalTableStep(IReadOnlyList<string> addresses, ExternalDataRelation node, ExternalSession session, Func<StepEngine?> engine) : ILocalStep
{
    private const int MaxFiles = 1000;

    private static readonly TimeSpan PatternTimeout = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<LocalColumn> _own = [.. node.Columns.Take(node.Columns.Count - node.Table!.PathColumns.Count).Select(c => new LocalColumn(c.Name, c.Type))];

    public string Name => "inline_external_table";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) => throw new InvalidOperationException($"{Name} has to wait for its files.");

    public async ValueTask<LocalTable> RunAsync(LocalTable input, CancellationToken cancellationToken)
    {
        var reader = new FileRows(Name, session.Connector.Options.MaxCharacters, engine);
        var rows = new List<object?[]>();
        if (node.Table!.Kind == "delta")
            await DeltaAsync(reader, rows, cancellationToken);
        else
            await FilesAsync(reader, rows, cancellationToken);
        return new LocalTable([.. node.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);
    }

    private async Task FilesAsync(FileRows reader, List<object?[]> rows, CancellationToken cancellationToken)
    {
        var format = FileRows.FormatOf(Name, node.Properties.GetValueOrDefault("dataformat"), new Uri("https://none/"));
        var headers = (node.Properties.GetValueOrDefault("includeheaders") ?? "none").ToLowerInvariant();
        if (headers is not ("all" or "firstfile" or "none"))
            throw ExternalConnector.Refused(Name, $"includeHeaders is All, FirstFile or None, not '{headers}'.");
        if (node.Properties.GetValueOrDefault("encoding") is { } encoding && !encoding.StartsWith("UTF8", StringComparison.OrdinalIgnoreCase))
            throw ExternalConnector.Refused(Name, $"the encoding '{encoding}' cannot be read; use UTF8NoBOM or UTF8BOM.");
        var mapping = new ColumnMapping(Name, _own, "");
        var budget = new RowBudget(Name);
        var files = new List<BlobContainer.Blob>();
        foreach (var address in addresses)
        {
            var container = new BlobContainer(Name, Https(address), session);
            if (container.File is { } file)
                files.Add(file);
            else
                files.AddRange(await container.ListAsync(node.Properties.GetValueOrDefault("nameprefix") ?? "", node.Properties.GetValueOrDefault("fileextension") ?? "", MaxFiles - files.Count, cancellationToken));
        }

        for (var i = 0; i < files.Count; i++)
        {
            var path = Path(files[i].Address);
            await using var stream = await files[i].OpenAsync(cancellationToken);
            foreach (var record in await reader.ReadAsync(stream, files[i].Address, format, headers == "all" || (headers == "firstfile" && i == 0), cancellationToken))
            {
                cancellationToken.ThrowIfCancellationRequested();
                object?[] row = [.. mapping.Row(record), .. path];
                budget.Add(row);
                rows.Add(row);
            }
        }
    }

    /// <summary>The values of the columns that stand in a file's path.</summary>
    private object?[] Path(Uri file)
    {
        var table = node.Table!;
        if (table.PathColumns.Count == 0)
            return [];
        var match = Regex.Match(Uri.UnescapeDataString(file.AbsolutePath), table.PathPattern, RegexOptions.CultureInvariant, PatternTimeout);
        var values = new object?[table.PathColumns.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var (column, pattern) = table.PathColumns[i];
            var text = match.Groups["p" + i.ToString(CultureInfo.InvariantCulture)].Value;
            values[i] = pattern is null || !DateTime.TryParseExact(text, pattern, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
                ? LocalValues.To(text, KqlType.String, column.Type)
                : LocalValues.To(time, KqlType.DateTime, column.Type);
        }

        return values;
    }

    private async Task DeltaAsync(FileRows reader, List<object?[]> rows, CancellationToken cancellationToken)
    {
        if (addresses is not [var root])
            throw ExternalConnector.Refused(Name, "kind=delta needs the address of one table.");
        var container = new BlobContainer(Name, Https(root), session);
        var table = await DeltaTable.ReadAsync(Name, container, reader, cancellationToken);
        var mapping = new ColumnMapping(Name, _own, "");
        var budget = new RowBudget(Name);
        if (table.Files.Count > MaxFiles)
            throw new HuntingException(HuntingFailure.ExcessiveResources, $"{Name}: the table has more than {MaxFiles} files.");
        foreach (var column in _own)
        {
            if (!table.Columns.Contains(column.Name))
                throw ExternalConnector.Refused(Name, $"the table has no column '{column.Name}'.");
        }

        foreach (var (path, values) in table.Files)
        {
            var file = container.At(path);
            await using var stream = await file.OpenAsync(cancellationToken);
            foreach (var record in await reader.ReadAsync(stream, file.Address, "parquet", skip: false, cancellationToken))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var row = mapping.Row(record);
                // Columns by which the table is parted stand in its log, not in its files.
                for (var i = 0; i < row.Length; i++)
                {
                    if (values.TryGetValue(_own[i].Name, out var value))
                        row[i] = LocalValues.To(value, KqlType.String, _own[i].Type);
                }

                budget.Add(row);
                rows.Add(row);
            }
        }
    }

    /// <summary>The address of a container over https: abfss names the account's other face.</summary>
    private static string Https(string connection)
    {
        var parts = connection.Split(';', 2);
        if (!Uri.TryCreate(parts[0].Trim(), UriKind.Absolute, out var uri) || uri.Scheme != "abfss")
            return connection;
        var address = $"https://{uri.Authority.Split('@')[^1].Replace(".dfs.", ".blob.", StringComparison.Ordinal)}/{uri.UserInfo}{uri.PathAndQuery}";
        var secret = parts.Length > 1 && parts[1].StartsWith("sharedkey=", StringComparison.OrdinalIgnoreCase) ? parts[1]["sharedkey=".Length..] : parts.ElementAtOrDefault(1);
        return secret is null ? address : address + ";" + secret;
    }
}
