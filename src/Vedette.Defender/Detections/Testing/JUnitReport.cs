using System.Globalization;
using System.Text;
using System.Xml;

namespace Vedette.Defender.Detections.Testing;

/// <summary>Writes results of rule tests as the XML that CI systems read: one suite a file.</summary>
public static class JUnitReport
{
    /// <summary>Writes the report to a file; its folder is made when it is missing.</summary>
    /// <param name="file">Path.</param>
    /// <param name="name">What ran.</param>
    /// <param name="results">The results.</param>
    public static void Save(string file, string name, IReadOnlyList<RuleTestResult> results)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        using var output = File.Create(file);
        Write(output, results, name);
    }

    /// <summary>Writes the report.</summary>
    public static void Write(Stream output, IReadOnlyList<RuleTestResult> results, string name = "vedette rules test")
    {
        ArgumentNullException.ThrowIfNull(results);
        using var xml = XmlWriter.Create(output, new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false), CloseOutput = false });
        xml.WriteStartElement("testsuites");
        xml.WriteAttributeString("name", name);
        Totals(xml, results);
        foreach (var file in results.GroupBy(result => result.File, StringComparer.Ordinal))
        {
            xml.WriteStartElement("testsuite");
            xml.WriteAttributeString("name", Clean(file.Key));
            Totals(xml, [.. file]);
            foreach (var result in file)
            {
                xml.WriteStartElement("testcase");
                xml.WriteAttributeString("classname", Clean(Path.ChangeExtension(result.File, null)));
                xml.WriteAttributeString("name", Clean(result.Name));
                xml.WriteAttributeString("file", Clean(result.File));
                xml.WriteAttributeString("time", Seconds(result.Elapsed));
                if (result.Failure is { } failure)
                {
                    xml.WriteStartElement("failure");
                    xml.WriteAttributeString("message", Clean(failure.Split('\n')[0].TrimEnd('\r')));
                    xml.WriteString(Clean(failure));
                    xml.WriteEndElement();
                }

                xml.WriteEndElement();
            }

            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void Totals(XmlWriter xml, IReadOnlyCollection<RuleTestResult> results)
    {
        xml.WriteAttributeString("tests", results.Count.ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("failures", results.Count(result => !result.Passed).ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("errors", "0");
        xml.WriteAttributeString("skipped", "0");
        xml.WriteAttributeString("time", Seconds(TimeSpan.FromTicks(results.Sum(result => result.Elapsed.Ticks))));
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);

    // XML has no way to write most control characters, nor halves of characters.
    private static string Clean(string text) => string.Concat(text.Select((c, i) => char.IsHighSurrogate(c) ? i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? c : '\uFFFD'
        : char.IsLowSurrogate(c) ? i > 0 && char.IsHighSurrogate(text[i - 1]) ? c : '\uFFFD'
        : XmlConvert.IsXmlChar(c) ? c : '\uFFFD'));
}
