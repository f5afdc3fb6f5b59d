using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Local.External;

/// <summary>A plug-in that calls something in the network.</summary>
internal abstract class ExternalStep(PluginCall call, ExternalSession session) : ILocalStep
{
    private static readonly Dictionary<string, Func<PluginCall, ExternalSession, Func<StepEngine?>, ILocalStep>> Table = new(StringComparer.Ordinal)
    {
        ["http_request"] = (c, s, _) => new HttpRequestStep(c, s, HttpMethod.Get),
        ["http_request_post"] = (c, s, _) => new HttpRequestStep(c, s, HttpMethod.Post),
        ["infer_storage_schema"] = (c, s, e) => new StorageSchemaStep(c, s, e, suggests: false),
        ["infer_storage_schema_with_suggestions"] = (c, s, e) => new StorageSchemaStep(c, s, e, suggests: true),
        ["cosmosdb_sql_request"] = (c, s, _) => new CosmosRequestStep(c, s),
        ["postgresql_request"] = (c, s, _) => new PostgresRequestStep(c, s),
    };

    public string Name => call.Name;

    // By name: a schema that the query declares may list the columns in another order.
    public bool FindsColumns => true;

    /// <summary>The call as the query makes it.</summary>
    protected PluginCall Call => call;

    /// <summary>What the query has fetched so far, and the way to fetch more.</summary>
    protected ExternalSession Session => session;

    public static Func<PluginCall, ExternalSession, Func<StepEngine?>, ILocalStep>? Find(string name) => Table.GetValueOrDefault(name);

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) => throw new InvalidOperationException($"{Name} has to wait for an answer.");

    public async ValueTask<LocalTable> RunAsync(LocalTable input, CancellationToken cancellationToken)
    {
        var key = string.Join('\n', call.Arguments.Select(a => LocalValues.ToJson(call.Value(input, a.Parameter!), a.Type)).Prepend(Name));
        return Shape(await session.OnceAsync(key, () => FetchAsync(input, cancellationToken)));
    }

    /// <summary>Makes the call.</summary>
    protected abstract Task<LocalTable> FetchAsync(LocalTable input, CancellationToken cancellationToken);

    /// <summary>What came, as the query declares it.</summary>
    protected virtual LocalTable Shape(LocalTable fetched) => fetched;

    /// <summary>An argument's text.</summary>
    protected string Text(LocalTable input, string parameter) =>
        call.Find(parameter) is { } argument ? LocalValues.ToText(call.Value(input, parameter), argument.Type) : "";

    /// <summary>An argument that is a property bag; null when it is left out or null.</summary>
    /// <exception cref="HuntingException">It is something else.</exception>
    protected JsonObject? Bag(LocalTable input, string parameter)
    {
        var text = call.Value(input, parameter) as string;
        return string.IsNullOrEmpty(text) || text == "null" ? null : LocalJson.Parse(text) as JsonObject ?? throw Refused($"the argument {parameter} must be a property bag.");
    }

    /// <summary>The parts of a connection string, by name in small letters without spaces.</summary>
    protected static Dictionary<string, string> Connection(string text)
    {
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                parts[part[..equals].Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant()] = part[(equals + 1)..].Trim().Trim('"', '\'');
        }

        return parts;
    }

    /// <summary>The error of a call that cannot be made.</summary>
    protected HuntingException Refused(string why) => ExternalConnector.Refused(Name, why);
}
