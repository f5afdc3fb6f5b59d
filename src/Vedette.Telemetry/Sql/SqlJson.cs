using System.Text.Json;
using Vedette.Kql;

namespace Vedette.Telemetry.Sql;

/// <summary>Arrays and bags as JSON text, and their parts.</summary>
internal static class SqlJson
{
    /// <summary>Array(String) of the JSON texts of an array's elements; empty for anything else.</summary>
    public static string Elements(SqlValue value)
    {
        if (value.Elements is { } elements)
            return elements;
        if (value.Strings is { } strings)
            return $"arrayMap(s -> toJSONString(s), {strings})";
        if (value is { Type: KqlType.Dynamic, IsConstant: true } && ConstantElements(value) is { } items)
            return "[" + string.Join(", ", items.Select(SqlText.Quote)) + "]" + (items.Count == 0 ? "::Array(String)" : "");
        var dynamic = SqlConvert.ToDynamic(value);
        return dynamic.Json is { Steps.Count: > 0 } path
            ? $"JSONExtractArrayRaw({path.Root}{path.Arguments})"
            : $"JSONExtractArrayRaw({dynamic.Text})";
    }

    /// <summary>Array(String) of the texts of an array's elements.</summary>
    public static string Strings(SqlValue value)
    {
        if (value.Strings is { } strings)
            return strings;
        if (value is { Type: KqlType.Dynamic, IsConstant: true } && ConstantStrings(value) is { } items)
            return "[" + string.Join(", ", items.Select(SqlText.Quote)) + "]" + (items.Count == 0 ? "::Array(String)" : "");
        var dynamic = SqlConvert.ToDynamic(value);
        return dynamic.Json is { Steps.Count: > 0 } path
            ? $"JSONExtract({path.Root}{path.Arguments}, 'Array(String)')"
            : $"arrayMap(e -> JSONExtract(e, 'String'), {Elements(value)})";
    }

    /// <summary>A dynamic array out of an Array(String) of JSON texts.</summary>
    public static SqlValue FromElements(string elements) =>
        new($"concat('[', arrayStringConcat({elements}, ','), ']')", KqlType.Dynamic, false) { Elements = elements, IsPresent = true };

    /// <summary>A dynamic array out of an Array(String) of texts.</summary>
    public static SqlValue FromStrings(string strings) =>
        new($"concat('[', arrayStringConcat(arrayMap(s -> toJSONString(s), {strings}), ','), ']')", KqlType.Dynamic, false) { Strings = strings, IsPresent = true };

    /// <summary>A dynamic array out of an Array(String) of texts or of JSON texts.</summary>
    public static SqlValue OfArray(string array, bool ofStrings) => ofStrings ? FromStrings(array) : FromElements(array);

    /// <summary>Array(Tuple(String, String)) of a bag's names and JSON texts.</summary>
    public static string Properties(SqlValue value) => $"JSONExtractKeysAndValuesRaw({SqlConvert.ToDynamic(value).Text})";

    /// <summary>A bag out of an Array(Tuple(String, String)) of names and JSON texts.</summary>
    public static SqlValue FromProperties(string properties) =>
        new($"concat('{{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), {properties}), ','), '}}')", KqlType.Dynamic, false) { IsPresent = true };

    /// <summary>JSON text as a dynamic: 'null' becomes ''.</summary>
    public static SqlValue FromJsonText(string json) => new($"ifNull(nullIf({json}, 'null'), '')", KqlType.Dynamic, false);

    /// <summary>The elements of a constant array; null when it is not one.</summary>
    public static IReadOnlyList<string>? ConstantElements(SqlValue value)
    {
        using var document = Parse(value);
        return document?.RootElement.ValueKind == JsonValueKind.Array ? [.. document.RootElement.EnumerateArray().Select(e => e.GetRawText())] : null;
    }

    /// <summary>The texts of the elements of a constant array; null when it is not one.</summary>
    public static IReadOnlyList<string>? ConstantStrings(SqlValue value)
    {
        using var document = Parse(value);
        return document?.RootElement.ValueKind == JsonValueKind.Array
            ? [.. document.RootElement.EnumerateArray().Select(TextOf)]
            : null;
    }

    /// <summary>What tostring() gives for a JSON value.</summary>
    public static string TextOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString()!,
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        _ => element.GetRawText(),
    };

    private static JsonDocument? Parse(SqlValue value)
    {
        if (value is not { IsConstant: true, Constant: string { Length: > 0 } text })
            return null;
        try
        {
            return JsonDocument.Parse(text, Local.LocalJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
