namespace Vedette.Server.Http;

/// <summary>What a path matched: its parameters, and whether it asked for the number of items only.</summary>
internal sealed class RouteMatch
{
    private readonly List<KeyValuePair<string, string>> _values = new(2);

    /// <summary>True when <c>/$count</c> followed a collection.</summary>
    public bool CountOnly { get; internal set; }

    /// <summary>A path parameter.</summary>
    /// <exception cref="KeyNotFoundException">The template has no such parameter.</exception>
    public string this[string name]
    {
        get
        {
            foreach (var (key, value) in _values)
                if (string.Equals(key, name, StringComparison.OrdinalIgnoreCase)) return value;
            throw new KeyNotFoundException($"The route has no parameter '{name}'.");
        }
    }

    /// <summary>A path parameter, or null when the path has none of this name.</summary>
    public string? Find(string name)
    {
        foreach (var (key, value) in _values)
            if (string.Equals(key, name, StringComparison.OrdinalIgnoreCase)) return value;
        return null;
    }

    internal int Mark => _values.Count;

    internal void Add(string name, string value) => _values.Add(new(name, value));

    internal void Rewind(int mark) => _values.RemoveRange(mark, _values.Count - mark);
}

/// <summary>
/// Finds the row for a path. Segments match without regard to case, empty segments are skipped (<c>//</c> counts as <c>/</c>), an optional
/// <c>v1.0</c> may follow the prefix, a segment such as <c>findbyip(ip='…',timestamp=…)</c> is an OData function, and <c>/$count</c> may
/// follow every collection that can be filtered.
/// </summary>
internal sealed class RouteTable
{
    private const string Version = "v1.0";
    private readonly Node _root = new();

    /// <summary>Builds the tree over all answered rows of surfaces that share a prefix.</summary>
    public RouteTable(IEnumerable<ApiSurface> surfaces)
    {
        var rows = surfaces.SelectMany(surface => surface.Handlers.Keys.Select(endpoint => (surface, endpoint))).ToArray();
        foreach (var (surface, endpoint) in rows)
            foreach (var path in surface.PathsOf(endpoint)) At(path).Add(surface, endpoint, countOnly: false);
        // A row of its own for a count, where the table has one, goes before the one that every collection has.
        foreach (var (surface, endpoint) in rows.Where(row => row.endpoint is { Method: "GET", OData.Filter.Count: > 0 }))
            foreach (var path in surface.PathsOf(endpoint)) At(path).Child("$count").Add(surface, endpoint, countOnly: true);
    }

    /// <summary>The rows at a path by verb, or null when no row has the path.</summary>
    public IReadOnlyDictionary<string, (ApiSurface Surface, ApiEndpoint Endpoint, bool CountOnly)>? Find(string path, RouteMatch match)
    {
        Span<Range> ranges = stackalloc Range[16];
        var text = path.AsSpan();
        var count = text.Split(ranges, '/', StringSplitOptions.RemoveEmptyEntries);
        if (count == 0 || count == ranges.Length) return null;
        Span<Range> kept = stackalloc Range[16];
        var length = 0;
        for (var i = 0; i < count; i++)
        {
            if (i == 1 && text[ranges[i]].Equals(Version, StringComparison.OrdinalIgnoreCase)) continue;
            kept[length++] = ranges[i];
        }

        return Find(_root, text, kept[..length], match)?.Rows;
    }

