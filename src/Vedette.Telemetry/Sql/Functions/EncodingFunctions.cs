using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Hashes, base64, URLs.</summary>
internal static class EncodingFunctions
{
    public static void Add(IDictionary<string, SqlFunction> table)
    {
        table["hash_md5"] = c => c.Text($"lower(hex(MD5({c.S(0)})))");
        table["hash_sha1"] = c => c.Text($"lower(hex(SHA1({c.S(0)})))");
        table["hash_sha256"] = c => c.Text($"lower(hex(SHA256({c.S(0)})))");
        table["hash_xxhash64"] = Hash;
        table["hash"] = Hash;
        table["hash_combine"] = c => c.Long(Combine(Enumerable.Range(0, c.Count).Select(i => c.L(i))));
        table["hash_many"] = c => c.Long(Combine(Enumerable.Range(0, c.Count).Select(i => Hash(c, i))));
        table["base64_encode_tostring"] = c => c.Text($"base64Encode({c.S(0)})");
        table["base64_encodestring"] = table["base64_encode_tostring"];
        table["base64_decode_tostring"] = c => c.Text(SqlLambda.Let($"tryBase64Decode(replaceRegexpAll({c.S(0)}, '\\\\s', ''))", s => $"if(isValidUTF8({s}), {s}, '')"));
        table["base64_decodestring"] = table["base64_decode_tostring"];
        table["base64_decode_toarray"] = c => c.Json(SqlLambda.Let(c.S(0), text => SqlLambda.Let($"tryBase64Decode({text})", s =>
            $"if({s} = '' AND {text} != '', '', concat('[', arrayStringConcat(arrayMap(i -> toString(reinterpretAsUInt8(substring({s}, i, 1))), range(1, toUInt32(length({s}) + 1))), ','), ']'))")));
        table["base64_encode_fromarray"] = c => c.Text(SqlLambda.Let(c.Elements(0), a =>
            $"if(arrayExists(e -> toUInt8OrNull(e) IS NULL, {a}), '', base64Encode(arrayStringConcat(arrayMap(e -> char(toUInt8OrZero(e)), {a}))))"));
        table["base64_encode_fromguid"] = c => c.Text($"base64Encode({GuidBytes($"replaceAll(toString({c.Raw(0)}), '-', '')")})");
        table["base64_decode_toguid"] = c => c.Value($"toUUIDOrNull({GuidText($"tryBase64Decode({c.S(0)})")})", KqlType.Guid, true);
        table["url_encode"] = c => c.Text($"replaceAll({UrlEncoded(c.S(0))}, '%20', '+')");
        table["url_encode_component"] = c => c.Text(UrlEncoded(c.S(0)));
        table["url_decode"] = c => c.Text($"decodeURLComponent({c.S(0)})");
    }

    private static SqlValue Hash(SqlCall c)
    {
        var hash = Hash(c, 0);
        return c.Has(1) ? c.Value($"toInt64(positiveModuloOrNull({hash}, {SqlArithmetic.Divisor(c[1], c.L(1))}))", KqlType.Long, true) : c.Long(hash);
    }

    private static string Hash(SqlCall c, int index)
    {
        _ = c.Raw(index);
        return HashOf(c[index]);
    }

    /// <summary>The hash of a value: of its text, its ticks, or its eight bytes, as which whole numbers of every width are taken.</summary>
    public static string HashOf(SqlValue value)
    {
        var bytes = value.Type switch
        {
            KqlType.DateTime => $"({SqlConvert.Ticks(value).Text} + {SqlConvert.UnixEpochTicks})",
            KqlType.Int => SqlConvert.ToLong(value).Text,
            KqlType.Long or KqlType.TimeSpan or KqlType.Real => value.Text,
            _ => SqlConvert.ToText(value).Text,
        };
        return $"reinterpretAsInt64(xxHash64({bytes}))";
    }

    /// <summary>Mixes each hash into those before it. The service's own way is not published.</summary>
    private static string Combine(IEnumerable<string> hashes) => hashes.Aggregate((all, next) => SqlLambda.Let(all, next, (a, b) =>
        $"bitXor({a}, {b} - 7046029254386353131 + bitShiftLeft({a}, 6) + bitShiftRight({a}, 2))"));

    /// <summary>Small hexadecimal digits, and six signs that stay as they are.</summary>
    private static string UrlEncoded(string text)
    {
        var parts = SqlLambda.Name();
        var small = $"arrayMap({parts} -> arrayStringConcat(arrayMap((p, i) -> if(i = 1, p, concat(lower(substring(p, 1, 2)), substring(p, 3))), {parts}, arrayEnumerate({parts})), '%'), [splitByChar('%', encodeURLComponent({text}))])[1]";
        return $"replaceAll(replaceAll(replaceAll(replaceAll(replaceAll({small}, '~', '%7e'), '%21', '!'), '%2a', '*'), '%28', '('), '%29', ')')";
    }

    // A Guid's first three groups are stored with their low byte first.
    private static string GuidBytes(string hex) =>
        $"unhex(concat(substring({hex}, 7, 2), substring({hex}, 5, 2), substring({hex}, 3, 2), substring({hex}, 1, 2), substring({hex}, 11, 2), substring({hex}, 9, 2), "
        + $"substring({hex}, 15, 2), substring({hex}, 13, 2), substring({hex}, 17)))";

    private static string GuidText(string bytes) => SqlLambda.Let($"lower(hex({bytes}))", h =>
        $"concat(substring({h}, 7, 2), substring({h}, 5, 2), substring({h}, 3, 2), substring({h}, 1, 2), '-', substring({h}, 11, 2), substring({h}, 9, 2), '-', "
        + $"substring({h}, 15, 2), substring({h}, 13, 2), '-', substring({h}, 17, 4), '-', substring({h}, 21))");
}
