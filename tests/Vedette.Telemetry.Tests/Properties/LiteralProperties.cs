using FsCheck;
using FsCheck.Fluent;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>Texts of users come back as they were, in every place where a query may hold one, and never become part of a statement.</summary>
public sealed class LiteralProperties
{
    // Whatever means something to KQL, to the engine, to its formats or to its escapes.
    private static readonly string[] Odd =
    [
        "'", "\"", "`", "\\", "\\'", "''", "\"\"", "\\\\", "\n", "\r\n", "\t", "\0", "\b", "\u001b", "{tenant:UUID}", "{x:String}", "--", "/*", "*/", "#", ";", "%", "_", "\\N", "\\x41",
        "' OR 1=1 --", "') UNION ALL SELECT * FROM system.tables --", "\\' OR '1'='1", "ü", "\u202e", "漢字", "😀", "e\u0301", "\u2028", "$", "$$", "${1}", "\\0", "(", ")", "[", "]", "{", "}", ":", ",", ".", " ",
        "null", "NULL", "a", "B", "1", "c1", "o1", "@", "|", "~", "^", "&", "=", "<", ">", "!", "\u00a0", "\ufeff",
    ];

    private static readonly Arbitrary<string> Texts = Gen.OneOf(
        Gen.Elements(Odd), Gen.Choose(32, 126).Select(c => ((char)c).ToString()), Gen.Choose(0xa0, 0xd7ff).Select(c => ((char)c).ToString()))
        .ListOf().Select(parts => string.Concat(parts.Take(24))).ToArbitrary();

    [Fact]
    public void A_text_comes_back_in_every_form_of_literal() => PropertyRuns.Check(120, Texts, text =>
    {
        var forms = new List<string> { PropertyRuns.Literal(text), "h" + PropertyRuns.Literal(text) };
        if (text.IndexOfAny(['\n', '\r']) < 0)
        {
            forms.Add("@\"" + text.Replace("\"", "\"\"") + "\"");
            forms.Add("@'" + text.Replace("'", "''") + "'");
        }

        if (!text.Contains("```") && !text.EndsWith('`') && text.Length > 0) forms.Add("```" + text + "```");
        var row = PropertyRuns.Rows("print " + string.Join(", ", forms.Select((form, i) => $"x{i} = {form}"))).Single();
        var at = Array.FindIndex(row, value => !text.Equals(value));
        return at < 0 ? null : $"{forms[at]} gave {row[at]}";
    });

    [Fact]
    public void A_text_is_found_by_what_it_is() => PropertyRuns.Check(120, Texts, text =>
    {
        var literal = PropertyRuns.Literal(text);
        var row = PropertyRuns.Rows(
            $"datatable(x:string)[{literal}, {PropertyRuns.Literal(text + "!")}] | summarize eq = countif(x == {literal}), inn = countif(x in ({literal}, 'zz')), st = countif(x startswith_cs {literal}), "
            + $"co = countif(x contains_cs {literal}), en = countif(x endswith_cs {literal}), ci = countif(x =~ {literal}), ix = countif(indexof(x, {literal}) == 0), "
            + $"sp = countif(array_length(split(x, {literal})) > 1), re = countif(replace_string(x, {literal}, '') in ('', '!')), rx = countif(x matches regex regex_quote({literal}))").Single();
        var wanted = new long[] { 1, 1, 2, 2, text.Length == 0 ? 2 : 1, 1, 2, 2, 2, 2 };
        if (text.Length == 0) return null;
        var at = Enumerable.Range(0, wanted.Length).Where(i => (long)row[i]! != wanted[i]).ToList();

        // A repeated beginning ends the text as well, and letters may have several cases.
        at.Remove(4);
        return at.Count == 0 ? null : $"{literal}: columns {string.Join(",", at)}: {string.Join(",", row)}";
    });

