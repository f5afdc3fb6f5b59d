using System.Text;
using System.Text.RegularExpressions;
using System.Xml;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>
/// Turns the XML of one Windows (or Sysmon for Linux) event into fields named as in <see cref="JsonRecordParser"/>: <c>EventID</c>,
/// <c>Provider.Name</c>, <c>TimeCreated.SystemTime</c>, and each <c>Data</c> by its name. Syslog cuts long messages off and loses semicolons of
/// entities; what stands before the cut is kept.
/// </summary>
internal sealed partial class EventXmlParser(FieldNames names, ImportLimits limits)
{
    private readonly StringBuilder _text = new();

    /// <summary>Reads the fields.</summary>
    /// <param name="target">The event that gets them.</param>
    /// <param name="xml">Text from <c>&lt;Event</c> on.</param>
    /// <param name="warning">What was lost of an event that is otherwise usable.</param>
    /// <returns>Null, or what is wrong with the text.</returns>
    public string? Parse(LogEvent target, string xml, out string? warning)
    {
        warning = null;
        var whole = xml.AsSpan().TrimEnd().EndsWith("</Event>") ? xml : Close(xml);
        var repaired = BareAmpersand().IsMatch(whole) ? BareAmpersand().Replace(whole, Repair) : whole;
        string? last = null;
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            CheckCharacters = false,
            ConformanceLevel = ConformanceLevel.Fragment,
            MaxCharactersInDocument = limits.MaxRecordBytes,
        };
        using var reader = XmlReader.Create(new StringReader(repaired), settings);
        try
        {
            Read(reader, target, ref last);
            if (last is null) return "the XML holds no event";
            var isCut = !ReferenceEquals(whole, xml) && !xml.Contains("</Event>", StringComparison.Ordinal);
            if (isCut) warning = $"the event is cut off in {last}; what stands before was kept";
            return null;
        }
        catch (XmlException exception)
        {
            if (last is null || target.Text(names.Add("EventID")) is null) return $"not a valid XML event: {exception.Message}";
            warning = $"the event is cut off or damaged after {last}; the fields before were kept";
            return null;
        }
    }

    private static string Repair(Match match) => match.Groups[1].Success ? $"&{match.Groups[1].Value};" : "&amp;";

    // Ends an event that was cut off: half a tag goes, and the elements that are open are closed.
    private static string Close(string xml)
    {
        var text = xml.LastIndexOf('<') > xml.LastIndexOf('>') ? xml[..xml.LastIndexOf('<')] : xml;
        var afterEvent = text.LastIndexOf("</Event>", StringComparison.Ordinal);
        if (afterEvent >= 0) return text[..(afterEvent + 8)];
        var isInData = text.LastIndexOf("<Data", StringComparison.Ordinal) > text.LastIndexOf("</Data>", StringComparison.Ordinal);
        var isInEventData = text.Contains("<EventData", StringComparison.Ordinal) && !text.Contains("</EventData>", StringComparison.Ordinal);
        return text + (isInData ? "</Data>" : "") + (isInEventData ? "</EventData>" : "") + "</Event>";
    }

    // An ampersand that begins no entity; the known names come without their semicolon when a logger dropped it.
    [GeneratedRegex(@"&(?:(quot|amp|lt|gt|apos)(?!;)|(?!(?:quot|amp|lt|gt|apos|#\d+|#x[0-9a-fA-F]+);))")]
    private static partial Regex BareAmpersand();

    private void Read(XmlReader reader, LogEvent target, ref string? last)
    {
        var section = "";
        var position = 0;
        reader.Read();
        while (!reader.EOF)
        {
            if (reader.NodeType != XmlNodeType.Element)
            {
                reader.Read();
                continue;
            }

            var element = reader.LocalName;
            if (element is "System" or "EventData" or "UserData" or "RenderingInfo") section = element;
            if (reader.Depth > limits.MaxJsonDepth || target.Count >= limits.MaxFields) return;
            var name = section == "EventData" && element == "Data" ? reader.GetAttribute("Name") ?? $"param{++position}" : element;
            if (section == "System" && reader.HasAttributes) ReadAttributes(reader, target, element);
            if (reader.IsEmptyElement)
            {
                reader.Read();
                continue;
            }

            reader.Read();
            if (reader.NodeType is not (XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace)) continue;
            _text.Clear();
            while (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace)
            {
                _text.Append(reader.Value);
                if (!reader.Read()) break;
            }

            if (section == "RenderingInfo" && name != "Message") continue;
            target.AddText(names.Add(name), _text.ToString());
            last = name;
        }
    }

    private void ReadAttributes(XmlReader reader, LogEvent target, string element)
    {
        while (reader.MoveToNextAttribute()) target.AddText(names.Add($"{element}.{reader.LocalName}"), reader.Value);
        reader.MoveToElement();
    }
}
