using System.Text.Json;
using System.Text.RegularExpressions;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint.Conformance;

/// <summary>One call as the shared reference tells it.</summary>
internal sealed partial class SpecifiedCall
{
    private static readonly Lazy<IReadOnlyList<SpecifiedCall>> Calls = new(() =>
        [.. JsonDocument.Parse(File.ReadAllText(Reference.PathOf("spec/endpoint/endpoints.json"))).RootElement.EnumerateArray().Select(e => new SpecifiedCall(e))]);

    private SpecifiedCall(JsonElement call)
    {
        Group = call.GetProperty("group").GetString()!;
        Method = call.GetProperty("method").GetString()!;
        Path = call.GetProperty("path").GetString()!;
        Returns = call.TryGetProperty("returns", out var returns) && returns.ValueKind == JsonValueKind.String ? returns.GetString()! : "";
        var permissions = call.GetProperty("permissions");
        Application = Strings(permissions.GetProperty("application"));
        Delegated = Strings(permissions.GetProperty("delegated"));
        foreach (var name in new[] { "odataContext", "odata_context" })
            if (call.TryGetProperty(name, out var context) && context.ValueKind == JsonValueKind.String) Context = context.GetString();
        Body =
        [
            .. call.GetProperty("body").EnumerateArray().Select(field => (
                field.GetProperty("name").GetString()!,
                field.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.True,
                field.TryGetProperty("values", out var values) ? Strings(values) : [])),
        ];
        Statuses = [.. call.GetProperty("responses").EnumerateArray().Select(r => r.GetProperty("status").GetInt32())];
        if (call.TryGetProperty("limits", out var limits)) (PerMinute, PerHour) = (Number(limits, "perMinute"), Number(limits, "perHour"));
        if (call.TryGetProperty("odata", out var odata) && odata.ValueKind == JsonValueKind.Object) ReadOData(odata);
    }

    /// <summary>Heading in the reference.</summary>
    public string Group { get; }

    public string Method { get; }

    public string Path { get; }

    /// <summary>What the call returns, in words; begins with the entity's name.</summary>
    public string Returns { get; }

    public string Entity => Returns.Split(' ')[0];

    public bool IsCollection => Returns.Contains(" collection", StringComparison.Ordinal);

    public IReadOnlyList<string> Application { get; }

    public IReadOnlyList<string> Delegated { get; }

    /// <summary>Context of the answer; null when the reference tells none.</summary>
    public string? Context { get; }

    public IReadOnlyList<string> Filter { get; private set; } = [];

    public IReadOnlyList<string> Expand { get; private set; } = [];

    public int? Top { get; private set; }

    public bool Skip { get; private set; }

    /// <summary>Calls a minute; null when the reference tells none.</summary>
    public int? PerMinute { get; }

    /// <summary>Calls an hour; null when the reference tells none.</summary>
    public int? PerHour { get; }

    public IReadOnlyList<(string Name, bool Required, IReadOnlyList<string> Values)> Body { get; }

    public IReadOnlyList<int> Statuses { get; }

    /// <summary>All calls of the reference.</summary>
    public static IReadOnlyList<SpecifiedCall> All => Calls.Value;

    /// <summary>The row of the surface's table for this call.</summary>
    public ApiEndpoint? RowIn(ApiSurface surface) =>
        surface.Endpoints.FirstOrDefault(row => row.Method == Method && Plain(row.Path).Equals(Plain(Path), StringComparison.OrdinalIgnoreCase));

    public override string ToString() => $"{Method} {Path}";

    private static string Plain(string path) => Parameter().Replace(path, "{}");

    // The two parts of the reference spell abilities differently.
    private void ReadOData(JsonElement odata)
    {
        foreach (var key in new[] { "$filter", "filter" })
            if (odata.TryGetProperty(key, out var list) && list.ValueKind == JsonValueKind.Array) Filter = Strings(list);
        if (odata.TryGetProperty("$expand", out var expand)) Expand = Strings(expand);
        if (odata.TryGetProperty("$top", out var top)) Top = top.GetProperty("max").GetInt32();
        if (odata.TryGetProperty("top_max", out var most)) Top = most.GetInt32();
        foreach (var key in new[] { "$skip", "skip" })
            if (odata.TryGetProperty(key, out var skip)) Skip = skip.ValueKind == JsonValueKind.True;
    }

    private static int? Number(JsonElement limits, string name) =>
        limits.ValueKind == JsonValueKind.Object && limits.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;

    private static IReadOnlyList<string> Strings(JsonElement list) =>
        list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!)] : [];

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}

/// <summary>The shared reference data.</summary>
internal static class Reference
{
    /// <summary>Full path of a file of the reference.</summary>
    public static string PathOf(string file) =>
        Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE") is { Length: > 0 } folder
            ? Path.Combine(folder, file)
            : throw new InvalidOperationException("Set VEDETTE_CONFORMANCE to the folder of the shared reference data.");
}
