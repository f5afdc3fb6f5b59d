using System.CommandLine;
using System.Text.Json.Nodes;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette sign-in …</c>: how people of a tenant sign in.</summary>
internal static class SignInCommands
{
    public static Command Create() => new("sign-in", "How people of a tenant sign in: second factor, refresh tokens, lost authenticator apps.") { Show(), Set(), ForgetApp() };

    private static Option<string?> Tenant() => new("--tenant") { Description = "Tenant id or domain; the first tenant when left out.", HelpName = "TENANT" };

    private static Command Show()
    {
        var tenant = Tenant();
        return new Command("show", "Show the settings.") { tenant }.Runs("sign-in.show", parsed => new { tenant = parsed.GetValue(tenant) }, PrintSettings);
    }

    private static Command Set()
    {
        var refresh = new Option<string>("--refresh-tokens")
        {
            Description = "'reusable': old ones stay good when a newer one is issued, as the real service has it. 'single-use': each is good once, and using one again ends all that came of that sign-in.",
            HelpName = "reusable|single-use",
            Required = true,
        };
        refresh.AcceptOnlyFromAmong("reusable", "single-use");
        var tenant = Tenant();
        return new Command("set", "Change the settings.") { refresh, tenant }.Runs(
            "sign-in.set", parsed => new { singleUseRefreshTokens = parsed.GetValue(refresh) == "single-use", tenant = parsed.GetValue(tenant) }, PrintSettings);
    }

    private static Command ForgetApp()
    {
        var user = new Argument<string>("user") { Description = "Sign-in name." };
        return new Command("forget-app", "Forget a user's authenticator app, so that another one can be registered at the next sign-in.") { user }.Runs(
            "sign-in.forget-app", parsed => new { user = parsed.GetValue(user) }, result => Print.Fields(result, ("User", "user"), ("Forgotten", "forgotten")));
    }

    private static void PrintSettings(JsonNode? result) =>
        Print.Fields(result, ("Tenant", "tenant"), ("Second factor required", "requiresMfa"), ("Single-use refresh tokens", "singleUseRefreshTokens"));
}
