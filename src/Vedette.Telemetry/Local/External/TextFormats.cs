using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.External;

/// <summary>The text formats that files of the network are read in.</summary>
internal static class TextFormats
{
    /// <summary>Their names.</summary>
    public static readonly string[] Names = ["csv", "tsv", "tsve", "psv", "scsv", "sohsv", "w3clogfile", "txt", "raw", "json", "singlejson", "multijson"];

    /// <summary>The format that a file's name tells.</summary>
    public static string OfFile(string file)
    {
        var path = file.ToLowerInvariant();
        path = path.EndsWith(".gz", StringComparison.Ordinal) ? path[..^3] : path;
        return Path.GetExtension(path).TrimStart('.') switch { "json" or "multijson" => "multijson", "tsv" => "tsv", "psv" => "psv", "txt" => "txt", "raw" => "raw", "parquet" => "parquet", "avro" => "avro", "orc" => "orc", _ => "csv" };
    }

    /// <summary>Reads a file's text; one whose name ends in .gz is unpacked.</summary>
    /// <exception cref="HuntingException">It holds more characters than are left, or is not gzip.</exception>
    public static async Task<string> ReadAsync(Stream stream, string caller, Uri uri, int left, int most, CancellationToken cancellationToken)
    {
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
                if (text.Length > left)
                    throw new HuntingException(HuntingFailure.ExcessiveResources, $"{caller} read more than {most} characters.");
            }
        }
        catch (InvalidDataException error)
        {
            throw new HuntingException(HuntingFailure.Semantic, $"{caller}: the file of '{uri.Host}' is not gzip: {error.Message}", inner: error);
        }

        return text.ToString();
    }

    /// <summary>The bags of JSON documents that follow each other, on lines or not, alone or in arrays.</summary>
    public static IEnumerable<JsonObject> Bags(string text)
    {
        var bags = new List<JsonObject>();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { AllowMultipleValues = true, MaxDepth = 256 });
        try
        {
            while (reader.Read())
            {
                switch (JsonNode.Parse(ref reader))
                {
                    case JsonArray array:
                        bags.AddRange(array.OfType<JsonObject>());
                        break;
                    case JsonObject bag:
                        bags.Add(bag);
                        break;
                }
            }

            return bags;
        }
        catch (JsonException)
        {
            // A line that is no JSON is left out.
            return text.Split('\n').Select(l => LocalJson.Parse(l.Trim())).OfType<JsonObject>();
        }
    }

    /// <summary>The records of a delimited text.</summary>
    public static IEnumerable<IReadOnlyList<string>> Records(string text, string format)
    {
        if (format == "w3clogfile")
        {
            foreach (var line in text.Split('\n').Select(l => l.TrimEnd('\r')).Where(l => l.Length > 0 && l[0] != '#'))
                yield return line.Split(' ').Select(f => f == "-" ? "" : f).ToArray();
            yield break;
        }

        if (format == "tsve")
        {
            foreach (var line in text.Split('\n').Select(l => l.TrimEnd('\r')).Where(l => l.Length > 0))
                yield return line.Split('\t').Select(Unescaped).ToArray();
            yield break;
        }

        var separator = format switch { "tsv" => '\t', "psv" => '|', "scsv" => ';', "sohsv" => '\u0001', _ => ',' };
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

    /// <summary>A field in which a backslash stands in front of tabs, line ends and itself.</summary>
    private static string Unescaped(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
            return field;
        var text = new StringBuilder();
        for (var i = 0; i < field.Length; i++)
        {
            text.Append(field[i] == '\\' && i + 1 < field.Length
                ? field[++i] switch { 't' => '\t', 'n' => '\n', 'r' => '\r', var other => other }
                : field[i]);
        }

        return text.ToString();
    }
}
