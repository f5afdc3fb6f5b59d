using System.Text;
using Vedette.Telemetry.Import.Reading;

namespace Vedette.Telemetry.Tests.Import.Reading;

public sealed class RecordReaderTests
{
    [Fact]
    public void Lines_come_with_their_numbers_whatever_ends_them() =>
        Read("one\r\ntwo\n\nfour").ShouldBe([(1, "one\r"), (2, "two"), (3, ""), (4, "four")]);

    [Fact]
    public void A_byte_order_mark_is_no_text() => Read("\uFEFFone\ntwo\n").ShouldBe([(1, "one"), (2, "two")]);

    [Fact]
    public void Json_lines_stay_lines_even_when_one_is_broken() =>
        Read("{\"a\":1}\n{\"a\":\n{\"a\":3}\n").ShouldBe([(1, "{\"a\":1}"), (2, "{\"a\":"), (3, "{\"a\":3}")]);

    [Fact]
    public void A_first_line_that_was_cut_off_does_not_take_the_others_with_it() =>
        Read("{\"a\":\n{\"a\":2}\n").ShouldBe([(1, "{\"a\":"), (2, "{\"a\":2}")]);

    [Fact]
    public void Json_objects_that_span_lines_are_found() =>
        Read("{\n  \"a\": \"}\\\"\"\n}\n{\n  \"a\": [2]\n}\n").ShouldBe([(1, "{\n  \"a\": \"}\\\"\"\n}"), (4, "{\n  \"a\": [2]\n}")]);

    [Fact]
    public void The_elements_of_a_json_array_are_found() =>
        Read("[\n {\"a\":1},\n {\"a\":[{}]}\n]\n").ShouldBe([(2, "{\"a\":1}"), (3, "{\"a\":[{}]}")]);

    [Fact]
    public void A_plain_line_that_begins_with_a_bracket_is_a_line() => Read("[12.5] boot\n[12.6] more\n").ShouldBe([(1, "[12.5] boot"), (2, "[12.6] more")]);

    [Fact]
    public void The_events_of_an_xml_document_are_found() =>
        Read("<?xml version=\"1.0\"?>\n<Events>\n<Event xmlns='x'>\n1</Event><Event>2</Event>\n</Events>")
            .ShouldBe([(3, "<Event xmlns='x'>\n1</Event>"), (4, "<Event>2</Event>")]);

    [Fact]
    public void A_record_over_the_limit_is_skipped_and_reading_goes_on()
    {
        var big = new string('x', 5000);
        Read($"one\n{big}\nthree\n", 1000).ShouldBe([(1, "one"), (2, "too long"), (3, "three")]);
        Read($"[{{\"a\":\"{big}\"}},\n{{\"a\":3}}]", 1000).ShouldBe([(1, "too long"), (2, "{\"a\":3}")]);
    }

    // Pieces of one byte: whatever the stream gives at a time, the records are the same.
    private static List<(long Line, string Text)> Read(string text, int limit = 100_000)
    {
        var whole = Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), limit);
        if (limit == 100_000) Read(new TrickleStream(Encoding.UTF8.GetBytes(text)), limit).ShouldBe(whole);
        return whole;
    }

    private static List<(long, string)> Read(Stream stream, int limit)
    {
        var reader = new RecordReader(stream, limit);
        var records = new List<(long, string)>();
        while (reader.TryRead(out var record)) records.Add((reader.Line, reader.TooLong ? "too long" : Encoding.UTF8.GetString(record)));
        return records;
    }

    private sealed class TrickleStream(byte[] bytes) : MemoryStream(bytes)
    {
        // The first read decides the shape, so it gets a little more.
        private bool _begun;

        public override int Read(byte[] buffer, int offset, int count)
        {
            var most = _begun ? 1 : 64;
            _begun = true;
            return base.Read(buffer, offset, Math.Min(count, most));
        }
    }
}
