using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Vedette.Kql.Syntax;

/// <summary>Literals: strings, numbers, typed literals and dynamic values.</summary>
internal sealed partial class Parser
{
    /// <summary>The value of a string token, with its quotes and escapes undone.</summary>
    private string DecodeString(Token token)
    {
        var s = TextOf(token);
        if (s.Length > 0 && s[0] is 'h' or 'H')
            s = s[1..];
        if (s.StartsWith("```") || s.StartsWith("~~~"))
            return DecodeMultiLine(s);
        var verbatim = s.Length > 0 && s[0] == '@';
        if (verbatim)
            s = s[1..];
        if (s.Length == 0)
            return "";
        var quote = s[0];
        s = s[1..];
        if (s.Length > 0 && s[^1] == quote)
            s = s[..^1];
        if (verbatim)
            return s.Contains(quote) ? s.ToString().Replace(new string(quote, 2), quote.ToString(), StringComparison.Ordinal) : s.ToString();
        return s.Contains('\\') ? Unescape(s, token) : s.ToString();
    }

    private static string DecodeMultiLine(ReadOnlySpan<char> s)
    {
        s = s[3..];
        if (s.Length >= 3)
            s = s[..^3];
        return s.ToString();
    }

    private string Unescape(ReadOnlySpan<char> s, Token token)
    {
        var result = new StringBuilder(s.Length);
        for (var i = 0; i < s.Length; i++)
        {
            if (s[i] != '\\' || i + 1 >= s.Length)
            {
                result.Append(s[i]);
                continue;
            }

            var c = s[++i];
            switch (c)
            {
                case 'n': result.Append('\n'); break;
                case 't': result.Append('\t'); break;
                case 'r': result.Append('\r'); break;
                case 'a': result.Append('\a'); break;
                case 'b': result.Append('\b'); break;
                case 'f': result.Append('\f'); break;
                case 'v': result.Append('\v'); break;
                case '\\' or '\'' or '"': result.Append(c); break;
                case 'u' when TryHex(s, i + 1, 4, out var code): result.Append((char)code); i += 4; break;
                case 'x' when TryHex(s, i + 1, 2, out var code): result.Append((char)code); i += 2; break;
                case 'U' when TryHex(s, i + 1, 8, out var code) && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF):
                    result.Append(char.ConvertFromUtf32((int)code));
                    i += 8;
                    break;
                case >= '0' and <= '7':
                    var value = 0;
                    var digits = 0;
                    for (; digits < 3 && i < s.Length && s[i] is >= '0' and <= '7'; digits++, i++)
                        value = (value * 8) + (s[i] - '0');
                    i--;
                    result.Append((char)(value & 0xFF));
                    break;
                default:
                    _diagnostics.Syntax("KS003", "Malformed string literal", token.Span);
                    result.Append(c);
                    break;
            }
        }

