using Vedette.Defender.Detections;

namespace Vedette.Defender.Tests.Detections;

public sealed class RuleDocumentTests
{
    /// <summary>To write the document anew after a rule changed, run this test with VEDETTE_UPDATE_DOCS=1.</summary>
    [Fact]
    public void The_document_tells_of_every_shipped_rule_as_its_file_does()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "Vedette.slnx"))) root = root.Parent;
        var file = Path.Combine(root.FullName, "docs", "detections.md");
        var expected = RuleDocument.Write(RuleLoader.Load(RuleLoader.ShippedFolder(), null).Rules);
        var text = File.ReadAllText(file);
        var mark = text.IndexOf(RuleDocument.Mark, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("VEDETTE_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(file, (mark < 0 ? text : text[..mark]) + expected);
            return;
        }

        mark.ShouldBeGreaterThan(0);
        text[mark..].ShouldBe(expected);
    }
}
