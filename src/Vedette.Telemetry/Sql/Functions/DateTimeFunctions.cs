using System.Globalization;
using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Dates and durations. A timespan is ticks of 100 ns; weeks start on Sunday.</summary>
internal static class DateTimeFunctions
{
    private const long Day = TimeSpan.TicksPerDay;
    private const long Week = 7 * Day;

    /// <summary>From the Sunday before 1970-01-01, which was a Thursday.</summary>
    private const long SundayOffset = 4 * Day;

    public static void Add(IDictionary<string, SqlFunction> table)
    {
        table["now"] = c => c.Has(0) && c[0] is { Constant: TimeSpan shift } ? SqlConstant.Of(c.Context.Now + shift, KqlType.DateTime)
            : c.Has(0) ? SqlConvert.FromTicks(c.Span($"({SqlText.Long(c.Context.Now.Ticks - SqlConvert.UnixEpochTicks)} + {c.X(0)})"))
            : SqlConstant.Of(c.Context.Now, KqlType.DateTime);
        table["ago"] = c => c[0] is { IsConstant: true, Constant: TimeSpan back }
            ? SqlConstant.Of(c.Context.Now - back, KqlType.DateTime)
            : SqlConvert.FromTicks(c.Span($"({SqlText.Long(c.Context.Now.Ticks - SqlConvert.UnixEpochTicks)} - {c.X(0)})"));
        table["startofday"] = c => Start(c, Day, 0);
        table["startofweek"] = c => Start(c, Week, SundayOffset);
        table["endofday"] = c => Start(c, Day, 0, end: true);
        table["endofweek"] = c => Start(c, Week, SundayOffset, end: true);
        table["startofmonth"] = c => Calendar(c, "Months", "toStartOfMonth", end: false);
        table["endofmonth"] = c => Calendar(c, "Months", "toStartOfMonth", end: true);
        table["startofyear"] = c => Calendar(c, "Years", "toStartOfYear", end: false);
        table["endofyear"] = c => Calendar(c, "Years", "toStartOfYear", end: true);
        table["hourofday"] = c => c.Value($"toInt32(toHour({c.T(0)}))", KqlType.Int);
        table["dayofmonth"] = c => c.Value($"toInt32(toDayOfMonth({c.T(0)}))", KqlType.Int);
        table["dayofyear"] = c => c.Value($"toInt32(toDayOfYear({c.T(0)}))", KqlType.Int);
        table["monthofyear"] = c => c.Value($"toInt32(toMonth({c.T(0)}))", KqlType.Int);
        table["getmonth"] = table["monthofyear"];
        table["getyear"] = c => c.Value($"toInt32(toYear({c.T(0)}))", KqlType.Int);
        table["week_of_year"] = c => c.Long($"toInt64(toISOWeek({c.T(0)}))");
        // The elder function begins weeks on Sundays; the first one holds the year's first Wednesday.
        table["weekofyear"] = c => c.Value($"toInt32(toWeek({c.T(0)}, 6))", KqlType.Int);
        table["dayofweek"] = c => c.Span($"((toDayOfWeek({c.T(0)}) % 7) * {Day})");
        table["datetime_part"] = c => Part(c, c.ConstantText(0), 1);
        table["datepart"] = table["datetime_part"];
        table["datetime_add"] = AddPart;
        table["datetime_diff"] = Difference;
        table["format_datetime"] = c => c.Text(SqlLambda.Let(c.T(0), t => DateTimeFormat.Write(c.ConstantText(1), t, DateTimeFormat.DateTimePart)));
        table["format_timespan"] = c => c.Text(SqlLambda.Let(c.X(0), t => DateTimeFormat.Write(c.ConstantText(1), t, DateTimeFormat.TimeSpanPart)));
        table["make_datetime"] = Make;
        table["make_timespan"] = MakeSpan;
        foreach (var (unit, ticks) in new[] { ("seconds", 10_000_000L), ("milliseconds", 10_000L), ("microseconds", 10L) })
            table[$"unixtime_{unit}_todatetime"] = c => SqlConvert.FromCheckedTicks(c[0].Type is KqlType.Real or KqlType.Decimal
                ? new SqlValue($"accurateCastOrNull(round({c.R(0)} * {ticks}), 'Int64')", KqlType.TimeSpan, true)
                : new SqlValue($"accurateCastOrNull(toInt128({c.L(0)}) * {ticks}, 'Int64')", KqlType.TimeSpan, true));
        table["unixtime_nanoseconds_todatetime"] = c => SqlConvert.FromTicks(c.Span($"intDiv({c.L(0)}, 100)"));
        table["bin_auto"] = _ => throw SqlCall.Unsupported("bin_auto() needs the size of its bins: set query_bin_auto_size=… in front of the query");
        table["datetime_utc_to_local"] = c => Shift(c, "+");
        table["datetime_local_to_utc"] = c => Shift(c, "-");
        table["todatetime_local"] = table["datetime_local_to_utc"];
    }

