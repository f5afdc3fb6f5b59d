using Vedette.Telemetry.Import.Reading;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>
/// Takes names and values out of a long text field and adds those that the mapping asks for as fields <c>Source:Name</c>:
/// <c>colon</c> reads lines <c>Name: value</c>, <c>assign</c> lines <c>Name=value</c>, <c>semicolon</c> pieces <c>Name = value;</c>.
/// The first value of a name counts.
/// </summary>
internal sealed class TextParser
{
    private static readonly string[] Wanted =
    [
        "Message:Security ID", "Message:Account Name", "Message:Account Domain", "Message:Domain Name", "Message:Logon ID",
        "Message:HostApplication", "Message:UserId", "Message:ScriptName", "Message:HostName", "Message:HostVersion",
        "Message:EngineVersion", "Message:ClientMachine", "Message:User", "Message:ClientProcessId", "Message:Component",
        "Message:Operation", "Message:ResultCode", "Message:PossibleCause", "Message:HostProcess", "Message:ProcessID",
        "Message:ProviderPath", "Message:Namespace", "Message:NotificationQuery", "Message:Eventfilter", "Message:Consumer",
        "ContextInfo:Host Application", "ContextInfo:User", "ContextInfo:Script Name", "ContextInfo:Command Type",
    ];

    private readonly int[] _source;
    private readonly char _separator;
    private readonly bool _pieces;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _names;

    private TextParser(int[] source, char separator, bool pieces, Dictionary<string, int> names)
    {
        _source = source;
        _separator = separator;
        _pieces = pieces;
        _names = names.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Reads a parser of the mapping table, for instance <c>colon(Message)</c>.</summary>
    public static TextParser Parse(string text, FieldNames names)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var source = text[(open + 1)..^1];
        var wanted = Wanted.Where(name => name.StartsWith(source + ":", StringComparison.Ordinal))
            .ToDictionary(name => name[(source.Length + 1)..], names.Add, StringComparer.OrdinalIgnoreCase);
        return text[..open] switch
        {
            "colon" => new TextParser([names.Add(source)], ':', false, wanted),
            "assign" => new TextParser([names.Add(source)], '=', false, wanted),
            "semicolon" => new TextParser([names.Add(source)], '=', true, wanted),
            var kind => throw new FormatException($"The mapping names an unknown parser '{kind}'."),
        };
    }

    /// <summary>Adds the fields that the event's text holds.</summary>
    public void Apply(LogEvent target)
    {
        if (target.Text(_source) is not { } text) return;
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOfAny(_pieces ? ";" : "\r\n");
            var line = (end < 0 ? rest : rest[..end]).Trim();
            rest = end < 0 ? default : rest[(end + 1)..];
            var separator = line.IndexOf(_separator);
            if (separator <= 0 || !_names.TryGetValue(line[..separator].TrimEnd(), out var name)) continue;
            var value = line[(separator + 1)..].Trim();
            if (value.Length > 0) target.AddText(name, value.ToString());
        }
    }
}
