using System.Security.Cryptography;
using Vedette.Identity.Directory;
using Vedette.Identity.Security;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>Checks that a client is who it says: by secret, by assertion, or not at all where a public client may do without.</summary>
public sealed class ClientAuthentication(IdentityKey key)
{
    /// <summary>Authenticates the client of a request and notes the kind of its proof.</summary>
    public ProtocolError? Authenticate(TokenContext context)
    {
        var client = context.Client;
        var credentials = context.Credentials;
        if (credentials.Assertion is null && credentials.Secret is null)
        {
            if (client.IsPublicClient && context.Grant.AllowsPublicClients) return null;

            // A page of an application that also has a web part: what it redeems is checked to be a single page's own.
            if (context.Call.Origin is not null && (context.Grant is AuthorizationCodeGrant or RefreshTokenGrant) && client.RedirectUris.Any(redirect => redirect.Kind == RedirectKind.Spa)) return null;
            return ErrorCatalogue.Create(7000218);
        }

        if (client.IsPublicClient) return ErrorCatalogue.Create(700025);

        // A secret that a browser's page holds is none.
        if (context.Call.Origin is not null && client.RedirectUris.Any(redirect => redirect.Kind == RedirectKind.Spa))
            return ErrorCatalogue.Create(90023, "Public clients can't send a client secret.");
        if (credentials.Assertion is { } assertion)
        {
            context.Proof = ClientProof.Certificate;
            return ClientAssertion.Check(assertion, context);
        }

        context.Proof = ClientProof.Secret;
        return CheckSecret(context, credentials.Secret!);
    }

    // Every stored secret is compared, each in constant time, so that the time taken tells nothing about which one nearly matched.
    private ProtocolError? CheckSecret(TokenContext context, string secret)
    {
        var (client, now) = (context.Client, context.Now);
        var (valid, known, current) = (false, false, false);
        Compare(client.Secrets, client.Id);

        // The principal is not known yet where the tenant is an alias; its own secrets are good in its tenant only.
        var own = context.Principal is { } principal ? principal.Secrets : [];
        if (own.Count > 0) Compare(own, context.Principal.Id);
        if (valid) return null;
        return known || (client.Secrets.Count + own.Count > 0 && !current) ? ErrorCatalogue.Create(7000222, client.AppId) : ErrorCatalogue.Create(7000215, client.AppId);

        void Compare(IReadOnlyList<ClientSecret> secrets, Guid owner)
        {
            var hash = key.HashSecret(owner, secret);
            foreach (var stored in secrets)
            {
                var matches = CryptographicOperations.FixedTimeEquals(hash, stored.Hash);
                var inTime = stored.StartsAt <= now && now < stored.EndsAt;
                valid |= matches & inTime;
                known |= matches;
                current |= now < stored.EndsAt;
            }
        }
    }
}