    private static SqlValue Start(SqlCall c, long size, long offset, bool end = false)
    {
        var shift = c.Has(1) ? $" + {c.L(1)} * {size}" : "";
        var tail = end ? $" + {size - 1}" : "";
        var ticks = SqlLambda.Let(c.Ticks(0), t => offset == 0
            ? $"({t} - positiveModulo({t}, {SqlText.Long(size)}){shift}{tail})"
            : $"({t} - positiveModulo({t} + {offset}, {SqlText.Long(size)}){shift}{tail})");
        return SqlConvert.FromTicks(c.Span(ticks));
    }

    private static SqlValue Calendar(SqlCall c, string unit, string function, bool end)
    {
        var start = $"toDateTime64({function}({c.T(0)}), 7, 'UTC')";
        var offset = (c.Has(1) ? c.L(1) : "0") + (end ? " + 1" : "");
        if (offset != "0")
            start = $"add{unit}({start}, {offset})";
        if (!end)
            return c.Time(start);
        // The start of the year 10000 is not a time: the engine gives an earlier one.
        return SqlConvert.FromTicks(c.Span(SqlLambda.Let(c.Ticks(0), SqlConvert.Ticks(c.Time(start)).Text, (t, next) =>
            $"if({(c.Has(1) ? "" : $"{next} > {t} AND ")}{next} % {SqlText.Long(Day)} = 0, {next} - 1, {SqlText.Long(SqlConvert.LastTicks)})")));
    }

    private static string Singular(string part) => part.ToLowerInvariant() is var p && p.EndsWith('s') && p.Length > 3 && p is not "ms" ? p[..^1] : part.ToLowerInvariant();

    private static SqlValue Part(SqlCall c, string part, int index)
    {
        var t = c.T(index);
        return c.Long(Singular(part) switch
        {
            "year" => $"toInt64(toYear({t}))",
            "quarter" => $"toInt64(toQuarter({t}))",
            "month" => $"toInt64(toMonth({t}))",
            "week_of_year" => $"toInt64(toISOWeek({t}))",
            "weekofyear" => $"toInt64(toWeek({t}, 6))",
            "day" => $"toInt64(toDayOfMonth({t}))",
            "dayofyear" => $"toInt64(toDayOfYear({t}))",
            "hour" => $"toInt64(toHour({t}))",
            "minute" => $"toInt64(toMinute({t}))",
            "second" => $"toInt64(toSecond({t}))",
            "millisecond" => $"intDiv(positiveModulo({c.Ticks(index)}, 10000000), 10000)",
            "microsecond" => $"intDiv(positiveModulo({c.Ticks(index)}, 10000000), 10)",
            "nanosecond" => $"(positiveModulo({c.Ticks(index)}, 10000000) * 100)",
            _ => throw SqlCall.Unsupported($"'{part}' is not a part of a datetime"),
        });
    }

    private static long? TicksOfPart(string part) => part switch
    {
        "week" => Week,
        "day" => Day,
        "hour" => TimeSpan.TicksPerHour,
        "minute" => TimeSpan.TicksPerMinute,
        "second" => TimeSpan.TicksPerSecond,
        "millisecond" => TimeSpan.TicksPerMillisecond,
        "microsecond" => 10,
        _ => null,
    };

    private static SqlValue AddPart(SqlCall c)
    {
        var part = Singular(c.ConstantText(0));
        if (TicksOfPart(part) is { } ticks)
            return SqlConvert.FromCheckedTicks(c.Value($"accurateCastOrNull(toInt128({c.L(1)}) * {ticks} + {c.Ticks(2)}, 'Int64')", KqlType.TimeSpan, true));
        return part switch
        {
            "nanosecond" => SqlConvert.FromTicks(c.Span($"({c.Ticks(2)} + intDiv({c.L(1)}, 100))")),
            "month" => AddMonths(c, 1),
            "quarter" => AddMonths(c, 3),
            "year" => AddMonths(c, 12),
            _ => throw SqlCall.Unsupported($"'{c.ConstantText(0)}' is not a part of a datetime"),
        };
    }

