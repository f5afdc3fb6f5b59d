using System.CommandLine;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette user …</c>: people who sign in, for tokens in user context.</summary>
internal static class UserCommands
{
    private const string PasswordVariable = "VEDETTE_USER_PASSWORD";

    public static Command Create() => new("user", "Add people who can sign in.") { CreateUser(), List() };

    private static Option<string?> Tenant() => new("--tenant") { Description = "Tenant id or domain; the first tenant when left out.", HelpName = "TENANT" };

    private static Command CreateUser()
    {
        var name = new Argument<string>("name") { Description = "Sign-in name; without a domain it gets the tenant's." };
        var displayName = new Option<string?>("--name") { Description = "Name for people.", HelpName = "TEXT" };
        var admin = new Option<bool>("--admin") { Description = "Give the directory role Global Administrator, which may consent for everybody." };
        var tenant = Tenant();
        return new Command("create", $"Add a user. The password is read from {PasswordVariable}, or made at random and shown once.") { name, displayName, admin, tenant }.Runs(
            "user.create",
            parsed => new
            {
                userPrincipalName = parsed.GetValue(name),
                displayName = parsed.GetValue(displayName),
                password = Environment.GetEnvironmentVariable(PasswordVariable),
                admin = parsed.GetValue(admin),
                tenant = parsed.GetValue(tenant),
            },
            result => Print.Fields(result, ("Sign-in name", "userPrincipalName"), ("Object id", "id"), ("Password", "password")));
    }

    private static Command List()
    {
        var tenant = Tenant();
        return new Command("list", "List users.") { tenant }.Runs(
            "user.list",
            parsed => new { tenant = parsed.GetValue(tenant) },
            result => Print.Rows(result, ("Sign-in name", "userPrincipalName"), ("Name", "displayName"), ("Object id", "id")));
    }
}