        return result.ToString();
    }

    private static bool TryHex(ReadOnlySpan<char> s, int start, int length, out uint value)
    {
        value = 0;
        return start + length <= s.Length && uint.TryParse(s.Slice(start, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>One string token or several next to each other, which form one string.</summary>
    private LiteralExpr ParseString()
    {
        var first = Take();
        var value = DecodeString(first);
        if (!At(TokenKind.String))
            return new LiteralExpr(KqlType.String, value, first.Span);
        var all = new StringBuilder(value);
        while (At(TokenKind.String))
            all.Append(DecodeString(Take()));
        return new LiteralExpr(KqlType.String, all.ToString(), SpanFrom(first.Start));
    }

    private LiteralExpr ParseNumber()
    {
        var token = Take();
        var s = TextOf(token);
        if (token.Kind == TokenKind.Long)
        {
            if (s.Length > 2 && s[0] == '0' && s[1] is 'x' or 'X')
            {
                if (long.TryParse(s[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex))
                    return new LiteralExpr(KqlType.Long, hex, token.Span);
            }
            else if (long.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return new LiteralExpr(KqlType.Long, number, token.Span);
            }
            else if (s is "9223372036854775808" && _index > 1 && _tokens[_index - 2].Kind == TokenKind.Minus)
            {
                return new LiteralExpr(KqlType.Long, long.MinValue, token.Span);
            }

            return Malformed(KqlType.Long, token);
        }

        return double.TryParse(s, NumberStyles.Float, CultureInfo.InvariantCulture, out var real)
            ? new LiteralExpr(KqlType.Real, real, token.Span)
            : Malformed(KqlType.Real, token);
    }

    private LiteralExpr Malformed(KqlType type, Token token)
    {
        _diagnostics.Syntax("KS004", "Malformed literal", token.Span);
        return new LiteralExpr(type, type == KqlType.String ? "" : null, token.Span);
    }

    private LiteralExpr ParseTimeSpanLiteral()
    {
        var token = Take();
        return LiteralText.TryTimeSpan(TextOf(token), out var value)
            ? new LiteralExpr(KqlType.TimeSpan, value, token.Span)
            : Malformed(KqlType.TimeSpan, token);
    }

    /// <summary><c>type(content)</c>; <c>datetime()</c> is the present time.</summary>
    private Expr ParseTypedValue()
    {
        var literal = ParseTyped();
        return literal is { Type: KqlType.DateTime, Value: null } && _text[literal.Span.Start..(literal.Span.Start + literal.Span.Length)].AsSpan().TrimEnd(')').TrimEnd().EndsWith("(")
            ? new CallExpr(new NameExpr("now", literal.Span), [], literal.Span)
            : literal;
    }

    /// <summary><c>type(content)</c>.</summary>
    private LiteralExpr ParseTyped()
    {
        var token = Take();
        var s = TextOf(token);
        var open = s.IndexOf('(');
        KqlTypes.TryParse(s[..open], out var type);
        if (s[^1] != ')')
            return new LiteralExpr(type, null, token.Span);
        var content = s[(open + 1)..^1].Trim();
        if (LiteralText.TryParse(type, content, out var value, _options.Today))
            return new LiteralExpr(type, value, token.Span);
        // The language reads what is no value of the type as null.
        _diagnostics.Warning("KS004", $"Malformed literal: '{content}' is no {type.Name()}, so the value is null.", token.Span);
        return new LiteralExpr(type, null, token.Span);
    }

    /// <summary><c>dynamic(value)</c>: JSON, with single-quoted strings and typed literals allowed.</summary>
    private Expr ParseDynamic()
    {
        var start = Take().Start;
        Expect(TokenKind.OpenParen, "(");
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            if (At(TokenKind.CloseParen))
                Missing("json value");
            else
                ParseJson(writer);
        }

        Expect(TokenKind.CloseParen, ")");
        var json = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        return new LiteralExpr(KqlType.Dynamic, json is "null" or "" ? null : json, SpanFrom(start));
    }

    private void ParseJson(Utf8JsonWriter writer)
    {
        if (!Enter())
            return;
        switch (Current.Kind)
        {
            case TokenKind.OpenBracket:
                Take();
                writer.WriteStartArray();
                if (AtJson())
                {
                    do
                        ParseJson(writer);
                    while (TryTakeJsonComma());
                }
                else if (At(TokenKind.Comma))
                {
                    Missing("json value");
                }

                writer.WriteEndArray();
                Expect(TokenKind.CloseBracket, "]");
                break;
            case TokenKind.OpenBrace:
                ParseJsonObject(writer);
                break;
            default:
                ParseJsonScalar(writer);
                break;
        }

        Leave();
    }

    /// <summary>Takes a comma between JSON values; one missing in front of a further value is reported and taken as read.</summary>
    private bool TryTakeJsonComma()
    {
        if (TryTake(TokenKind.Comma))
            return true;
        if (!AtJson())
            return false;
        _diagnostics.Syntax("KS005", "Expected: ,", ErrorPlace());
        return !_aborted;
    }

    private bool AtJson() => Current.Kind switch
    {
        TokenKind.Identifier => TextOf(Current) is "true" or "false" or "null" or "dynamic",
        TokenKind.String or TokenKind.Long or TokenKind.Real or TokenKind.TimeSpan or TokenKind.Typed or TokenKind.OpenBracket or TokenKind.OpenBrace
            or TokenKind.Minus or TokenKind.Plus => true,
        _ => false,
    };

    private void ParseJsonObject(Utf8JsonWriter writer)
    {
        Take();
        writer.WriteStartObject();
        while (!At(TokenKind.CloseBrace) && !At(TokenKind.End))
        {
            if (At(TokenKind.String))
            {
                writer.WritePropertyName(DecodeString(Take()));
            }
            else if (At(TokenKind.Identifier))
            {
                writer.WritePropertyName(TextOf(Take()).ToString());
            }
            else
            {
                _diagnostics.Syntax("KS006", "Missing string", Current.Span);
                break;
            }

            Expect(TokenKind.Colon, ":");
            ParseJson(writer);
            if (!TryTakeJsonComma())
                break;
            if (At(TokenKind.CloseBrace))
                Missing("json key:value pair");
        }

        writer.WriteEndObject();
        Expect(TokenKind.CloseBrace, "}");
    }

    private void ParseJsonScalar(Utf8JsonWriter writer)
    {
        var negative = false;
        if (Current.Kind is TokenKind.Minus or TokenKind.Plus)
            negative = Take().Kind == TokenKind.Minus;
        switch (Current.Kind)
        {
            case TokenKind.String:
                writer.WriteRawValue(KqlJson.Quote((string?)ParseString().Value ?? ""), skipInputValidation: true);
                break;
            case TokenKind.Long when !long.TryParse(TextOf(Current), out _) && double.TryParse(TextOf(Current), NumberStyles.None, CultureInfo.InvariantCulture, out var large):
                // Whole numbers that no long holds are reals.
                Take();
                writer.WriteRawValue(LiteralText.JsonReal(negative ? -large : large), skipInputValidation: true);
                break;
            case TokenKind.Long or TokenKind.Real:
                var number = ParseNumber();
                if (number.Value is long l)
                    writer.WriteNumberValue(negative && l != long.MinValue ? -l : l);
                else
                    writer.WriteRawValue(LiteralText.JsonReal(negative ? -(double)(number.Value ?? 0d) : (double)(number.Value ?? 0d)), skipInputValidation: true);
                break;
            case TokenKind.TimeSpan:
                writer.WriteStringValue(LiteralText.Format((TimeSpan)(ParseTimeSpanLiteral().Value ?? TimeSpan.Zero)));
                break;
            case TokenKind.Typed:
                WriteJson(writer, ParseTyped());
                break;
            case TokenKind.Identifier when AtWord("true") || AtWord("false"):
                writer.WriteBooleanValue(TextOf(Take()) is "true");
                break;
            case TokenKind.Identifier when AtWord("null"):
                Take();
                writer.WriteNullValue();
                break;
            case TokenKind.Identifier when AtWord("dynamic") && PeekToken(1).Kind == TokenKind.OpenParen:
                writer.WriteRawValue((string?)((LiteralExpr)ParseDynamic()).Value ?? "null", skipInputValidation: true);
                break;
            default:
                Missing("json value");
                writer.WriteNullValue();
                break;
        }
    }

    private static void WriteJson(Utf8JsonWriter writer, LiteralExpr literal)
    {
        switch (literal.Value)
        {
            case null: writer.WriteNullValue(); break;
            case bool b: writer.WriteBooleanValue(b); break;
            case int i: writer.WriteNumberValue(i); break;
            case long l: writer.WriteNumberValue(l); break;
            case double d: writer.WriteRawValue(LiteralText.JsonReal(d), skipInputValidation: true); break;
            case decimal m: writer.WriteStringValue(m.ToString(CultureInfo.InvariantCulture)); break;
            case DateTime t: writer.WriteStringValue(LiteralText.Format(t)); break;
            case TimeSpan t: writer.WriteStringValue(LiteralText.Format(t)); break;
            default: writer.WriteStringValue(Convert.ToString(literal.Value, CultureInfo.InvariantCulture)); break;
        }
    }
}
