using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Vedette.Telemetry.Engine;

/// <summary>Decodes blocks of ClickHouse's Native format (without compression, client revision 0).</summary>
internal ref struct NativeBlockReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _position;

    /// <summary>Where the next block begins.</summary>
    public readonly int Position => _position;

    private readonly int Left => _data.Length - _position;

    /// <summary>Reads a block; false when the data ends before the block does, and <see cref="Position"/> stays at its beginning.</summary>
    /// <exception cref="ClickHouseException">A column has a type that cannot be read.</exception>
    public bool TryRead(FieldCache fields, out ClickHouseBlock? block)
    {
        var start = _position;
        try
        {
            block = Read(fields);
            return true;
        }
        catch (EndOfDataException)
        {
            _position = start;
            block = null;
            return false;
        }
    }

    private ClickHouseBlock Read(FieldCache cache)
    {
        var columnCount = (int)VarUInt();
        var rowCount = (int)VarUInt();
        var fields = new ClickHouseField[columnCount];
        var columns = new ClickHouseColumn[columnCount];
        for (var i = 0; i < columnCount; i++)
        {
            var name = Text();
            var type = cache.Type(Text());
            fields[i] = new ClickHouseField(name, type);
            if (rowCount == 0)
            {
                columns[i] = new NothingColumn(0);
                continue;
            }

            Prefix(type);
            columns[i] = Column(type, rowCount);
        }

        return new ClickHouseBlock(cache.Reuse(fields), columns, rowCount);
    }

    // What some types put before the data of the whole column, in the order of the nested types.
    private void Prefix(ClickHouseType type)
    {
        if (type.Name is "LowCardinality" or "JSON" or "Object" && UInt64() != 1)
            throw new ClickHouseException(50, "UNKNOWN_TYPE", $"A column of type {type.Text} came in a form that cannot be read.");
        if (type.Name == "LowCardinality") return;
        foreach (var argument in type.Arguments) Prefix(argument);
    }

    private ClickHouseColumn Column(ClickHouseType type, int count) => type.Name switch
    {
        "LowCardinality" => LowCardinality(type.Arguments[0], count),
        "Nullable" => new NullableColumn(Bytes(count).ToArray(), Column(type.Arguments[0], count)),
        "Array" => Array(type.Arguments[0], count),
        "Map" => Map(type, count),
        "Tuple" or "Nested" => Tuple(type.Arguments, count),
        "String" or "JSON" or "Object" => Strings(count),
        "FixedString" => FixedStrings(type.Precision, count),
        "Nothing" => Nothing(count),
        "Bool" => new FixedColumn<byte>(Bytes(count).ToArray(), static v => v != 0),
        "UInt8" => new FixedColumn<byte>(Bytes(count).ToArray(), static v => v),
        "Int8" => Fixed<sbyte>(count, static v => v),
        "UInt16" => Fixed<ushort>(count, static v => v),
        "Int16" => Fixed<short>(count, static v => v),
        "UInt32" => Fixed<uint>(count, static v => v),
        "Int32" => Fixed<int>(count, static v => v),
        "UInt64" => Fixed<ulong>(count, static v => v),
        "Int64" => Fixed<long>(count, static v => v),
        "UInt128" => Fixed<UInt128>(count, static v => v),
        "Int128" => Fixed<Int128>(count, static v => v),
        "Float32" => Fixed<float>(count, static v => v),
        "Float64" => Fixed<double>(count, static v => v),
        "Date" => Fixed<ushort>(count, static v => DateTime.UnixEpoch.AddDays(v)),
        "Date32" => Fixed<int>(count, static v => DateTime.UnixEpoch.AddDays(v)),
        "DateTime" => Fixed<uint>(count, static v => DateTime.UnixEpoch.AddSeconds(v)),
        "DateTime64" => DateTimes(type.Precision, count),
        "UUID" => Fixed<(ulong High, ulong Low)>(count, static v => ToGuid(v.High, v.Low)),
        "IPv4" => Fixed<uint>(count, static v => new IPAddress(BinaryPrimitives.ReverseEndianness(v)).ToString()),
        "IPv6" => Addresses(count),
        "Enum8" => Enums(type, Bytes(count).ToArray().Select(v => (int)(sbyte)v).ToArray()),
        "Enum16" => Enums(type, Cast<short>(count).Select(v => (int)v).ToArray()),
        "Decimal" => Decimals(type.Precision, int.Parse(type.Literals[1], CultureInfo.InvariantCulture), count),
        _ when type.Name.StartsWith("Interval", StringComparison.Ordinal) => Fixed<long>(count, static v => v),
        _ => throw new ClickHouseException(50, "UNKNOWN_TYPE", $"A column of type {type.Text} cannot be read: turn it into a string first."),
    };

    private FixedColumn<T> Fixed<T>(int count, Func<T, object> box)
        where T : unmanaged => new(Cast<T>(count), box);

    private T[] Cast<T>(int count)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes(checked(count * Unsafe.SizeOf<T>()))).ToArray();

    private StringColumn Strings(int count)
    {
        // First pass: lengths, so that the bytes are copied once into an array of the right size.
        var start = _position;
        var ends = new int[count];
        var total = 0;
        for (var i = 0; i < count; i++)
        {
            var length = (int)VarUInt();
            if (length > Left) throw new EndOfDataException();
            _position += length;
            total += length;
            ends[i] = total;
        }

        var bytes = new byte[total];
        var end = _position;
        _position = start;
        var written = 0;
        for (var i = 0; i < count; i++)
        {
            var length = (int)VarUInt();
            _data.Slice(_position, length).CopyTo(bytes.AsSpan(written));
            written += length;
            _position += length;
        }

        _position = end;
        return new StringColumn(bytes, ends);
    }

    private StringColumn FixedStrings(int size, int count)
    {
        var ends = new int[count];
        for (var i = 0; i < count; i++) ends[i] = (i + 1) * size;
        return new StringColumn(Bytes(checked(size * count)).ToArray(), ends);
    }

    private NothingColumn Nothing(int count)
    {
        Bytes(count);
        return new NothingColumn(count);
    }

    private ArrayColumn Array(ClickHouseType element, int count)
    {
        var ends = Cast<ulong>(count);
        var total = count == 0 ? 0 : checked((int)ends[^1]);
        return new ArrayColumn(ends, total == 0 ? new NothingColumn(0) : Column(element, total));
    }

    private MapColumn Map(ClickHouseType type, int count)
    {
        var ends = Cast<ulong>(count);
        var total = count == 0 ? 0 : checked((int)ends[^1]);
        return new MapColumn(new ArrayColumn(ends, Tuple(type.Arguments, total)));
    }

    private TupleColumn Tuple(IReadOnlyList<ClickHouseType> types, int count)
    {
        if (types.Count == 0)
        {
            Bytes(count);
            return new TupleColumn(count, []);
        }

        var members = new ClickHouseColumn[types.Count];
        for (var i = 0; i < members.Length; i++) members[i] = count == 0 ? new NothingColumn(0) : Column(types[i], count);
        return new TupleColumn(count, members);
    }

    private DictionaryColumn LowCardinality(ClickHouseType type, int count)
    {
        const ulong indexTypeMask = 0xFF;
        const ulong globalDictionary = 1 << 8;
        var flags = UInt64();
        if ((flags & globalDictionary) != 0)
            throw new ClickHouseException(50, "UNKNOWN_TYPE", "A dictionary shared between blocks cannot be read.");
        var nullable = type.Name == "Nullable";
        var keys = Column(nullable ? type.Arguments[0] : type, checked((int)UInt64()));
        var rows = checked((int)UInt64());
        if (rows != count) throw new ClickHouseException(0, "", "The engine's answer is not in Native format.");
        var indexes = (flags & indexTypeMask) switch
        {
            0 => System.Array.ConvertAll(Bytes(count).ToArray(), static i => (int)i),
            1 => System.Array.ConvertAll(Cast<ushort>(count), static i => (int)i),
            2 => Cast<int>(count),
            _ => System.Array.ConvertAll(Cast<ulong>(count), static i => (int)i),
        };
        return new DictionaryColumn(keys, indexes, nullable);
    }

    private FixedColumn<long> DateTimes(int precision, int count)
    {
        if (precision == 7) return Fixed<long>(count, static v => Time(v));
        var power = 1L;
        for (var i = precision; i != 7; i += i < 7 ? 1 : -1) power *= 10;
        return precision < 7 ? Fixed<long>(count, v => Time(v * power)) : Fixed<long>(count, v => Time(v / power));
    }

    private static DateTime Time(long ticks) => DateTime.UnixEpoch.AddTicks(
        Math.Clamp(ticks, -DateTime.UnixEpoch.Ticks, DateTime.MaxValue.Ticks - DateTime.UnixEpoch.Ticks));

    private ClickHouseColumn Decimals(int precision, int scale, int count)
    {
        var divisor = BigInteger.Pow(10, scale);
        return precision switch
        {
            <= 9 => Fixed<int>(count, v => ToDecimal(v, divisor)),
            <= 18 => Fixed<long>(count, v => ToDecimal(v, divisor)),
            <= 38 => Fixed<Int128>(count, v => ToDecimal(v, divisor)),
            _ => Fixed<Wide>(count, v => ToDecimal(v.Value, divisor)),
        };
    }

    /// <summary>An integer of 256 bits, low bytes first.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Wide
    {
        private readonly Int128 _low;
        private readonly Int128 _high;

        public BigInteger Value => ((BigInteger)_high << 128) + (UInt128)_low;
    }

    private static object ToDecimal(BigInteger value, BigInteger divisor)
    {
        var whole = BigInteger.DivRem(value, divisor, out var rest);
        if (BigInteger.Abs(whole) > (BigInteger)decimal.MaxValue) return value.Sign > 0 ? decimal.MaxValue : decimal.MinValue;

        // .NET holds 28 digits: drop the last of the fraction rather than fail.
        var fraction = rest;
        var fractionDivisor = divisor;
        while (BigInteger.Abs(fraction) > (BigInteger)long.MaxValue || fractionDivisor > (BigInteger)long.MaxValue)
        {
            fraction /= 10;
            fractionDivisor /= 10;
        }

        return (decimal)whole + ((decimal)fraction / (decimal)fractionDivisor);
    }

    private StringColumn Addresses(int count)
    {
        var raw = Bytes(checked(count * 16));
        var text = new StringBuilder();
        var ends = new int[count];
        for (var i = 0; i < count; i++)
        {
            text.Append(new IPAddress(raw.Slice(i * 16, 16)).ToString());
            ends[i] = text.Length;
        }

        return new StringColumn(Encoding.ASCII.GetBytes(text.ToString()), ends);
    }

    private static FixedColumn<int> Enums(ClickHouseType type, int[] values)
    {
        var names = type.Literals.Select(static member =>
        {
            var equals = member.LastIndexOf('=');
            var name = member[..equals].Trim();
            var number = int.Parse(member.AsSpan(equals + 1).Trim(), CultureInfo.InvariantCulture);
            return KeyValuePair.Create(number, name[1..^1].Replace("\\'", "'", StringComparison.Ordinal));
        }).ToFrozenDictionary();
        return new FixedColumn<int>(values, v => names[v]);
    }

    private static object ToGuid(ulong high, ulong low)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], low);
        return new Guid(bytes, bigEndian: true);
    }

    private ulong VarUInt()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_position >= _data.Length) throw new EndOfDataException();
            var b = _data[_position++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return value;
        }

        throw new ClickHouseException(0, "", "The engine's answer is not in Native format.");
    }

    private ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    private string Text() => Encoding.UTF8.GetString(Bytes(checked((int)VarUInt())));

    private ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > Left) throw new EndOfDataException();
        var bytes = _data.Slice(_position, count);
        _position += count;
        return bytes;
    }

    private sealed class EndOfDataException : Exception;

    /// <summary>Types and field lists of one answer, so that every block shares them.</summary>
    internal sealed class FieldCache
    {
        private readonly Dictionary<string, ClickHouseType> _types = new(StringComparer.Ordinal);
        private ClickHouseField[]? _fields;

        public ClickHouseType Type(string text)
        {
            if (_types.TryGetValue(text, out var type)) return type;
            return _types[text] = ClickHouseType.Parse(text);
        }

        public ClickHouseField[] Reuse(ClickHouseField[] fields)
        {
            if (_fields is not null && _fields.AsSpan().SequenceEqual(fields)) return _fields;
            return _fields = fields;
        }
    }
}