    [Fact]
    public void A_text_may_be_a_name_of_a_column_a_variable_or_a_key() => PropertyRuns.Check(120, Texts, text =>
    {
        if (text.Trim().Length == 0 || text.Contains('\0')) return null;
        var literal = PropertyRuns.Literal(text);
        var result = PropertyRuns.Run(
            $"let [{literal}] = 7; datatable([{literal}]:long, k:string)[5, 'b'] | extend p = [{literal}] + 1, bag = bag_pack({literal}, 9) | extend q = bag[{literal}] "
            + $"| summarize [{PropertyRuns.Literal(text + "2")}] = sum([{literal}]), take_any(p, q, bag) | sort by [{PropertyRuns.Literal(text + "2")}] asc");
        if (result.Columns[0].Name != text + "2") return $"the column is called {result.Columns[0].Name}";
        var row = result.Rows.Single();
        return (row[0], row[1], row[2]) is (5L, 6L, "9") ? null : string.Join(", ", row);
    });

    [Fact]
    public void A_text_in_a_dynamic_value_stays_a_text() => PropertyRuns.Check(120, Texts, text =>
    {
        var json = System.Text.Json.JsonSerializer.Serialize(text);
        var row = PropertyRuns.Rows(
            $"print a = tostring(dynamic([{json}])[0]), b = tostring(parse_json({PropertyRuns.Literal("{\"k\":" + json + "}")}).k), c = tostring(pack_array({PropertyRuns.Literal(text)})[0]), "
            + $"d = tostring(bag_keys(bag_pack({PropertyRuns.Literal(text)}, 1))[0]), e = strcat_array(make_list, '') ".Replace("make_list", $"pack_array({PropertyRuns.Literal(text)})")).Single();
        var at = Array.FindIndex(row, value => !text.Equals(value));
        return at < 0 ? null : $"column {at} gave {row[at]}";
    });

    [Fact]
    public void A_text_against_stored_rows_never_reaches_beyond_them() => PropertyRuns.Check(60, Texts, text =>
    {
        var literal = PropertyRuns.Literal(text);
        try
        {
            var row = PropertyRuns.Rows(
                $"DeviceProcessEvents | where ProcessCommandLine has {literal} or FileName !contains {literal} or DeviceName in~ ({literal}) or ProcessCommandLine has_any ({literal}, 'enc') "
                + $"or parse_json(AdditionalFields)[{literal}] == {literal} or FileName != {literal} | summarize n = count(), foreign = countif(ProcessCommandLine has 'foreign' or DeviceId startswith 'foreign')").Single();
            return (row[0], row[1]) is (12L, 0L) ? null : string.Join(", ", row);
        }
        catch (HuntingException error)
        {
            return $"{literal}: {error.Failure}: {error.Message} {error.InnerException?.Message}";
        }
    });

    [Fact]
    public void Numbers_times_and_ids_come_back() => PropertyRuns.Check(150, Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
    {
        var random = new Random(seed);
        var number = random.NextInt64(long.MinValue + 1, long.MaxValue);
        var real = BitConverter.Int64BitsToDouble(random.NextInt64());
        var time = new DateTime(random.NextInt64(new DateTime(1900, 1, 2).Ticks, new DateTime(2262, 1, 1).Ticks), DateTimeKind.Utc);
        var span = TimeSpan.FromTicks(random.NextInt64(-TimeSpan.TicksPerDay * 100_000, TimeSpan.TicksPerDay * 100_000));
        var bytes = new byte[16];
        random.NextBytes(bytes);
        var id = new Guid(bytes);
        var money = new decimal(random.Next(), random.Next(), 0, random.Next(2) == 0, (byte)random.Next(9));
        var row = PropertyRuns.Rows(FormattableString.Invariant(
            $"print a = long({number}), b = real({(double.IsFinite(real) ? real.ToString("R", System.Globalization.CultureInfo.InvariantCulture) : "0")}), c = datetime({time:yyyy-MM-ddTHH:mm:ss.fffffff}), d = time({span:c}), e = guid({id}), f = decimal({money}), g = int({(int)number})")).Single();
        object[] wanted = [number, double.IsFinite(real) ? real : 0.0, time, span, id, money, (int)number];
        var at = Enumerable.Range(0, wanted.Length).Where(i => !wanted[i].Equals(row[i])).ToList();
        return at.Count == 0 ? null : string.Join("; ", at.Select(i => $"{wanted[i]:o} gave {row[i]}"));
    });
}
