using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vedette.Defender.Vulnerabilities;

/// <summary>How this folder reads and writes JSON.</summary>
internal static class TvmJson
{
    /// <summary>For the database: names as they are written, null left out where it says nothing.</summary>
    internal static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private static readonly JsonSerializerOptions Resources = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <summary>Reads a table of facts that is part of the assembly.</summary>
    internal static T Resource<T>(string name)
    {
        using var stream = typeof(TvmJson).Assembly.GetManifestResourceStream($"tvm/{name}.json")
            ?? throw new InvalidOperationException($"The table '{name}' is missing from the assembly.");
        return JsonSerializer.Deserialize<T>(stream, Resources)!;
    }
}
