using System.Text.Json;

namespace Vedette.Telemetry.Tests.Conformance;

/// <summary>Shared data for conformance tests, in the folder that VEDETTE_CONFORMANCE names.</summary>
internal static class ConformanceData
{
    public static string Folder => Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE") is { Length: > 0 } folder
        ? folder
        : throw new InvalidOperationException("Conformance tests need VEDETTE_CONFORMANCE to name the folder with the shared data.");

    public static JsonElement Json(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "kql", file)));
        return document.RootElement.Clone();
    }

    public static IEnumerable<JsonElement> Lines(string file) =>
        File.ReadLines(Path.Combine(Folder, "kql", file)).Where(l => l.Length > 0).Select(l =>
        {
            using var document = JsonDocument.Parse(l);
            return document.RootElement.Clone();
        });
}
