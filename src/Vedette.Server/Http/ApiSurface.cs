using System.Collections.Frozen;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Http;

/// <summary>Answers one call that has passed every earlier step.</summary>
internal delegate ValueTask<ApiResult> ApiHandler(ApiCall call);

/// <summary>A resource's handlers: says which rows of the surface's table it answers.</summary>
internal interface IApiHandlers
{
    /// <summary>Verb and path template of each row, exactly as the table spells it, with its handler.</summary>
    IEnumerable<KeyValuePair<string, ApiHandler>> Handlers { get; }
}

/// <summary>One HTTP surface: its table of calls, its handlers and its catalogue of errors.</summary>
internal sealed class ApiSurface
{
    /// <summary>Joins a table with the handlers that answer its rows.</summary>
    /// <exception cref="InvalidOperationException">A handler names a row that the table does not have.</exception>
    public ApiSurface(
        string name, string prefix, Guid resource, IReadOnlyList<ApiEndpoint> endpoints, ErrorCatalogue errors,
        IEnumerable<EntityTable> entities, IEnumerable<IApiHandlers> handlers)
    {
        Name = name;
        Prefix = prefix;
        Resource = resource;
        Endpoints = endpoints;
        Errors = errors;
        Entities = entities.ToFrozenDictionary(table => table.Name, StringComparer.Ordinal);
        var rows = endpoints.ToDictionary(e => e.Key, StringComparer.Ordinal);
        Handlers = handlers.SelectMany(h => h.Handlers).ToFrozenDictionary(
            pair => rows.TryGetValue(pair.Key, out var row)
                ? row
                : throw new InvalidOperationException($"The {name} table has no row '{pair.Key}'."),
            pair => pair.Value);
    }

    /// <summary>Name for people.</summary>
    public string Name { get; }

    /// <summary>First path segment, with its slash: <c>/api</c>.</summary>
    public string Prefix { get; }

    /// <summary>Application id of the resource whose tokens the surface takes.</summary>
    public Guid Resource { get; }

    /// <summary>All rows, answered or not.</summary>
    public IReadOnlyList<ApiEndpoint> Endpoints { get; }

    /// <summary>The surface's errors.</summary>
    public ErrorCatalogue Errors { get; }

    /// <summary>The surface's entities by the name that the table's <c>returns</c> column uses.</summary>
    public FrozenDictionary<string, EntityTable> Entities { get; }

    /// <summary>How the surface words what is the same on all.</summary>
    public SurfaceDialect Dialect { get; init; } = SurfaceDialect.Defender;

    /// <summary>What stands before each row's path: nothing when the rows name the whole path, else one for each version of the API.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [""];

    /// <summary>Collections whose members can also be named by another property than their id: <c>applications(appId='…')</c>.</summary>
    public IReadOnlyDictionary<string, string> AlternateKeys { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>First path segments of the surface, without slashes.</summary>
    public IEnumerable<string> FirstSegments => Roots.Select(root => (root.Length > 0 ? root : Prefix).Trim('/'));

    private const string Delta = "delta";

    /// <summary>Every path at which a row is served.</summary>
    public IEnumerable<string> PathsOf(ApiEndpoint row)
    {
        foreach (var root in Roots.Where(root => row.Roots is null || row.Roots.Contains(root)))
        {
            yield return root + row.Path;

            // A cast may leave out the namespace's first word.
            if (row.Path.Contains("/microsoft.graph.", StringComparison.Ordinal)) yield return root + row.Path.Replace("/microsoft.graph.", "/graph.", StringComparison.Ordinal);
            if (!row.Path.StartsWith('/') || Roots is [""]) continue;
            var segments = row.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);

            // A function without arguments is called with parentheses too, and by its whole name.
            if (segments[^1] == Delta)
            {
                yield return $"{root}{row.Path}()";
                yield return $"{root}{row.Path[..^Delta.Length]}microsoft.graph.{Delta}()";
            }

            var at = Array.FindIndex(segments, segment => segment.StartsWith('{'));
            if (at < 1 || segments[at - 1].Contains('(')) continue;

            // Two spellings of the same key, and the other key.
            var before = string.Concat(segments[..(at - 1)].Select(segment => "/" + segment));
            var rest = string.Concat(segments[(at + 1)..].Select(segment => "/" + segment));
            yield return $"{root}{before}/{segments[at - 1]}({segments[at]}){rest}";
            if (at == 1 && AlternateKeys.TryGetValue(segments[0], out var key)) yield return $"{root}/{segments[0]}({key}='{{{key}}}'){rest}";
        }
    }

    /// <summary>Handlers of the rows that are answered.</summary>
    public FrozenDictionary<ApiEndpoint, ApiHandler> Handlers { get; }
}
