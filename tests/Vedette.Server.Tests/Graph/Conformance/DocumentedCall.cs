using System.Text.Json;
using System.Text.RegularExpressions;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint.Conformance;

namespace Vedette.Server.Tests.Graph.Conformance;

/// <summary>One call as the shared reference of Graph and Threat Protection tells it.</summary>
internal sealed partial class DocumentedCall
{
    private DocumentedCall(JsonElement call)
    {
        Group = call.GetProperty("group").GetString()!;
        Method = call.GetProperty("method").GetString()!;
        Path = call.GetProperty("path").GetString()!;
        Returns = call.GetProperty("returns").GetString() ?? "";
        var permissions = call.GetProperty("permissions");
        Application = Strings(permissions.GetProperty("application"));
        Delegated = Strings(permissions.GetProperty("delegated"));
        if (permissions.TryGetProperty("alsoRequires", out var more))
            AlsoRequires = more.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetString()!.Split(','));
        Statuses = [.. call.GetProperty("responses").EnumerateArray().Select(answer => answer.GetProperty("status").GetInt32())];
        if (call.TryGetProperty("limits", out var limits))
            foreach (var name in new[] { "perMinute", "perMinutePerAppPerTenant" })
                if (limits.TryGetProperty(name, out var minute)) PerMinute = minute.GetInt32();
        if (call.TryGetProperty("odata", out var odata) && odata.ValueKind == JsonValueKind.Object) ReadOData(odata);
    }

    public string Group { get; }

    public string Method { get; }

    public string Path { get; }

    /// <summary>What the call returns, in words; begins with the entity's name.</summary>
    public string Returns { get; }

    public string Entity => Returns.Split(' ')[0];

    public bool IsCollection => Returns.Contains(" collection", StringComparison.Ordinal);

    public bool IsSecurity => Path.StartsWith("/security", StringComparison.Ordinal);

    public IReadOnlyList<string> Application { get; }

    public IReadOnlyList<string> Delegated { get; }

    /// <summary>Permissions that a permission needs beside it.</summary>
    public IReadOnlyDictionary<string, string[]> AlsoRequires { get; } = new Dictionary<string, string[]>();

    public IReadOnlyList<int> Statuses { get; }

    public IReadOnlyList<string> Filter { get; private set; } = [];

    public IReadOnlyList<string> Expand { get; private set; } = [];

    /// <summary>Largest <c>$top</c>; a larger one is refused.</summary>
    public int? Top { get; private set; }

    /// <summary>Largest <c>$skip</c>.</summary>
    public int? MaxSkip { get; private set; }

    public bool Skip { get; private set; }

    public bool Count { get; private set; }

    public int? PerMinute { get; }

    /// <summary>All calls of a file of the reference.</summary>
    public static IReadOnlyList<DocumentedCall> Of(string file) =>
        [.. JsonDocument.Parse(File.ReadAllText(Reference.PathOf(file))).RootElement.EnumerateArray().Select(call => new DocumentedCall(call))];

    /// <summary>The row for this call and its surface; null when no surface has it.</summary>
    public (ApiSurface Surface, ApiEndpoint Row)? RowIn(IEnumerable<ApiSurface> surfaces)
    {
        foreach (var surface in surfaces)
            foreach (var row in surface.Endpoints)
                if (row.Method == Method && surface.PathsOf(row).Select(Plain).Any(path => path.EndsWith(Plain(Path), StringComparison.OrdinalIgnoreCase) && path.Length - Plain(Path).Length <= 5)) return (surface, row);
        return null;
    }

    public override string ToString() => $"{Method} {Path}";

    private static string Plain(string path) => Parameter().Replace(path, "{}");

    private void ReadOData(JsonElement odata)
    {
        if (odata.TryGetProperty("$filter", out var filter))
            Filter = Strings(filter.ValueKind == JsonValueKind.Object ? filter.GetProperty("properties") : filter);
        if (odata.TryGetProperty("$expand", out var expand)) Expand = Strings(expand);
        if (odata.TryGetProperty("$top", out var top) && top.ValueKind == JsonValueKind.Object && top.TryGetProperty("max", out var most)) Top = most.GetInt32();
        if (odata.TryGetProperty("$skip", out var skip))
        {
            Skip = skip.ValueKind is JsonValueKind.True or JsonValueKind.Object;
            if (skip.ValueKind == JsonValueKind.Object) MaxSkip = skip.GetProperty("max").GetInt32();
        }

        Count = odata.TryGetProperty("$count", out var count) && count.ValueKind == JsonValueKind.True;
    }

    private static IReadOnlyList<string> Strings(JsonElement list) =>
        list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!)] : [];

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}