    /// <summary>Null outside the years 1 to 9999, where the engine would give the nearest time there is.</summary>
    private static SqlValue AddMonths(SqlCall c, int months) => c.Value(
        SqlLambda.Let(c.T(2), c.L(1), (t, n) =>
            $"if(toInt64(toYear({t})) * 12 + toMonth({t}) - 1 + {n} * {months} BETWEEN 12 AND 119999, add{(months == 1 ? "Months" : months == 3 ? "Quarters" : "Years")}({t}, {n}), NULL)"),
        KqlType.DateTime, true);

    private static SqlValue Difference(SqlCall c)
    {
        // Counts the boundaries between the two, not the time.
        var part = Singular(c.ConstantText(0));
        if (part == "nanosecond")
            return c.Long($"(({c.Ticks(1)} - {c.Ticks(2)}) * 100)");
        if (TicksOfPart(part) is { } ticks)
        {
            var offset = part == "week" ? $" + {SundayOffset}" : "";
            return c.Long(SqlLambda.Let(c.Ticks(1), c.Ticks(2), (a, b) =>
                $"intDiv(({a} - positiveModulo({a}{offset}, {SqlText.Long(ticks)})) - ({b} - positiveModulo({b}{offset}, {SqlText.Long(ticks)})), {SqlText.Long(ticks)})"));
        }

        return part switch
        {
            "year" => c.Long($"(toInt64(toYear({c.T(1)})) - toYear({c.T(2)}))"),
            "quarter" => c.Long($"((toInt64(toYear({c.T(1)})) - toYear({c.T(2)})) * 4 + (toInt64(toQuarter({c.T(1)})) - toQuarter({c.T(2)})))"),
            "month" => c.Long($"((toInt64(toYear({c.T(1)})) - toYear({c.T(2)})) * 12 + (toInt64(toMonth({c.T(1)})) - toMonth({c.T(2)})))"),
            _ => throw SqlCall.Unsupported($"'{c.ConstantText(0)}' is not a part of a datetime"),
        };
    }

    private static SqlValue Make(SqlCall c)
    {
        if (c.Count == 1)
            return SqlConvert.ToDateTime(c[0]);
        // Parts that make no date give null; the engine would carry them over.
        var date = SqlLambda.Let(c.L(0), c.L(1), (year, month) => SqlLambda.Let(c.L(2), day =>
            $"if({year} BETWEEN 1 AND 9999 AND {month} BETWEEN 1 AND 12 AND {day} BETWEEN 1 AND multiIf({month} IN (4, 6, 9, 11), 30, {month} != 2, 31, "
            + $"{year} % 4 = 0 AND ({year} % 100 != 0 OR {year} % 400 = 0), 29, 28), toDateTime64OrNull(concat({Pad(year, 4)}, '-', {Pad(month, 2)}, '-', {Pad(day, 2)}, ' 00:00:00'), 7, 'UTC'), NULL)"));
        if (!c.Has(3))
            return c.Value(date, KqlType.DateTime, true);
        return SqlConvert.FromTicks(c.Value($"({SqlConvert.Ticks(c.Value(date, KqlType.DateTime, true)).Text} + {Clock(c, 3)})", KqlType.TimeSpan, true));

        static string Pad(string number, int width) => $"leftPad(toString({number}), {width}, '0')";
    }

    /// <summary>Ticks of hour, minute and perhaps second; null when one of them is none.</summary>
    private static string Clock(SqlCall c, int first)
    {
        var minutes = SqlLambda.Let(c.L(first), c.L(first + 1, 0), (hour, minute) =>
            $"if({hour} BETWEEN 0 AND 23 AND {minute} BETWEEN 0 AND 59, {hour} * {SqlText.Long(TimeSpan.TicksPerHour)} + {minute} * {TimeSpan.TicksPerMinute}, NULL)");
        return c.Has(first + 2)
            ? $"({minutes} + {SqlLambda.Let(c.R(first + 2), second => $"if({second} >= 0 AND {second} < 60, toInt64(round({second} * 10000000)), NULL)")})"
            : minutes;
    }

