using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>A call of a scalar function while it is being written: its arguments, converted on demand, and its result.</summary>
internal sealed class SqlCall(string name, IReadOnlyList<SqlValue> arguments, KqlType type, SqlContext context)
{
    private bool _nullable;

    public string Name { get; } = name;

    public IReadOnlyList<SqlValue> Arguments { get; } = arguments;

    /// <summary>The result's type as the language states it.</summary>
    public KqlType Type { get; } = type;

    public SqlContext Context { get; } = context;

    public int Count => Arguments.Count;

    public bool Has(int index) => index < Arguments.Count;

    public SqlValue this[int index] => Arguments[index];

    /// <summary>An argument as text.</summary>
    public string S(int index) => SqlConvert.ToText(Arguments[index]).Text;

    /// <summary>An argument as a long.</summary>
    public string L(int index) => Take(SqlConvert.ToLong(Arguments[index]));

    /// <summary>An argument as a long, or a default when it is absent.</summary>
    public string L(int index, long absent) => Has(index) ? L(index) : SqlText.Long(absent);

    /// <summary>An argument as a real.</summary>
    public string R(int index) => Take(SqlConvert.ToReal(Arguments[index]));

    /// <summary>An argument as a datetime.</summary>
    public string T(int index) => Take(SqlConvert.ToDateTime(Arguments[index]));

    /// <summary>A datetime argument as ticks since 1970.</summary>
    public string Ticks(int index) => Take(SqlConvert.Ticks(SqlConvert.ToDateTime(Arguments[index])));

    /// <summary>An argument as timespan ticks.</summary>
    public string X(int index) => Take(SqlConvert.ToTimeSpan(Arguments[index]));

    /// <summary>An argument as bool.</summary>
    public string B(int index) => Take(SqlConvert.ToBool(Arguments[index]));

    /// <summary>An argument as a dynamic's JSON text.</summary>
    public string D(int index) => SqlConvert.ToDynamic(Arguments[index]).Text;

    /// <summary>An argument as JSON text, 'null' for null.</summary>
    public string J(int index) => SqlConvert.ToJson(Arguments[index]);

    /// <summary>An array argument as Array(String) of its elements' JSON texts; empty when it is no array.</summary>
    public string Elements(int index) => SqlJson.Elements(Arguments[index]);

    /// <summary>An array argument as Array(String) of its elements' texts.</summary>
    public string Strings(int index) => SqlJson.Strings(Arguments[index]);

    /// <summary>An argument as it is.</summary>
    public string Raw(int index) => Take(Arguments[index]);

    /// <summary>A string argument that has to be a constant.</summary>
    public string ConstantText(int index) => Arguments[index] is { IsConstant: true } value
        ? value.Constant as string ?? Convert.ToString(value.Constant, System.Globalization.CultureInfo.InvariantCulture) ?? ""
        : throw Unsupported($"{Name}() needs a constant as argument {index + 1}");

    public long ConstantLong(int index) => Arguments[index] is { IsConstant: true, Constant: int or long or double } value
        ? Convert.ToInt64(value.Constant, System.Globalization.CultureInfo.InvariantCulture)
        : throw Unsupported($"{Name}() needs a constant number as argument {index + 1}");

    public static HuntingException Unsupported(string message) => new(HuntingFailure.Unsupported, message + ".");

    public SqlValue Text(string sql) => new(_nullable ? $"ifNull({sql}, '')" : sql, KqlType.String, false);

    public SqlValue Json(string sql) => new(_nullable ? $"ifNull({sql}, '')" : sql, KqlType.Dynamic, false);

    public SqlValue Value(string sql, KqlType type, bool nullable = false) => new(sql, type, nullable || _nullable);

    public SqlValue Bool(string sql) => Value(sql, KqlType.Bool);

    public SqlValue Long(string sql) => Value(sql, KqlType.Long);

    public SqlValue Real(string sql) => Value(sql, KqlType.Real);

    public SqlValue Time(string sql) => Value(sql, KqlType.DateTime);

    public SqlValue Span(string sql) => Value(sql, KqlType.TimeSpan);

    private string Take(SqlValue value)
    {
        _nullable |= value.Nullable;
        return value.Text;
    }
}
