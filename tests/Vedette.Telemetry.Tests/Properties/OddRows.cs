using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>Stored rows whose values are likely to trip a query: every column of a few tables is filled with ends of ranges, nulls and broken texts.</summary>
internal static class OddRows
{
    private const int RowsEach = 40;

    private const int Days = 6;

    /// <summary>The tables that hold such rows.</summary>
    public static readonly string[] Tables = ["DeviceEvents", "DeviceNetworkEvents", "DeviceInfo", "AlertEvidence", "DeviceTvmSoftwareVulnerabilitiesKB", "CloudAppEvents"];

    /// <summary>Texts with terms of every kind.</summary>
    public static readonly string[] Texts =
    [
        "", "powershell.exe -enc aGk=", "a_b-c d.e", "Ünï cödé", "x1_y2 z3", "İstanbul ılık", "ſtraße K", "naïve café", "漢字 かな", "tab\tsep\nnew line", "100%_of it", @"\\server\share\file.exe", "{\"k\":[1,{\"z\":null}],\"n\":{\"s\":\"v\"}}",
        "\0nul\0", "emoji😀tail 😀", "aa.bb.cc aab", "UPPER lower MiXeD", " ", "é", "e\u0301 x", "{\"broken\":", "[1,2", "12", "-7.5", "2026-01-02", "10.0.0.1", "fe80::1", "true", "null", "a'b\"c`d\\e", "*", "(paren) [br] {cu}",
        "nbsp\u00a0word", "dash–en—em", "zero\u200bwidth", "\u202eright", "01.02.03.04", "74be27de-1e4e-49d9-b579-fe0b331d3642", "https://a.example:99/p/q?x=1&y=%zz#f", string.Concat(Enumerable.Repeat("long text ", 2000)),
    ];

    private static readonly string[] Json =
    [
        "", "{\"k\":1,\"a\":[1,2]}", "[3,1,2]", "\"v\"", "{}", "[]", "[{\"q\":1},null,\"x\",2.5]", "5", "1.5", "true", "null", "{\"\":{\"\":[{}]}}", "{\"a.b\":1,\"a b\":{\"c'd\":2}}", "[9223372036854775807,1e308,-1]",
        string.Concat(Enumerable.Repeat("[", 100)) + string.Concat(Enumerable.Repeat("]", 100)), "[" + string.Join(',', Enumerable.Range(0, 3000)) + "]", "{\"k\":null,\"u\":\"ü漢\\u0000\"}",
    ];

    private static readonly double[] Reals = [0, 1.5, -0.001, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, double.Epsilon, 1e18, 42];

    private static readonly long[] Longs = [0, 1, -1, 42, long.MaxValue, long.MinValue, int.MaxValue, 7, 1000];

    private static readonly DateTime[] Times = [new(2026, 1, 1), new(1970, 1, 1), new(2262, 1, 1), new(1900, 1, 1), new(2025, 12, 31, 23, 59, 59), new(2024, 2, 29)];

    /// <summary>The rows.</summary>
    public static IEnumerable<HuntingRow> Make()
    {
        foreach (var name in Tables)
        {
            var table = HuntingSchema.Tables[name];
            var time = PhysicalTable.All[name].TimeColumn;
            for (var i = 0; i < RowsEach; i++)
            {
                var row = HuntingRow.For(name);
                foreach (var column in table.Columns) row[column.Name] = Value(column, i);
                if (time is not null) row[time] = DateTime.UtcNow.AddHours(-i * 24.0 * Days / RowsEach).AddMinutes(-5);
                if (table.OrdinalOf("DeviceId") >= 0) row["DeviceId"] = "own1";
                if (table.OrdinalOf("ActionType") >= 0) row["ActionType"] = "Act" + (i % 4).ToString(CultureInfo.InvariantCulture);
                yield return row;
            }
        }
    }

    private static object? Value(HuntingColumn column, int row)
    {
        var at = row + (column.Ordinal * 7);
        if (at % 9 == 4 && column.Type != KqlType.DateTime) return null;
        return column.Type switch
        {
            KqlType.String => Texts[at % Texts.Length],
            KqlType.Dynamic => Json[at % Json.Length],
            KqlType.Bool => at % 2 == 0,
            KqlType.Int => new[] { 0, 1, -1, int.MaxValue, int.MinValue, 80 }[at % 6],
            KqlType.Long => Longs[at % Longs.Length],
            KqlType.Real => Reals[at % Reals.Length],
            KqlType.Decimal => (decimal)at / 7,
            KqlType.DateTime => at % 9 == 4 ? null : Times[at % Times.Length],
            KqlType.TimeSpan => TimeSpan.FromTicks(Longs[at % Longs.Length]),
            _ => Guid.Parse("74be27de-1e4e-49d9-b579-fe0b331d3642"),
        };
    }
}
