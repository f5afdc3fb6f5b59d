using System.Globalization;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Kql.Symbols;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Sql;

/// <summary>Counting by hours and names, which the engine has done beforehand.</summary>
internal sealed partial class RelationWriter
{
    /// <summary>Conditions on the day of scans whose time is only asked for by the hour.</summary>
    private readonly Dictionary<TableScan, IReadOnlyList<string>> _days = [];

    /// <summary>
    /// A summarize that does no more than count a table's rows by hours and counted columns, over whole hours, in the words in which the engine keeps its
    /// counts; any other as it is. The rows are the same either way: a time is not before a full hour exactly when its own hour is not.
    /// </summary>
    private SummarizeRelation ByHours(SummarizeRelation node)
    {
        if (_context.Window is not null || _context.IngestionWindow is not null || _context.VisibleDevices is not null
            || node.Aggregates.Count == 0 || node.Aggregates.Any(a => a.Function.Name != "count" || a.Arguments.Count > 0))
            return node;
        var filters = new List<FilterRelation>();
        var input = node.Input;
        for (; input is FilterRelation filter; input = filter.Input)
            filters.Add(filter);
        if (input is not TableScan scan || _context.FindTable(scan.Table.Name) is not { CountedColumns.Count: > 0, TimeColumn: { } time } table
            || scan.Columns.FirstOrDefault(c => c.Name == time) is not { } clock)
            return node;
        var names = scan.Columns.Where(c => table.CountedColumns.Contains(c.Name)).Select(c => c.Id).ToHashSet();
        var hour = new KqlColumn(NewHidden(), "", KqlType.DateTime);
        var keys = new List<NamedScalar>();
        foreach (var key in node.Keys)
        {
            if (OnlyColumns(key.Value, names))
                keys.Add(key);
            else if (Hours(key.Value, clock, hour) is { } hours)
                keys.Add(key with { Value = hours });
            else
                return node;
        }

        var conditions = new List<BoundScalar>();
        var days = new List<string>();
        foreach (var condition in filters.SelectMany(f => ScalarWriter.Conjuncts(f.Predicate)))
        {
            if (OnlyColumns(condition, names))
                conditions.Add(condition);
            else if (FromHour(condition, clock, table.Columns[time].Name, out var day) is { } hours)
            {
                conditions.Add(hours);
                days.Add(day);
            }
            else
                return node;
        }

        if (days.Count > 0)
            _days[scan] = days;
        else if (keys.All(k => OnlyColumns(k.Value, names)))
            _program.ReadsTotals(scan);
        var rows = conditions.Aggregate((BoundRelation)scan, (below, condition) => new FilterRelation(below, condition));
        if (keys.Any(k => k.Value is BoundCall { Function.Name: "bin", Arguments: [BoundColumnRef of, ..] } && of.Column == hour))
            rows = new ExtendRelation(rows, [new NamedScalar(hour, Hour(new BoundColumnRef(clock, default)))], [.. rows.Columns, hour]);
        return new SummarizeRelation(rows, keys, node.Aggregates);
    }

    /// <summary>A bin of whole hours, made out of hours; null when a value is none.</summary>
    private static BoundScalar? Hours(BoundScalar value, KqlColumn clock, KqlColumn hour)
    {
        if (value is not BoundCall { Function.Name: "bin", Arguments: [BoundColumnRef column, BoundLiteral { Value: TimeSpan size }] } bin
            || column.Column.Id != clock.Id || size <= TimeSpan.Zero || size.Ticks % TimeSpan.TicksPerHour != 0)
            return null;
        return size.Ticks == TimeSpan.TicksPerHour ? bin : new BoundCall(bin.Function, [new BoundColumnRef(hour, column.Span), bin.Arguments[1]], bin.Type, bin.Span);
    }

    /// <summary>A condition that times begin or end with a full hour, on their hours; null when it is none.</summary>
    private static BoundBinary? FromHour(BoundScalar condition, KqlColumn clock, string physical, out string day)
    {
        day = "";
        if (condition is not BoundBinary { Operator: KqlOperator.GreaterOrEqual or KqlOperator.Less, Left: BoundColumnRef column, Right: BoundLiteral { Value: DateTime full } } comparison
            || column.Column.Id != clock.Id || full.Ticks % TimeSpan.TicksPerHour != 0 || full.Ticks == 0)
            return null;
        var first = comparison.Operator == KqlOperator.GreaterOrEqual;
        day = $"{PhysicalTable.DayOf(physical)} {(first ? ">=" : "<=")} {(first ? full : full.AddTicks(-1)).ToString("yyyyMMdd", CultureInfo.InvariantCulture)}";
        return new BoundBinary(comparison.Operator, false, Hour(column), comparison.Right, comparison.Type, comparison.Span);
    }

    private static BoundCall Hour(BoundColumnRef column) =>
        new(FunctionTable.Scalars["bin"], [column, new BoundLiteral(KqlType.TimeSpan, TimeSpan.FromHours(1), column.Span)], KqlType.DateTime, column.Span);
}