    /// <summary>The segment of a path at which the rows end: the first that none of them has.</summary>
    public string FirstUnknown(string path)
    {
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var length = 1; length <= Math.Min(segments.Length, 15); length++)
            if (!Reaches(_root, segments.AsSpan(0, length))) return segments[length - 1];
        return segments.Length > 0 ? segments[^1] : "";
    }

    private static bool Reaches(Node node, ReadOnlySpan<string> rest)
    {
        if (rest.IsEmpty) return true;
        if (node.Literal(rest[0]) is { } literal && Reaches(literal, rest[1..])) return true;
        foreach (var function in node.Functions)
            if (function.Match(rest[0], new RouteMatch()) && Reaches(function.Node, rest[1..])) return true;
        return node.Parameter is { } parameter && Reaches(parameter.Node, rest[1..]);
    }

    private Node At(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(_root, (node, segment) => node.Child(segment));

    private static Node? Find(Node node, ReadOnlySpan<char> text, ReadOnlySpan<Range> rest, RouteMatch match)
    {
        if (rest.IsEmpty) return node.Rows is null ? null : node;
        var segment = text[rest[0]];
        if (node.Literal(segment) is { } literal && Find(literal, text, rest[1..], match) is { } found) return found;
        var mark = match.Mark;
        foreach (var function in node.Functions)
        {
            if (function.Match(segment, match) && Find(function.Node, text, rest[1..], match) is { } called) return called;
            match.Rewind(mark);
        }

        if (node.Parameter is not { } parameter) return null;
        match.Add(parameter.Name, segment.ToString());
        if (Find(parameter.Node, text, rest[1..], match) is { } bound) return bound;
        match.Rewind(mark);
        return null;
    }

    private sealed class Node
    {
        private readonly Dictionary<string, Node> _literals = new(StringComparer.OrdinalIgnoreCase);
        private Dictionary<string, Node>.AlternateLookup<ReadOnlySpan<char>> Lookup => _literals.GetAlternateLookup<ReadOnlySpan<char>>();

        public (string Name, Node Node)? Parameter { get; private set; }

        public List<FunctionSegment> Functions { get; } = [];

        public Dictionary<string, (ApiSurface, ApiEndpoint, bool)>? Rows { get; private set; }

        public Node? Literal(ReadOnlySpan<char> segment) => Lookup.TryGetValue(segment, out var node) ? node : null;

        public Node Child(string segment)
        {
            if (segment.StartsWith('{'))
            {
                // One name per place: the tables spell a parameter alike in all rows that share its path.
                var name = segment.Trim('{', '}');
                Parameter ??= (name, new Node());
                return Parameter.Value.Name == name
                    ? Parameter.Value.Node
                    : throw new InvalidOperationException($"A path parameter is called both '{Parameter.Value.Name}' and '{name}'.");
            }

            if (segment.Contains('('))
            {
                var function = new FunctionSegment(segment);
                var existing = Functions.Find(f => f.Template == segment);
                if (existing is not null) return existing.Node;
                Functions.Add(function);
                return function.Node;
            }

            if (!_literals.TryGetValue(segment, out var child)) _literals.Add(segment, child = new Node());
            return child;
        }

        public void Add(ApiSurface surface, ApiEndpoint endpoint, bool countOnly)
        {
            Rows ??= new Dictionary<string, (ApiSurface, ApiEndpoint, bool)>(StringComparer.Ordinal);
            Rows.TryAdd(endpoint.Method, (surface, endpoint, countOnly));
        }
    }

    /// <summary>
    /// A segment of the form <c>name(a='{x}',b={y})</c>, whose arguments may come in any order, quoted or not; or <c>name({x})</c>, or <c>name()</c>.
    /// </summary>
    private sealed class FunctionSegment
    {
        private readonly string _name;
        private readonly Dictionary<string, string> _parameters = new(StringComparer.OrdinalIgnoreCase);
        private readonly string? _only;

        public FunctionSegment(string template)
        {
            Template = template;
            var open = template.IndexOf('(', StringComparison.Ordinal);
            _name = template[..open];
            foreach (var argument in template[(open + 1)..^1].Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = argument.IndexOf('=', StringComparison.Ordinal);
                if (equals < 0)
                {
                    _only = argument.Trim('{', '}');
                    continue;
                }

                _parameters.Add(argument[..equals], argument[(equals + 1)..].Trim('\'', '{', '}'));
            }
        }

        public string Template { get; }

        public Node Node { get; } = new();

        public bool Match(ReadOnlySpan<char> segment, RouteMatch match)
        {
            var open = segment.IndexOf('(');
            if (open < 0 || segment[^1] != ')' || !segment[..open].Equals(_name, StringComparison.OrdinalIgnoreCase)) return false;
            if (_only is not null) return MatchOnly(segment[(open + 1)..^1].Trim(), match);
            if (_parameters.Count == 0) return segment[(open + 1)..^1].Trim().IsEmpty;
            var bound = 0;
            foreach (var range in segment[(open + 1)..^1].Split(','))
            {
                var argument = segment[(open + 1)..^1][range];
                var equals = argument.IndexOf('=');
                if (equals < 0 || !_parameters.TryGetValue(argument[..equals].Trim().ToString(), out var name)) return false;
                var value = argument[(equals + 1)..].Trim();
                if (value.Length >= 2 && value[0] == '\'' && value[^1] == '\'') value = value[1..^1];
                match.Add(name, value.ToString());
                bound++;
            }

            return bound == _parameters.Count;
        }

        // A key without a name: collection('x') or collection(x).
        private bool MatchOnly(ReadOnlySpan<char> value, RouteMatch match)
        {
            var quoted = value.Length >= 2 && value[0] == '\'' && value[^1] == '\'';
            if (value.IsEmpty || (!quoted && value.IndexOfAny('=', ',') >= 0)) return false;
            match.Add(_only!, (quoted ? value[1..^1] : value).ToString());
            return true;
        }
    }
}
