using System.Text;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>Name and proof of a client as it sent them: in the form, in a Basic header, or in an assertion.</summary>
/// <param name="ClientId">The client id as sent.</param>
/// <param name="Secret">A client secret, or null.</param>
/// <param name="Assertion">A client assertion, or null.</param>
/// <param name="FromHeader">True when they came in a Basic header.</param>
public sealed record ClientCredentials(string ClientId, string? Secret, string? Assertion, bool FromHeader)
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /// <summary>Reads them from a request.</summary>
    /// <returns>The error when something is missing or contradicts itself, else null.</returns>
    public static ProtocolError? Read(AuthorityCall call, out ClientCredentials credentials)
    {
        var clientId = call.Field("client_id");
        var secret = call.Field("client_secret");
        var assertion = call.Field("client_assertion");
        credentials = new ClientCredentials(clientId ?? "", secret, assertion, FromHeader: false);

        if (assertion is not null)
        {
            if (call.Field("client_assertion_type") is not { } type) return ErrorCatalogue.Create(900144, "client_assertion_type");
            if (type != AssertionType) return ErrorCatalogue.Create(90023, "The value of 'client_assertion_type' is not supported.");

            // The client id may be left out: then it is what the assertion says of itself.
            if (clientId is null && JsonWebToken.TryParse(assertion, out var jwt)) clientId = jwt.Claim("sub") ?? jwt.Claim("iss");
            credentials = credentials with { ClientId = clientId ?? "" };
        }
        else if (call.Authorization is { } header && header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            if (!TryReadBasic(header.AsSpan(6).Trim(), out var name, out var password)) return ErrorCatalogue.CreateVariant(9002313, "request");
            if (clientId is not null && !string.Equals(clientId, name, StringComparison.OrdinalIgnoreCase))
                return ErrorCatalogue.Create(90023, "The client id of the header and that of the body differ.");
            credentials = new ClientCredentials(name, password.Length > 0 ? password : secret, null, FromHeader: true);
            clientId = name;
        }

        return string.IsNullOrEmpty(clientId) ? ErrorCatalogue.Create(900144, "client_id") : null;
    }

    // RFC 6749 2.3.1: both parts are form-encoded before they are joined. Clients that skip this still work, unless the value has a
    // percent sign, which generated secrets never have.
    private static bool TryReadBasic(ReadOnlySpan<char> encoded, out string name, out string password)
    {
        name = password = "";
        if (encoded.Length > 4096) return false;
        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64Chars(encoded, bytes, out var length)) return false;
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0) return false;
        name = Decode(text[..colon]);
        password = Decode(text[(colon + 1)..]);
        return true;
    }

    private static string Decode(string value) => Uri.UnescapeDataString(value.Replace('+', ' '));
}
