using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Vedette.Identity.Tokens;

/// <summary>
/// A JSON Web Token in compact form (RFC 7519, RFC 7515): parsed with bounds on size and depth, verified with RS256 or PS256, written
/// with RS256. The algorithm is always the caller's choice from this list, never what a header asks for alone.
/// </summary>
public sealed class JsonWebToken
{
    /// <summary>Longest token that is looked at, in characters.</summary>
    public const int MaximumLength = 32 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };
    private readonly byte[] _signingInput;
    private readonly byte[] _signature;

    private JsonWebToken(JsonElement header, JsonElement payload, byte[] signingInput, byte[] signature)
    {
        Header = header;
        Payload = payload;
        _signingInput = signingInput;
        _signature = signature;
    }

    /// <summary>The header, a JSON object.</summary>
    public JsonElement Header { get; }

    /// <summary>The claims, a JSON object.</summary>
    public JsonElement Payload { get; }

    /// <summary>The <c>alg</c> header, or the empty string.</summary>
    public string Algorithm => GetString(Header, "alg") ?? "";

    /// <summary>The <c>kid</c> header, or null.</summary>
    public string? KeyId => GetString(Header, "kid");

    /// <summary>Parses a compact token without trusting it. False for anything that is not three base64url parts holding JSON objects.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out JsonWebToken? token)
    {
        token = null;
        if (text.Length is 0 or > MaximumLength) return false;
        var first = text.IndexOf('.', StringComparison.Ordinal);
        var second = first < 0 ? -1 : text.IndexOf('.', first + 1);
        if (second < 0 || text.IndexOf('.', second + 1) >= 0) return false;
        if (!TryParseObject(text.AsSpan(0, first), out var header) || !TryParseObject(text.AsSpan(first + 1, second - first - 1), out var payload)) return false;
        if (!TryDecode(text.AsSpan(second + 1), out var signature)) return false;
        token = new JsonWebToken(header, payload, Encoding.ASCII.GetBytes(text, 0, second), signature);
        return true;
    }

    /// <summary>True when the signature is that of <paramref name="key"/> over this token with RS256 or, where allowed, PS256.</summary>
    public bool Verify(RSA key, bool allowPss = false)
    {
        RSASignaturePadding padding;
        if (Algorithm == "RS256") padding = RSASignaturePadding.Pkcs1;
        else if (allowPss && Algorithm == "PS256") padding = RSASignaturePadding.Pss;
        else return false;
        try
        {
            return key.VerifyData(_signingInput, _signature, HashAlgorithmName.SHA256, padding);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Signs claims with RS256 under a prepared header.</summary>
    /// <param name="encodedHeader">The header, already base64url encoded.</param>
    /// <param name="payload">The claims as UTF-8 JSON.</param>
    /// <param name="key">The private key.</param>
    public static string Sign(ReadOnlySpan<byte> encodedHeader, ReadOnlySpan<byte> payload, RSA key)
    {
        var unsigned = encodedHeader.Length + 1 + Base64Url.GetEncodedLength(payload.Length);
        var signatureLength = key.KeySize / 8;
        var buffer = new byte[unsigned + 1 + Base64Url.GetEncodedLength(signatureLength)];
        encodedHeader.CopyTo(buffer);
        buffer[encodedHeader.Length] = (byte)'.';
        Base64Url.EncodeToUtf8(payload, buffer.AsSpan(encodedHeader.Length + 1));
        Span<byte> signature = stackalloc byte[1024];
        var written = key.SignData(buffer.AsSpan(0, unsigned), signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        buffer[unsigned] = (byte)'.';
        Base64Url.EncodeToUtf8(signature[..written], buffer.AsSpan(unsigned + 1));
        return Encoding.ASCII.GetString(buffer);
    }

    /// <summary>The text of a string claim, or null when it is absent or not a string.</summary>
    public string? Claim(string name) => GetString(Payload, name);

    /// <summary>
    /// A time claim in seconds since 1970. Clients write them as integers, as floats and as strings, so all three are read.
    /// </summary>
    /// <returns>False when the claim is absent or no such number; <paramref name="present"/> tells the two apart.</returns>
    public bool TryGetTime(string name, out DateTimeOffset time, out bool present)
    {
        time = default;
        present = Payload.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;
        if (!present) return false;
        double seconds;
        if (value.ValueKind == JsonValueKind.Number) seconds = value.TryGetDouble(out var number) ? number : double.NaN;
        else if (value.ValueKind != JsonValueKind.String
            || !double.TryParse(value.GetString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out seconds)) return false;
        if (!(seconds is >= 0 and < 253402300800)) return false;
        time = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        return true;
    }

    internal static string? GetString(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool TryParseObject(ReadOnlySpan<char> encoded, out JsonElement element)
    {
        element = default;
        if (!TryDecode(encoded, out var bytes)) return false;
        try
        {
            CheckText(bytes);
            element = JsonDocument.Parse(bytes, Strict).RootElement;
            return element.ValueKind == JsonValueKind.Object;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    // The parser leaves strings undecoded until they are read; here they are read once, so that bytes that are no text fail now.
    private static void CheckText(byte[] json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Strict.MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) _ = reader.GetString();
        }
    }

    private static bool TryDecode(ReadOnlySpan<char> encoded, out byte[] bytes)
    {
        // Padding is not allowed by RFC 7515; white space, which the decoder would skip, is not either.
        if (encoded.ContainsAny(" \t\r\n=") || !Base64Url.IsValid(encoded))
        {
            bytes = [];
            return false;
        }

        bytes = Base64Url.DecodeFromChars(encoded);
        return true;
    }
}
