using System.Diagnostics;
using Npgsql;
using Vedette.Foundation;
using Vedette.Server.Http.Steps;

namespace Vedette.Server.Http;

/// <summary>One step of the pipeline. It adds its part to the call and says whether the call goes on.</summary>
internal interface IRequestStep
{
    /// <summary>Runs the step; an error ends the call.</summary>
    ValueTask<ApiError?> RunAsync(ApiCall call);
}

/// <summary>
/// The way of every request to every API surface. The list below is the whole story: each name is a file in <c>Steps/</c>. What comes
/// before it is only finding the row (no row: 404, other verb: 405, both without a body); what comes after it is the shape step, which
/// writes the answer or the error.
/// </summary>
internal sealed class RequestPipeline
{
    private readonly (string Name, IRequestStep Step)[] _steps;
    private readonly Shape _shape;
    private readonly RequestJournal _journal;
    private readonly IIdentifierSource _identifiers;
    private readonly ILogger<RequestPipeline> _log;
    private readonly RouteTable _routes;
    private readonly string[] _prefixes;
    private readonly ApiSurface[] _surfaces;

    public RequestPipeline(
        IEnumerable<ApiSurface> surfaces, ResolveHost resolveHost, Authenticate authenticate, ResolveUser resolveUser, Authorise authorise,
        Throttle throttle, ScriptFaults scriptFaults, ParseOData parseOData, ReadBody readBody, Handle handle, Shape shape,
        RequestJournal journal, IIdentifierSource identifiers,
        ILogger<RequestPipeline> log)
    {
        _steps =
        [
            ("resolve host", resolveHost),
            ("authenticate", authenticate),
            ("resolve user", resolveUser),
            ("authorise", authorise),
            ("throttle", throttle),
            ("scripted fault", scriptFaults),
            ("parse OData", parseOData),
            ("read body", readBody),
            ("handle", handle),
        ];
        _shape = shape;
        _journal = journal;
        _identifiers = identifiers;
        _log = log;
        var all = surfaces.ToArray();
        _routes = new RouteTable(all);
        _surfaces = all;
        _prefixes = [.. all.SelectMany(s => s.FirstSegments).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Answers a request when a surface owns its path; returns false when none does.</summary>
    public async ValueTask<bool> TryHandleAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "/";
        if (!Owns(path)) return false;
        var match = new RouteMatch();
        var rows = _routes.Find(path, match);
        if (rows is null)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            var surface = SurfaceOf(path);
            if (surface.Dialect.NoSuchPath(surface, _routes.FirstUnknown(path)) is { } unknown) _shape.WriteUnrouted(http, surface, unknown, _identifiers.NewGuid());
            return true;
        }

        if (!rows.TryGetValue(http.Request.Method, out var row))
        {
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            http.Response.Headers.Allow = string.Join(", ", rows.Keys);
            var surface = SurfaceOf(path);
            if (surface.Dialect.NoSuchVerb(surface) is { } refused) _shape.WriteUnrouted(http, surface, refused, _identifiers.NewGuid());
            return true;
        }

        match.CountOnly = row.CountOnly;
        var handler = row.Surface.Handlers[row.Endpoint];
        var call = new ApiCall(http, row.Surface, row.Endpoint, handler, match, _identifiers.NewGuid());
        var began = Stopwatch.GetTimestamp();
        var error = await RunAsync(call);
        try
        {
            await _shape.WriteAsync(call, error);
        }
        catch (Exception failure) when (failure is not OperationCanceledException && !http.Response.HasStarted)
        {
            error = Explain(call, failure, "shape");
            await _shape.WriteAsync(call, error);
        }

        _journal.Note(call, error, Stopwatch.GetElapsedTime(began));
        return true;
    }

    private async ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        var current = "";
        try
        {
            foreach (var (name, step) in _steps)
            {
                current = name;
                if (await step.RunAsync(call) is { } error) return error;
            }

            return null;
        }
        catch (ApiException refused)
        {
            return refused.Error;
        }
        catch (OperationCanceledException) when (call.Aborted.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception failure)
        {
            return Explain(call, failure, current);
        }
    }

    // Values that the database cannot take (a number or a date out of range) and filters that mean nothing to it (the negative of null) are
    // the caller's; everything else is ours.
    private ApiError Explain(ApiCall call, Exception failure, string step)
    {
        var refused = failure as PostgresException ?? failure.InnerException as PostgresException;
        if (refused is { SqlState: ['2', '2', ..] }) return call.Error("BadRequest", $"A value in the request cannot be used: {refused.MessageText}.");
        if (refused is { SqlState: ['4', '2', ..] } && (call.Query.Filter is not null || call.Query.OrderBy.Count > 0))
            return call.Error("ODataError", "The query cannot be evaluated.") with { Explanation = refused.MessageText };
        _log.LogError(failure, "{Call} failed in step '{Step}' (request {Id})", call.Endpoint.Key, step, call.Id);
        return call.Error("InternalServerError");
    }

    /// <summary>True for a path below the prefix of one of the surfaces.</summary>
    public bool Owns(string? path)
    {
        var first = FirstSegment(path);
        foreach (var prefix in _prefixes)
            if (first.Equals(prefix, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    private ApiSurface SurfaceOf(string path)
    {
        var first = FirstSegment(path).ToString();
        return _surfaces.First(surface => surface.FirstSegments.Contains(first, StringComparer.OrdinalIgnoreCase));
    }

    private static ReadOnlySpan<char> FirstSegment(string? path)
    {
        var text = (path ?? "").AsSpan().TrimStart('/');
        var end = text.IndexOf('/');
        return end < 0 ? text : text[..end];
    }
}
