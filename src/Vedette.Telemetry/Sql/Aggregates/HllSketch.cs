using Vedette.Kql;
using Vedette.Telemetry.Sql.Functions;

namespace Vedette.Telemetry.Sql.Aggregates;

/// <summary>
/// What hll() gives, in the service's form: <c>[[1024,bits],["hash", …],[]]</c> with the service's hashes. Of many values only the smallest hashes are kept, in
/// unsigned order; the bits tell the accuracy that was asked for.
/// </summary>
internal static class HllSketch
{
    /// <summary>Hashes that a sketch keeps. Sets of fewer values are counted exactly, larger ones with an error of 0.8 %.</summary>
    public const int Size = 16384;

    /// <summary>The hash of a value; NULL for null.</summary>
    public static string Hash(SqlValue value) => EncodingFunctions.HashOf(value.Type == KqlType.Dynamic ? value with { Text = $"nullIf({value.Text}, '')", Nullable = true } : value);

    /// <summary>Bits by accuracy, from 0 to 4.</summary>
    public static string Bits(long? accuracy) => accuracy switch { 0 => "12", 2 => "16", 3 => "17", > 3 => "18", _ => "14" };

    /// <summary>The hashes of a sketch as Array(UInt64).</summary>
    public static string Hashes(SqlValue sketch) =>
        $"arrayMap(e -> reinterpretAsUInt64(toInt64OrZero(e)), JSONExtract({SqlConvert.ToDynamic(sketch).Text}, 2, 'Array(String)'))";

    /// <summary>A sketch of hashes.</summary>
    public static SqlValue Of(string hashes, string bits)
    {
        var kept = $"arraySlice(arraySort({hashes}), 1, {Size})";
        return new SqlValue($"concat('[[1024,', toString({bits}), '],[', arrayStringConcat(arrayMap(e -> concat('\"', toString(reinterpretAsInt64(e)), '\"'), {kept}), ','), '],[]]')", KqlType.Dynamic, false) { IsPresent = true };
    }

    /// <summary>How many values a sketch stands for.</summary>
    public static string Count(SqlValue sketch) => SqlLambda.Let(Hashes(sketch), h =>
        $"if(length({h}) < {Size}, toInt64(length({h})), toInt64(({Size} - 1) / (toFloat64({h}[-1]) / 18446744073709551616.)))");
}
