using System.Globalization;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Sql;

/// <summary>Where rows come from.</summary>
internal sealed partial class RelationWriter
{
    /// <summary>
    /// A table: only rows of the tenant, inside the visible windows, of visible devices. These conditions are part of the scan itself; nothing that
    /// is written above it can take them away.
    /// </summary>
    private Select Scan(TableScan scan)
    {
        var table = _context.FindTable(scan.Table.Name)
            ?? throw new HuntingException(HuntingFailure.Unsupported, $"The table {scan.Table.Name} is not available.");
        var columns = new Dictionary<int, SqlValue>();
        foreach (var column in scan.Columns)
        {
            columns[column.Id] = table.Columns.TryGetValue(column.Name, out var physical)
                ? Typed(new SqlValue(SqlText.Identifier(physical.Name), physical.Type, physical.Nullable) { IsDictionary = physical.IsDictionary }, column.Type)
                : SqlConstant.Null(column.Type);
        }

        var arrival = NewHidden();
        columns[arrival] = new SqlValue(SqlText.Identifier("_IngestTime"), KqlType.DateTime, false);
        var from = $"{SqlText.Identifier(table.Database)}.{SqlText.Identifier(table.Name)}";
        var select = new Select(new TextSource(_ => from, columns)) { IngestTime = arrival, ReadsTable = true };
        select.Where($"{SqlText.Identifier("_TenantId")} = {_program.Parameter("tenant", "UUID", _context.TenantId)}");
        foreach (var day in _days.GetValueOrDefault(scan, []))
            select.Where(day);
        if (_context.Window is { } window && table.TimeColumn is { } time)
        {
            var name = SqlText.Identifier(table.Columns[time].Name);
            select.Where($"{name} >= {_program.Parameter("from", SqlText.DateTimeType, window.From)}");
            select.Where($"{name} < {_program.Parameter("to", SqlText.DateTimeType, window.To)}");
        }

        if (_context.IngestionWindow is { } arrivals)
        {
            select.Where($"{SqlText.Identifier("_IngestTime")} >= {_program.Parameter(_beside ? "besideFrom" : "arrivedFrom", SqlText.DateTimeType, _beside ? arrivals.From - _context.BesideLookBack : arrivals.From)}");
            select.Where($"{SqlText.Identifier("_IngestTime")} < {_program.Parameter("arrivedTo", SqlText.DateTimeType, arrivals.To)}");
        }

        if (_context.VisibleDevices is { } devices && table.DeviceColumn is { } device)
            select.Where($"{SqlText.Identifier(table.Columns[device].Name)} IN ({_program.Parameter("devices", "Array(String)", devices)})");
        return select;
    }

    private Select DataTable(DataTableRelation table)
    {
        var columns = table.Columns.ToDictionary(
            c => c.Id,
            c => new SqlValue(Select.Name(c.Id), c.Type, c.Type is not (KqlType.String or KqlType.Dynamic)));
        var scope = new Select(new TextSource(_ => "", new Dictionary<int, SqlValue>()));
        var rows = table.Rows.Select(row => row.Select((cell, i) => Typed(_scalars.Write(cell, scope), table.Columns[i].Type)).ToList()).ToList();
        string text;
        if (rows.All(row => row.All(cell => cell.IsConstant)))
        {
            text = ConstantRows.Write(
                table.Columns.Select(c => (Select.Name(c.Id), c.Type)).ToList(),
                rows.Select(row => (IReadOnlyList<object?>)row.Select(cell => cell.Constant).ToList()));
        }
        else
        {
            text = "(" + string.Join(" UNION ALL ", rows.Select(row => "SELECT " + string.Join(", ", row.Select((cell, i) =>
                $"CAST({cell.Text}, {SqlText.Quote(SqlTypes.Column(cell.Type))}) AS {Select.Name(table.Columns[i].Id)}")))) + ")";
        }

        return new Select(new TextSource(_ => text, columns));
    }

    private Select Print(PrintRelation print) => Compute(new Select(new TextSource(_ => "", new Dictionary<int, SqlValue>())), print.Values);

    private Select Range(RangeRelation range)
    {
        var empty = new Select(new TextSource(_ => "", new Dictionary<int, SqlValue>()));
        var type = range.Column.Type;
        SqlValue from = _scalars.Write(range.From, empty), to = _scalars.Write(range.To, empty), step = _scalars.Write(range.Step, empty);
        string start, stop, size;
        if (type == KqlType.DateTime)
        {
            start = SqlConvert.Ticks(SqlConvert.ToDateTime(from)).Text;
            stop = SqlConvert.Ticks(SqlConvert.ToDateTime(to)).Text;
            size = SqlConvert.ToTimeSpan(step).Text;
        }
        else
        {
            start = SqlConvert.To(from, type).Text;
            stop = SqlConvert.To(to, type).Text;
            size = SqlConvert.To(step, type).Text;
        }

        var count = $"toUInt64(ifNull(least(greatest(floor(({stop} - {start}) / {size} + 1e-9) + 1, 0), 1e18), 0))";
        var value = $"({start} + number * {size})";
        var sql = type switch
        {
            KqlType.DateTime => SqlConvert.FromTicks(new SqlValue(value, KqlType.TimeSpan, false)).Text,
            KqlType.Int => $"toInt32({value})",
            KqlType.Real or KqlType.Decimal => value,
            _ => $"toInt64({value})",
        };
        var name = Select.Name(range.Column.Id);
        var rows = from.IsConstant && to.IsConstant && step.IsConstant ? $"numbers({count})" : $"(SELECT arrayJoin(range({count})) AS number)";
        var text = $"(SELECT {sql} AS {name} FROM {rows})";
        return new Select(new TextSource(_ => text, new Dictionary<int, SqlValue> { [range.Column.Id] = new(name, type, from.Nullable || step.Nullable) }));
    }

    private static string Count(long value) => value.ToString(CultureInfo.InvariantCulture);
}