    private static SqlValue MakeSpan(SqlCall c)
    {
        if (c.Count == 1)
            return SqlConvert.ToTimeSpan(c[0]);
        var first = c.Count == 4 ? 1 : 0;
        var clock = Clock(c, first);
        return c.Value(c.Count == 4 ? $"accurateCastOrNull(toInt128({c.L(0)}) * {SqlText.Long(Day)} + {clock}, 'Int64')" : clock, KqlType.TimeSpan, true);
    }

    private static SqlValue Shift(SqlCall c, string sign)
    {
        if (!c[1].IsConstant)
            throw SqlCall.Unsupported($"{c.Name}() needs a constant time zone");
        var zone = SqlText.Quote(Local.Functions.TimeZones.Name(c.ConstantText(1)) ?? throw SqlCall.Unsupported($"The time zone '{Hunting.HuntingWords.Short(c.ConstantText(1))}' is not known"));
        var offset = SqlLambda.Let(c.T(0), t => sign == "+"
            ? OffsetOf(t)
            : SqlLambda.Let(OffsetOf($"subtractDays({t}, 1)"), OffsetOf($"addDays({t}, 1)"), (before, after) =>
                $"if({before} = {after} OR {OffsetOf($"subtractSeconds({t}, {after})")} = {after} OR {OffsetOf($"subtractSeconds({t}, {before})")} != {before}, {after}, {before})"));
        return SqlConvert.FromTicks(c.Span($"({c.Ticks(0)} {sign} {offset} * 10000000)"));

        string OffsetOf(string utc) => $"timezoneOffset(toTimeZone({utc}, {zone}))";
    }
}

/// <summary>Custom format strings of format_datetime and format_timespan.</summary>
internal static class DateTimeFormat
{
    /// <summary>Writes a format as a concatenation of parts.</summary>
    public static string Write(string format, string value, Func<char, int, string, string?> part)
    {
        var pieces = new List<string>();
        for (var i = 0; i < format.Length;)
        {
            var c = format[i];
            var run = i;
            while (run < format.Length && format[run] == c)
                run++;
            if (part(c, run - i, value) is { } sql)
            {
                pieces.Add(sql);
                i = run;
            }
            else
            {
                pieces.Add(SqlText.Quote(c.ToString(CultureInfo.InvariantCulture)));
                i++;
            }
        }

        return pieces.Count switch { 0 => "''", 1 => pieces[0], _ => $"concat({string.Join(", ", pieces)})" };
    }

    public static string? DateTimePart(char symbol, int length, string t)
    {
        var ticks = $"positiveModulo(reinterpret({t}, 'Int64'), 10000000)";
        return symbol switch
        {
            'd' => Number($"toDayOfMonth({t})", length),
            'M' => Number($"toMonth({t})", length),
            'y' => length <= 2 ? Number($"toYear({t}) % 100", length) : Number($"toYear({t})", length),
            'H' => Number($"toHour({t})", length),
            'h' => Number($"if(toHour({t}) % 12 = 0, 12, toHour({t}) % 12)", length),
            'm' => Number($"toMinute({t})", length),
            's' => Number($"toSecond({t})", length),
            'f' => $"substring(leftPad(toString({ticks}), 7, '0'), 1, {length})",
            'F' => $"replaceRegexpOne(substring(leftPad(toString({ticks}), 7, '0'), 1, {length}), '0+$', '')",
            't' => length == 1 ? $"if(toHour({t}) < 12, 'A', 'P')" : $"if(toHour({t}) < 12, 'AM', 'PM')",
            _ => null,
        };
    }

    public static string? TimeSpanPart(char symbol, int length, string t) => symbol switch
    {
        'd' => Number($"intDiv(abs({t}), 864000000000)", length),
        'H' or 'h' => Number($"intDiv(abs({t}), 36000000000) % 24", length),
        'm' => Number($"intDiv(abs({t}), 600000000) % 60", length),
        's' => Number($"intDiv(abs({t}), 10000000) % 60", length),
        'f' => $"substring(leftPad(toString(abs({t}) % 10000000), 7, '0'), 1, {length})",
        'F' => $"replaceRegexpOne(substring(leftPad(toString(abs({t}) % 10000000), 7, '0'), 1, {length}), '0+$', '')",
        _ => null,
    };

    private static string Number(string sql, int width) =>
        width <= 1 ? $"toString({sql})" : SqlLambda.Let($"toString({sql})", s => $"if(length({s}) >= {width}, {s}, leftPad({s}, {width}, '0'))");
}
