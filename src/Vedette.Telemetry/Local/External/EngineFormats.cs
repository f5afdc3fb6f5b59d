using System.Text;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Local.External;

/// <summary>A column of a file, as the engine reads it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The engine's type.</param>
internal sealed record FileColumn(string Name, string Type);

/// <summary>File formats that the engine reads: columns with names and types in binary.</summary>
/// <param name="caller">Who is told of in messages.</param>
/// <param name="engine">The engine, once the query runs.</param>
internal sealed class EngineFormats(string caller, Func<StepEngine?> engine)
{
    private static readonly Dictionary<string, string> Formats = new(StringComparer.Ordinal)
    {
        ["parquet"] = "Parquet", ["orc"] = "ORC", ["avro"] = "Avro", ["apacheavro"] = "Avro",
    };

    /// <summary>Their names.</summary>
    public static IReadOnlyCollection<string> Names => Formats.Keys;

    /// <summary>Whether a format is one of them.</summary>
    public static bool Knows(string format) => Formats.ContainsKey(format);

    /// <summary>The columns of a file.</summary>
    /// <exception cref="HuntingException">The file is not of that format.</exception>
    public async Task<IReadOnlyList<FileColumn>> DescribeAsync(byte[] file, string format, string host, CancellationToken cancellationToken) =>
        // The statement that describes a table cannot be streamed; an aggregate gives a row even of an empty file.
        await AskAsync($"SELECT * APPLY(any) APPLY(toTypeName) FROM (SELECT * FROM {Table(file, format)} LIMIT 1)", format, host, cancellationToken, static (row, columns) =>
            (IReadOnlyList<FileColumn>)[.. columns.Select((c, i) => new FileColumn(c["toTypeName(any(".Length..^2], (string)row[0][i]!))]);

    /// <summary>The rows of a file: values by column, as JSON text.</summary>
    /// <exception cref="HuntingException">The file is not of that format.</exception>
    public async Task<List<IReadOnlyDictionary<string, string>>> ReadAsync(byte[] file, string format, string host, Action<int> count, CancellationToken cancellationToken)
    {
        var columns = await DescribeAsync(file, format, host, cancellationToken);
        if (columns.Count == 0)
            return [];
        var terms = string.Join(", ", columns.Select((c, i) => $"toJSONString({SqlText.Identifier(c.Name)}) AS v{i}"));
        return await AskAsync($"SELECT {terms} FROM {Table(file, format)} LIMIT {LocalStage.MaxRows + 1}", format, host, cancellationToken, (rows, _) =>
        {
            var result = new List<IReadOnlyDictionary<string, string>>();
            foreach (var row in rows)
            {
                var values = new Dictionary<string, string>(row.Length, StringComparer.Ordinal);
                for (var i = 0; i < row.Length; i++)
                {
                    var json = row[i] as string ?? "";
                    values[columns[i].Name] = json;
                    count(json.Length);
                }

                result.Add(values);
            }

            return result;
        });
    }

    private static string Table(byte[] file, string format) => $"format({Formats[format]}, base64Decode({SqlText.Quote(Convert.ToBase64String(file))}))";

    private async Task<T> AskAsync<T>(string sql, string format, string host, CancellationToken cancellationToken, Func<List<object?[]>, IReadOnlyList<string>, T> read)
    {
        var (executor, settings, _) = engine() ?? throw new InvalidOperationException("The query does not run yet.");
        var own = new Dictionary<string, string>(settings, StringComparer.Ordinal)
        {
            ["schema_inference_make_columns_nullable"] = "1",
            ["output_format_json_quote_decimals"] = "0",
            ["output_format_json_quote_denormals"] = "1",
            ["max_query_size"] = (sql.Length + 1024).ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        try
        {
            var rows = new List<object?[]>();
            IReadOnlyList<string> names = [];
            await using var reader = await executor.QueryAsync(new ClickHouseStatement(sql) { Settings = own }, cancellationToken);
            while (await reader.ReadAsync() is { } block)
            {
                names = [.. block.Fields.Select(f => f.Name)];
                for (var row = 0; row < block.RowCount; row++)
                    rows.Add([.. block.Columns.Select(c => c[row])]);
            }

            return read(rows, names);
        }
        catch (ClickHouseException error) when (error.Name is not ("TIMEOUT_EXCEEDED" or "MEMORY_LIMIT_EXCEEDED" or "QUERY_WAS_CANCELLED"))
        {
            throw new HuntingException(HuntingFailure.Semantic, $"{caller}: the file of '{host}' is not {format} that can be read.", inner: error);
        }
    }
}
