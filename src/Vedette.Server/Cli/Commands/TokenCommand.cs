using System.CommandLine;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette token</c>: step 5, a token in application context.</summary>
internal static class TokenCommand
{
    public static Command Create()
    {
        var client = new Option<string>("--client-id") { Description = "Application (client) id; the demo application when left out.", HelpName = "ID", DefaultValueFactory = _ => "" };
        var secret = new Option<string?>("--client-secret") { Description = "Its secret; read from VEDETTE_CLIENT_SECRET when left out, so that it need not stand on the command line.", HelpName = "SECRET" };
        var resource = new Option<string>("--resource") { Description = "The API: 'endpoint', 'threat-protection', 'graph', or its URI or id.", DefaultValueFactory = _ => "endpoint", HelpName = "API" };
        var tenant = CommonWords.Tenant();
        return new Command("token", "Step 5: get an access token in application context. Prints the token alone, ready for $(…).")
        {
            client, secret, resource, tenant, InsightCommands.Inspect(),
        }.Runs(
            "token",
            parsed => new
            {
                clientId = parsed.GetValue(client),
                clientSecret = parsed.GetValue(secret) ?? Environment.GetEnvironmentVariable("VEDETTE_CLIENT_SECRET"),
                resource = parsed.GetValue(resource),
                tenant = parsed.GetValue(tenant),
            },
            result => Console.Out.WriteLine(Print.Text(result?["access_token"])));
    }
}
