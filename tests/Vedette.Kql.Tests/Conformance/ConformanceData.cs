using System.Text.Json;

namespace Vedette.Kql.Tests.Conformance;

/// <summary>Reads the shared query collections; their folder comes from the environment variable VEDETTE_CONFORMANCE.</summary>
internal static class ConformanceData
{
    /// <summary>The lines of a JSON-lines file.</summary>
    public static IReadOnlyList<JsonElement> Read(string path)
    {
        var folder = Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE");
        folder.ShouldNotBeNullOrEmpty("VEDETTE_CONFORMANCE must name the folder with the shared data.");
        return [.. File.ReadLines(Path.Combine(folder!, path)).Where(l => l.Length > 0).Select(l => JsonDocument.Parse(l).RootElement.Clone())];
    }

    /// <summary>Names and types of a result, as written in the data: [name, type] pairs or objects.</summary>
    public static List<(string Name, string Type)> Columns(JsonElement columns) =>
    [
        .. columns.EnumerateArray().Select(c => c.ValueKind == JsonValueKind.Array
            ? (c[0].GetString()!, c[1].GetString()!)
            : (c.GetProperty("name").GetString()!, c.GetProperty("type").GetString()!)),
    ];

    /// <summary>
    /// Whether a compilation has the expected columns. A column of unknown type stands for one that only the run brings: it may be there under that name with
    /// any type, or not be there.
    /// </summary>
    public static bool Same(KqlCompilation compilation, List<(string Name, string Type)> expected, bool open)
    {
        var got = compilation.Columns.Select(c => (c.Name, Type: c.Type.Name())).ToList();
        if (got.SequenceEqual(expected))
            return true;
        var late = expected.Where(e => e.Type == "unknown").Select(e => e.Name).ToHashSet();
        var known = expected.Where(e => e.Type != "unknown").ToList();
        return (late.Count > 0 && got.Where(g => !late.Contains(g.Name)).SequenceEqual(known)) || (open && known.TrueForAll(got.Contains));
    }
}
