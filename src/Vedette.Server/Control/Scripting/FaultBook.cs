using System.Globalization;
using Vedette.Server.Http;

namespace Vedette.Server.Control.Scripting;

/// <summary>The faults that are ordered. The first rule that matches a request and is not used up decides.</summary>
internal sealed class FaultBook : IFaultScript
{
    private readonly Lock _lock = new();
    private Page[] _pages = [];
    private long _last;

    /// <summary>The rules in force, in their order.</summary>
    public IReadOnlyList<(FaultRule Rule, long Matched, long Played)> Rules => [.. _pages.Select(page => page.State())];

    /// <summary>Adds a rule after the others.</summary>
    /// <returns>The rule with its id.</returns>
    /// <exception cref="ArgumentException">The rule makes no sense, or there are too many.</exception>
    public FaultRule Add(FaultRule rule)
    {
        if (rule.Problem() is { } problem) throw new ArgumentException(problem);
        lock (_lock)
        {
            if (_pages.Length >= FaultRule.Most) throw new ArgumentException($"There are {FaultRule.Most} faults already.");
            var named = rule with { Id = (++_last).ToString(CultureInfo.InvariantCulture) };
            _pages = [.. _pages, new Page(named)];
            return named;
        }
    }

    /// <summary>Takes a rule away; false when there is none of that id.</summary>
    public bool Remove(string id)
    {
        lock (_lock)
        {
            var left = _pages.Where(page => page.Rule.Id != id).ToArray();
            var found = left.Length < _pages.Length;
            _pages = left;
            return found;
        }
    }

    /// <summary>Takes all rules away.</summary>
    public void Clear()
    {
        lock (_lock) _pages = [];
    }

    /// <inheritdoc/>
    public async ValueTask<ScriptedFault?> NextAsync(HttpContext http, Guid? application)
    {
        var pages = _pages;
        if (pages.Length == 0) return null;
        var path = RoutePattern.Normalise(http.Request.Path.Value ?? "/");
        foreach (var page in pages)
        {
            if (!page.Takes(http.Request.Method, path, application)) continue;
            var rule = page.Rule;
            if (rule.DelayMs > 0) await Task.Delay(rule.DelayMs, http.RequestAborted);
            if (rule.Status is null && !rule.Drop) return null;
            return new ScriptedFault
            {
                Status = rule.Status ?? 0,
                Code = rule.Code,
                Message = rule.Message,
                Body = rule.Body,
                RetryAfter = rule.RetryAfter,
                Headers = rule.Headers ?? new Dictionary<string, string>(),
            };
        }

        return null;
    }

    /// <summary>A rule and how often it was used.</summary>
    private sealed class Page(FaultRule rule)
    {
        private readonly Lock _lock = new();
        private readonly RoutePattern _route = new(rule.Route);
        private readonly Random _random = new(rule.Seed);
        private long _matched;
        private long _played;

        public FaultRule Rule { get; } = rule;

        public (FaultRule, long, long) State()
        {
            lock (_lock) return (Rule, _matched, _played);
        }

        public bool Takes(string method, ReadOnlySpan<string> path, Guid? application)
        {
            if (Rule.Client is { } client && client != application) return false;
            if (!_route.Matches(method, path)) return false;
            lock (_lock)
            {
                if (_played >= Rule.Times) return false;
                if (++_matched <= Rule.After) return false;
                if (Rule.Rate < 1 && _random.NextDouble() >= Rule.Rate) return false;
                _played++;
                return true;
            }
        }
    }
}

/// <summary>A verb and a path with wildcards.</summary>
internal sealed class RoutePattern
{
    private readonly string _method;
    private readonly string[] _segments;
    private readonly bool _open;

    /// <summary>Reads a route that <see cref="FaultRule.Problem"/> has nothing against.</summary>
    public RoutePattern(string route)
    {
        var words = route.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        _method = words[0];
        var segments = Normalise(words[1]);
        _open = segments is [.., "**"];
        _segments = _open ? segments[..^1] : segments;
    }

    /// <summary>The segments of a path, without the version that the API's paths may carry.</summary>
    public static string[] Normalise(string path)
    {
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return segments is ["api" or "API" or "Api", "v1.0" or "V1.0", ..] ? [segments[0], .. segments[2..]] : segments;
    }

    /// <summary>Whether a request is meant.</summary>
    public bool Matches(string method, ReadOnlySpan<string> path)
    {
        if (_method != "*" && !_method.Equals(method, StringComparison.OrdinalIgnoreCase)) return false;
        if (_open ? path.Length < _segments.Length : path.Length != _segments.Length) return false;
        for (var i = 0; i < _segments.Length; i++)
        {
            if (_segments[i] == "*" || _segments[i].StartsWith('{')) continue;
            if (!_segments[i].Equals(path[i], StringComparison.OrdinalIgnoreCase)) return false;
        }

        return true;
    }
}
