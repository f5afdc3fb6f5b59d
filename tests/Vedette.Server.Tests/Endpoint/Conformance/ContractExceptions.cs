using System.Text.Json;

namespace Vedette.Server.Tests.Endpoint.Conformance;

/// <summary>What knowingly does not hold: <c>exceptions.json</c>, each entry with its reason. An entry that is no longer needed fails the test that reads it.</summary>
internal sealed class ContractExceptions
{
    /// <summary>Stands for every check of a call.</summary>
    public const string Everything = "everything";

    private static readonly Lazy<ContractExceptions> Read = new(() => new ContractExceptions());
    private readonly Dictionary<(string Call, string Check), string> _calls = [];
    private readonly Dictionary<(string Entity, string Property), string> _properties = [];

    private ContractExceptions()
    {
        var assembly = typeof(ContractExceptions).Assembly;
        using var stream = assembly.GetManifestResourceStream(assembly.GetManifestResourceNames().Single(n => n.EndsWith("Conformance.exceptions.json", StringComparison.Ordinal)))!;
        foreach (var entry in JsonDocument.Parse(stream).RootElement.EnumerateArray())
        {
            var reason = entry.GetProperty("reason").GetString()!;
            if (entry.TryGetProperty("entity", out var entity)) _properties.Add((entity.GetString()!, entry.GetProperty("property").GetString()!), reason);
            else _calls.Add((entry.GetProperty("call").GetString()!, entry.GetProperty("check").GetString()!), reason);
        }
    }

    /// <summary>The file.</summary>
    public static ContractExceptions Instance => Read.Value;

    /// <summary>Every reason.</summary>
    public IEnumerable<string> Reasons => _calls.Values.Concat(_properties.Values);

    /// <summary>Calls that the file names.</summary>
    public IEnumerable<(string Call, string Check)> Calls => _calls.Keys;

    /// <summary>Whether a check of a call is excepted.</summary>
    public bool Excepts(SpecifiedCall call, string check) => _calls.ContainsKey((call.ToString(), check));

    /// <summary>Whether a property of an entity is excepted.</summary>
    public bool Excepts(string entity, string property) => _properties.ContainsKey((entity, property));
}
