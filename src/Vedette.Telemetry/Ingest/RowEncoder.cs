using System.Globalization;
using System.Numerics;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Ingest;

/// <summary>Writes hunting rows of one table as blocks of ClickHouse's Native format. Columns that no row fills are left out.</summary>
internal sealed class RowEncoder
{
    private const long OldestTicks = 599266080000000000;  // 1900-01-01, the oldest day the engine knows
    private const long NewestTicks = 725529311990000000;  // 2299-12-31

    private static readonly BigInteger DecimalScale = BigInteger.Pow(10, 17);

    private readonly HuntingTable _table;
    private readonly IReadOnlyList<PhysicalColumn> _physical;
    private readonly string? _timeColumn;
    private readonly int[] _used;

    /// <summary>Looks through the rows that <see cref="Encode"/> will be given.</summary>
    public RowEncoder(PhysicalTable table, IReadOnlyList<StoredRow> rows)
    {
        _table = table.Table;
        _physical = table.Columns;
        _timeColumn = table.TimeColumn;
        var used = new bool[_table.Columns.Count];
        foreach (var row in rows)
        {
            var values = row.Row.Values;
            for (var i = 0; i < used.Length; i++) used[i] |= values[i] is not null and not "";
        }

        _used = Enumerable.Range(0, used.Length).Where(i => used[i] || _table.Columns[i].Name == _timeColumn).ToArray();
    }

    /// <summary>Names for the INSERT statement, in the order of the blocks' columns.</summary>
    public IEnumerable<string> ColumnNames =>
        _used.Select(i => _table.Columns[i].Name).Concat([PhysicalTable.TenantColumn, PhysicalTable.IngestTimeColumn, PhysicalTable.BatchColumn]);

    /// <summary>Appends a block of some of the rows.</summary>
    /// <exception cref="ArgumentException">A value does not fit its column.</exception>
    public void Encode(IReadOnlyList<StoredRow> rows, int start, int count, DateTime ingestTime, NativeBuffer buffer)
    {
        buffer.VarUInt((ulong)(_used.Length + 3));
        buffer.VarUInt((ulong)count);
        foreach (var ordinal in _used) Column(rows, start, count, _table.Columns[ordinal], buffer);

        buffer.String(PhysicalTable.TenantColumn);
        buffer.String("UUID");  // travels plain, as strings do
        for (var i = start; i < start + count; i++) buffer.Guid(rows[i].TenantId);

        buffer.String(PhysicalTable.IngestTimeColumn);
        buffer.String("DateTime64(7, 'UTC')");
        for (var i = 0; i < count; i++) buffer.Value(Ticks(ingestTime));

        buffer.String(PhysicalTable.BatchColumn);
        buffer.String("UInt64");
        for (var i = start; i < start + count; i++) buffer.Value(rows[i].Batch);
    }

    private void Column(IReadOnlyList<StoredRow> rows, int start, int count, HuntingColumn column, NativeBuffer buffer)
    {
        var type = _physical[column.Ordinal].Type;
        buffer.String(column.Name);

        // Strings travel plain; the engine builds its dictionaries.
        buffer.String(type == "LowCardinality(String)" ? "String" : type);
        var ordinal = column.Ordinal;
        if (column.Type is KqlType.String or KqlType.Dynamic)
        {
            for (var i = start; i < start + count; i++)
            {
                switch (rows[i].Row.Values[ordinal])
                {
                    case null: buffer.Byte(0); break;
                    case string text: buffer.String(text); break;
                    case var other: buffer.String(Text(other, column)); break;
                }
            }

            return;
        }

        if (_physical[ordinal].Nullable)
        {
            var mask = buffer.Take(count);
            for (var i = 0; i < count; i++) mask[i] = rows[start + i].Row.Values[ordinal] is null ? (byte)1 : (byte)0;
        }

        for (var i = start; i < start + count; i++) Value(rows[i].Row.Values[ordinal], column, buffer);
    }

    private void Value(object? value, HuntingColumn column, NativeBuffer buffer)
    {
        try
        {
            switch (column.Type)
            {
                case KqlType.Bool: buffer.Byte(value switch { null => 0, bool b => b ? (byte)1 : (byte)0, _ => throw Wrong(value, column) }); break;
                case KqlType.Int: buffer.Value(value switch { null => 0, int i => i, _ => Convert.ToInt32(value, CultureInfo.InvariantCulture) }); break;
                case KqlType.Long: buffer.Value(value switch { null => 0L, long l => l, _ => Convert.ToInt64(value, CultureInfo.InvariantCulture) }); break;
                case KqlType.Real: buffer.Value(value switch { null => 0.0, double d => d, _ => Convert.ToDouble(value, CultureInfo.InvariantCulture) }); break;
                case KqlType.Decimal: buffer.Value(value switch { null => Int128.Zero, decimal d => Scaled(d), _ => throw Wrong(value, column) }); break;
                case KqlType.DateTime: buffer.Value(value switch { null => 0L, DateTime t => Ticks(t), _ => throw Wrong(value, column) }); break;
                case KqlType.TimeSpan: buffer.Value(value switch { null => 0L, TimeSpan t => t.Ticks, _ => throw Wrong(value, column) }); break;
                case KqlType.Guid: buffer.Guid(value switch { null => Guid.Empty, Guid g => g, _ => throw Wrong(value, column) }); break;
                default: throw Wrong(value, column);
            }
        }
        catch (Exception error) when (error is InvalidCastException or FormatException or OverflowException)
        {
            throw Wrong(value, column);
        }
    }

    /// <summary>Ticks of 100 ns since 1970, inside the range of days that the engine knows.</summary>
    internal static long Ticks(DateTime time)
    {
        var utc = time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : time;
        return Math.Clamp(utc.Ticks, OldestTicks, NewestTicks) - DateTime.UnixEpoch.Ticks;
    }

    private static Int128 Scaled(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var scale = (bits[3] >> 16) & 0xFF;
        var unscaled = (BigInteger)(uint)bits[0] | ((BigInteger)(uint)bits[1] << 32) | ((BigInteger)(uint)bits[2] << 64);
        var scaled = unscaled * DecimalScale / BigInteger.Pow(10, scale);
        return (Int128)(bits[3] < 0 ? -scaled : scaled);
    }

    private static string Text(object value, HuntingColumn column) => value switch
    {
        Guid g when column.Type == KqlType.String => g.ToString("D"),
        IFormattable f when column.Type == KqlType.String => f.ToString(null, CultureInfo.InvariantCulture),
        _ => throw Wrong(value, column),
    };

    private static ArgumentException Wrong(object? value, HuntingColumn column) =>
        new($"Column '{column.Name}' holds {column.Type} values; a {value?.GetType().Name} does not fit.");
}

/// <summary>A row with what the store adds to it.</summary>
internal readonly record struct StoredRow(HuntingRow Row, Guid TenantId, ulong Batch);
