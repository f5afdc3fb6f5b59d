using System.Text.Json;

namespace Vedette.Identity.Protocol;

/// <summary>Reads the capabilities that a client announces in its <c>claims</c> parameter.</summary>
internal static class ClientCapabilities
{
    private static readonly JsonDocumentOptions Bounded = new() { MaxDepth = 16 };

    /// <summary>The values of <c>access_token.xms_cc.values</c>. An unreadable parameter announces nothing.</summary>
    public static IReadOnlyList<string> Read(string? claims)
    {
        if (claims is null || !claims.Contains("xms_cc", StringComparison.Ordinal)) return [];
        try
        {
            using var document = JsonDocument.Parse(claims, Bounded);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("access_token", out var token) && token.ValueKind == JsonValueKind.Object
                && token.TryGetProperty("xms_cc", out var capability) && capability.ValueKind == JsonValueKind.Object
                && capability.TryGetProperty("values", out var values) && values.ValueKind == JsonValueKind.Array
                    ? [.. values.EnumerateArray().Where(value => value.ValueKind == JsonValueKind.String).Select(value => value.GetString()!).Where(value => value.Length <= 40).Take(8)]
                    : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
