using System.Collections.Frozen;
using System.Text.Json;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>
/// Which properties a body may name when an object is made or changed: those of the row, those that are shown, and those that the service knows
/// besides, which are taken without effect (<c>accepted-properties.json</c>). Other names are refused, as the service does.
/// </summary>
internal static class AcceptedProperties
{
    private static readonly FrozenDictionary<string, EntityTable> Tables = new Dictionary<string, EntityTable>
    {
        ["/applications"] = ApplicationTable.Applications, ["/servicePrincipals"] = ServicePrincipalTable.Principals, ["/users"] = UserTable.Users, ["/groups"] = GroupTable.Groups,
    }.SelectMany(pair => new[] { KeyValuePair.Create($"POST {pair.Key}", pair.Value), KeyValuePair.Create($"PATCH {pair.Key}/{{id}}", pair.Value) }).ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, FrozenSet<string>> Besides = Load();

    /// <summary>The refusal of the first name that the service does not know; null when there is none.</summary>
    public static ApiError? Check(ApiCall call)
    {
        if (!Tables.TryGetValue(call.Endpoint.Key, out var table) || call.Body.Root.ValueKind != JsonValueKind.Object) return null;
        foreach (var property in call.Body.Root.EnumerateObject())
        {
            var name = property.Name;
            if (call.Endpoint.Body.Any(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) || table.Find(name) is not null || Besides[table.Name].Contains(name)) continue;

            // Annotations, and properties that a tenant defined itself.
            if (name.Contains('@', StringComparison.Ordinal) || name.StartsWith("extension_", StringComparison.OrdinalIgnoreCase) || (name.StartsWith("ext", StringComparison.Ordinal) && name.Contains('_', StringComparison.Ordinal))) continue;
            return call.Error("BadRequest", $"Invalid property '{(name.Length > 100 ? name[..100] : name)}'.");
        }

        return null;
    }

    private static FrozenDictionary<string, FrozenSet<string>> Load()
    {
        using var stream = typeof(AcceptedProperties).Assembly.GetManifestResourceStream("Vedette.Server.Graph/Directory/accepted-properties.json")!;
        return JsonSerializer.Deserialize<Dictionary<string, string[]>>(stream)!.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToFrozenSet(StringComparer.OrdinalIgnoreCase));
    }
}
