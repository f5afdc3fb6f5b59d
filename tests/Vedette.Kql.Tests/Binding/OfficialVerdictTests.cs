using System.Security.Cryptography;
using System.Text;

namespace Vedette.Kql.Tests.Binding;

/// <summary>
/// Queries made at random and damaged at random, with what Microsoft's public binder says of each: whether it binds, to which columns, and else where
/// its first error lies and with which code. Total agreement is not the aim (a service is laxer than its editor here and there), so the numbers below are the
/// most disagreements allowed; they only ever go down.
/// </summary>
public sealed class OfficialVerdictTests
{
    private const int MaxVerdicts = 68;
    private const int MaxColumns = 30;
    private const int MaxPlaces = 250;
    private const int MaxSpansOrCodes = 320;

    [Fact]
    public void Verdicts_columns_and_places_agree()
    {
        var tables = new List<KqlTable>(TestSchema.Hunting.Tables);
        KqlSchema? schema = null;
        var original = "";
        List<string> verdicts = [], columns = [], places = [], codes = [];
        var count = 0;
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "official-verdicts.txt")))
        {
            if (line[0] == '#')
                continue;
            if (line[0] == 'T')
            {
                tables.Add(Table(line[2..]));
                continue;
            }

            schema ??= new KqlSchema(tables, TestSchema.Hunting.Functions);
            var tab = line.IndexOf('\t', StringComparison.Ordinal);
            var query = line[0] == 'Q' ? original = Unescape(line[2..tab]) : Damage(original, line[2..tab]);
            var expected = line[(tab + 1)..];
            var compilation = KqlCompiler.Bind(query, schema);
            var first = compilation.Diagnostics.FirstOrDefault(d => d.Severity == KqlSeverity.Error);
            count++;
            if (compilation.Succeeded != (expected[0] == '='))
            {
                verdicts.Add($"{query}\n  {expected}\n  {first}");
            }
            else if (first is null)
            {
                var got = TestSchema.Print(compilation.Columns);
                if (expected != "=" + got && expected != "=#" + Hash(got))
                    columns.Add($"{query}\n  {expected}\n  {got}");
            }
            else
            {
                var parts = expected[1..].Split(' ');
                if (first.Span.Start.ToString(System.Globalization.CultureInfo.InvariantCulture) != parts[0])
                    places.Add($"{query}\n  {expected}\n  {first}");
                if ($"{first.Span.Start} {first.Span.Length}" != $"{parts[0]} {parts[1]}" || !parts.Skip(2).Contains(first.Code))
                    codes.Add($"{query}\n  {expected}\n  {first}");
            }
        }

        count.ShouldBeGreaterThan(3_500);
        Check(verdicts, MaxVerdicts, "accepted or refused otherwise");
        Check(columns, MaxColumns, "bound to other columns");
        Check(places, MaxPlaces, "refused at another place");
        Check(codes, MaxSpansOrCodes, "refused with another length or code");
    }

    private static void Check(List<string> wrong, int most, string what) =>
        wrong.Count.ShouldBeLessThanOrEqualTo(most, $"{what}:\n{string.Join('\n', wrong.Take(60))}");

    private static string Damage(string original, string damage)
    {
        var parts = damage.Split(' ', 3);
        var start = int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture);
        var length = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        return original[..start] + Unescape(parts[2]) + original[(start + length)..];
    }

    private static string Unescape(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            result.Append(text[i] != '\\' ? text[i] : text[++i] switch { 'n' => '\n', 't' => '\t', var c => c });
        return result.ToString();
    }

    private static string Hash(string columns) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(columns)))[..12];

    private static KqlTable Table(string text)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var columns = text[(open + 1)..^1].Split(", ").Select(c => c.Split(':'))
            .Select(c => KqlTypes.TryParse(c[1], out var type) ? new KqlColumnDefinition(c[0], type) : throw new FormatException(text));
        return new KqlTable(text[..open], [.. columns]);
    }
}
