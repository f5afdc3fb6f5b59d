using System.Text.Json;
using System.Text.RegularExpressions;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint.Conformance;

/// <summary>One call as the shared reference tells it.</summary>
internal sealed partial class SpecifiedCall(JsonElement call)
{
    public string Method { get; } = call.GetProperty("method").GetString()!;

    public string Path { get; } = call.GetProperty("path").GetString()!;

    public string Returns { get; } = call.GetProperty("returns").GetString()!;

    public IReadOnlyList<string> Application { get; } =
        [.. call.GetProperty("permissions").GetProperty("application").EnumerateArray().Select(p => p.GetString()!)];

    public IReadOnlyList<string> Filter { get; } = FilterOf(call.GetProperty("odata"));

    public IReadOnlyList<(string Name, string Type, IReadOnlyList<string> Values)> Required { get; } =
    [
        .. call.GetProperty("body").EnumerateArray()
            .Where(field => field.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.True && !field.GetProperty("name").GetString()!.Contains('[', StringComparison.Ordinal))
            .Select(field => (field.GetProperty("name").GetString()!, field.GetProperty("type").GetString()!, Strings(field.GetProperty("values")))),
    ];

    public IReadOnlyList<int> Statuses { get; } = [.. call.GetProperty("responses").EnumerateArray().Select(r => r.GetProperty("status").GetInt32())];

    /// <summary>All calls of the reference.</summary>
    public static IReadOnlyList<SpecifiedCall> Load() =>
        [.. JsonDocument.Parse(File.ReadAllText(Shared("spec/endpoint/endpoints.json"))).RootElement.EnumerateArray().Select(e => new SpecifiedCall(e))];

    /// <summary>The properties of an entity in the reference, with their types.</summary>
    public static IReadOnlyDictionary<string, string>? Entity(string name)
    {
        var entities = JsonDocument.Parse(File.ReadAllText(Shared("spec/endpoint/entities-1.json"))).RootElement.EnumerateArray();
        var entity = entities.FirstOrDefault(e => e.GetProperty("entity").GetString() == name);
        return entity.ValueKind == JsonValueKind.Undefined
            ? null
            : entity.GetProperty("properties").EnumerateArray().ToDictionary(p => p.GetProperty("name").GetString()!, p => p.GetProperty("type").GetString()!);
    }

    /// <summary>The row of the surface's table for this call.</summary>
    public ApiEndpoint? RowIn(ApiSurface surface) =>
        surface.Endpoints.FirstOrDefault(row => row.Method == Method && Plain(row.Path) == Plain(Path));

    public override string ToString() => $"{Method} {Path}";

    private static string Shared(string file)
    {
        var folder = Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE");
        return folder is { Length: > 0 }
            ? System.IO.Path.Combine(folder, file)
            : throw new InvalidOperationException("Set VEDETTE_CONFORMANCE to the folder of the shared reference data.");
    }

    private static string Plain(string path) => Parameter().Replace(path, "{}");

    private static IReadOnlyList<string> FilterOf(JsonElement odata)
    {
        foreach (var key in new[] { "$filter", "filter" })
            if (odata.TryGetProperty(key, out var list) && list.ValueKind == JsonValueKind.Array) return Strings(list);
        return [];
    }

    private static IReadOnlyList<string> Strings(JsonElement list) =>
        list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!)] : [];

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}
