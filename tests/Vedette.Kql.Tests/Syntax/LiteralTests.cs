using System.Globalization;
using Vedette.Kql.Bound;

namespace Vedette.Kql.Tests.Syntax;

/// <summary>What literals mean.</summary>
public sealed class LiteralTests
{
    [Theory]
    [InlineData("\"a\\n\\\"b\\\\\"", "a\n\"b\\")]
    [InlineData("'it\\'s'", "it's")]
    [InlineData("@\"a\\b\"\"c\"", "a\\b\"c")]
    [InlineData("@'a''b'", "a'b")]
    [InlineData("h\"secret\"", "secret")]
    [InlineData("H@'x\\y'", "x\\y")]
    [InlineData("\"\\u0041\\x42\\101\"", "ABA")]
    [InlineData("```two\nlines \"quoted\" \\n```", "two\nlines \"quoted\" \\n")]
    [InlineData("~~~a~~~", "a")]
    [InlineData("'a' \"b\" @'c'", "abc")]
    [InlineData("''", "")]
    public void Strings_lose_quotes_and_escapes(string literal, string value) => Value(literal).Value.ShouldBe(value);

    [Theory]
    [InlineData("1d", 864_000_000_000)]
    [InlineData("1.5h", 54_000_000_000)]
    [InlineData("100ms", 1_000_000)]
    [InlineData("3micros", 30)]
    [InlineData("7tick", 7)]
    [InlineData("-2m", -1_200_000_000)]
    [InlineData("time(1.02:03:04.5)", 937_845_000_000)]
    [InlineData("timespan(-00:00:01)", -10_000_000)]
    [InlineData("time(2)", 1_728_000_000_000)]
    [InlineData("timespan(12h)", 432_000_000_000)]
    public void Timespans_are_ticks(string literal, long ticks) => Value(literal).Value.ShouldBe(new TimeSpan(ticks));

    [Theory]
    [InlineData("datetime(2026-11-20)", "2026-11-20T00:00:00.0000000Z")]
    [InlineData("datetime(2026-11-20 10:11:12.1234567)", "2026-11-20T10:11:12.1234567Z")]
    [InlineData("datetime(2026-11-20T10:11:12Z)", "2026-11-20T10:11:12.0000000Z")]
    [InlineData("datetime(2026-11-20T10:11:12+02:00)", "2026-11-20T08:11:12.0000000Z")]
    [InlineData("datetime('2026-11')", "2026-11-01T00:00:00.0000000Z")]
    [InlineData("datetime(2026)", "2026-01-01T00:00:00.0000000Z")]
    [InlineData("date(11/20/2026)", "2026-11-20T00:00:00.0000000Z")]
    [InlineData("datetime(2026-11-20 10:11:12.123456789)", "2026-11-20T10:11:12.1234567Z")]
    public void Datetimes_are_utc(string literal, string value) =>
        ((DateTime)Value(literal).Value!).ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture).ShouldBe(value);

    [Theory]
    [InlineData("42", KqlType.Long, 42L)]
    [InlineData("-42", KqlType.Long, -42L)]
    [InlineData("0x1F", KqlType.Long, 31L)]
    [InlineData("-9223372036854775808", KqlType.Long, long.MinValue)]
    [InlineData("1.5", KqlType.Real, 1.5)]
    [InlineData("1e3", KqlType.Real, 1000d)]
    [InlineData("int(7)", KqlType.Int, 7)]
    [InlineData("long(-7)", KqlType.Long, -7L)]
    [InlineData("real(+inf)", KqlType.Real, double.PositiveInfinity)]
    [InlineData("double(1)", KqlType.Real, 1d)]
    [InlineData("true", KqlType.Bool, true)]
    [InlineData("bool(0)", KqlType.Bool, false)]
    [InlineData("int(null)", KqlType.Int, null)]
    [InlineData("datetime(null)", KqlType.DateTime, null)]
    [InlineData("dynamic(null)", KqlType.Dynamic, null)]
    [InlineData("dynamic({'a':[1,2.5,'x'],\"b\":null,'c':true})", KqlType.Dynamic, "{\"a\":[1,2.5,\"x\"],\"b\":null,\"c\":true}")]
    [InlineData("dynamic([-1, 1d, datetime(2026-01-02)])", KqlType.Dynamic, "[-1,\"1.00:00:00\",\"2026-01-02T00:00:00.0000000Z\"]")]
    [InlineData("dynamic('a\"b')", KqlType.Dynamic, "\"a\\\"b\"")]
    public void Literals_have_type_and_value(string literal, KqlType type, object? value)
    {
        var bound = Value(literal);
        bound.Type.ShouldBe(type);
        bound.Value.ShouldBe(value);
    }

    [Theory]
    [InlineData("1d + 2h", "1.02:00:00")]
    [InlineData("2 * 1h", "02:00:00")]
    [InlineData("-1d", "-1.00:00:00")]
    public void Constant_timespans_fold(string expression, string value) =>
        ((TimeSpan)Value(expression).Value!).ToString("c", CultureInfo.InvariantCulture).ShouldBe(value);

    [Theory]
    [InlineData("now()", "now")]
    [InlineData("ago(1d)", "ago")]
    [InlineData("rand()", "rand")]
    public void Volatile_functions_do_not_fold(string expression, string function) =>
        ((PrintRelation)TestSchema.Plan("print " + expression)).Values[0].Value.ShouldBeOfType<BoundCall>().Function.Name.ShouldBe(function);

    [Fact]
    public void Comments_and_line_ends_separate_tokens() =>
        TestSchema.Print(TestSchema.Plan("// first\r\nprint a = 1 // rest\r\n, b = 2 // end").Columns).ShouldBe("a:long, b:long");

    private static BoundLiteral Value(string literal) =>
        ((PrintRelation)TestSchema.Plan("print " + literal)).Values[0].Value.ShouldBeOfType<BoundLiteral>();
}
