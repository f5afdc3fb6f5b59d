using System.Collections.Frozen;

namespace Vedette.Server.Insight;

/// <summary>What to do about a refusal of the authority, by its AADSTS number. Refusals of the APIs tell by what they needed.</summary>
internal static class Advice
{
    private static readonly FrozenDictionary<int, string> ByNumber = new Dictionary<int, string>
    {
        [90002] = "The tenant in the address does not exist here: use the tenant id or a verified domain ('./vedette status' prints the id).",
        [900023] = "The tenant in the address is neither an id nor a domain name: an unfilled placeholder is the usual cause.",
        [50059] = "Ask with the tenant's id or domain in the address: 'common' and 'organizations' do not say in which tenant an application acts.",
        [50194] = "The application belongs to one tenant: put that tenant's id into the address, or register it as multi-tenant.",
        [700016] = "No application with this client id is known in the tenant: compare it with './vedette app list', and the tenant with './vedette status'.",
        [7000112] = "The application was switched off in this tenant.",
        [7000215] = "The secret is wrong. The value is needed, not the secret's id, and it must be sent URL-encoded ('curl --data-urlencode'). Make a new one with './vedette app secret'.",
        [7000222] = "The secret has expired: make a new one with './vedette app secret'.",
        [7000218] = "The application is a confidential client: send its secret or an assertion, or register it as native ('./vedette app create --native').",
        [700025] = "The application is registered as native, which has no secret: leave it out, or register a web application.",
        [700027] = "The certificate that signed the assertion is not registered with the application, or has expired.",
        [700024] = "The assertion's times do not fit: compare the clocks.",
        [900144] = "A field is missing from the form; the message names it.",
        [901002] = "The v2.0 endpoint takes 'scope' (the resource with '/.default'), the older one 'resource'.",
        [70011] = "The scope is malformed, or mixes '/.default' with other names of an API.",
        [1002012] = "An application asks with the resource and '/.default', for instance https://api.securitycenter.microsoft.com/.default.",
        [500011] = "No API has this name here: a misspelt resource, or an API that has no service principal in the tenant.",
        [700022] = "One token serves one API: ask for each separately.",
        [65001] = "Nobody consented: './vedette app consent' for all, or let the user sign in interactively.",
        [50011] = "The redirect URI must be registered letter by letter: './vedette app show' lists those that are.",
        [500112] = "The redirect URI must be the same at both steps.",
        [54005] = "A code can be redeemed once: a retry of a request that succeeded is the usual cause.",
        [501481] = "The code verifier does not belong to the challenge of the sign-in.",
        [70000] = "The grant belongs to another client or tenant, was revoked, or was never issued here.",
        [70008] = "The code or refresh token is over: sign in again.",
        [50126] = "Name or password is wrong.",
        [50034] = "The user does not exist in this tenant: './vedette user list' shows who does.",
        [50053] = "Too many wrong passwords: wait a minute.",
        [50057] = "The account is switched off.",
        [50076] = "The tenant requires a second factor, which this grant cannot ask for: let the user sign in interactively.",
        [50079] = "The tenant requires a second factor and the user has none yet: it is registered at an interactive sign-in.",
        [9002326] = "The redirect URI is not registered as one of a single-page application.",
        [9002327] = "Tokens of a single-page application are redeemed by its page, with an Origin header.",
        [90055] = "Too many attempts: wait as long as Retry-After says.",
    }.ToFrozenDictionary();

    /// <summary>Advice for an AADSTS number, or null.</summary>
    public static string? For(int number) => ByNumber.GetValueOrDefault(number);
}
