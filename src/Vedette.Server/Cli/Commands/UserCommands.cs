using System.CommandLine;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette user …</c>: people who sign in, for tokens in user context.</summary>
internal static class UserCommands
{
    private const string PasswordVariable = "VEDETTE_USER_PASSWORD";

    public static Command Create() => new("user", "Manage people who can sign in.")
    {
        CreateUser(), List(), Show(), Role(), Reset(), Switch("enable", "Let a user sign in again.", true), Switch("disable", "Keep a user from signing in.", false), Delete(),
    };

    private static Command CreateUser()
    {
        var name = new Argument<string>("name") { Description = "Sign-in name; without a domain it gets the tenant's." };
        var displayName = new Option<string?>("--name") { Description = "Name for people.", HelpName = "TEXT" };
        var admin = new Option<bool>("--admin") { Description = "Give the directory role Global Administrator, which may consent for everybody." };
        var roles = new Option<string[]>("--role") { Description = "A directory role, for instance 'Security Reader'; may be given several times.", HelpName = "ROLE", DefaultValueFactory = _ => [] };
        var groups = new Option<string[]>("--group") { Description = "A group to put the user into; may be given several times.", HelpName = "GROUP", DefaultValueFactory = _ => [] };
        var tenant = CommonWords.Tenant();
        return new Command("create", $"Add a user. The password is read from {PasswordVariable}, or made at random and shown once.") { name, displayName, admin, roles, groups, tenant }.Runs(
            "user.create",
            parsed => new
            {
                userPrincipalName = parsed.GetValue(name),
                displayName = parsed.GetValue(displayName),
                password = Environment.GetEnvironmentVariable(PasswordVariable),
                admin = parsed.GetValue(admin),
                roles = parsed.GetValue(roles),
                groups = parsed.GetValue(groups),
                tenant = parsed.GetValue(tenant),
            },
            result => Print.Fields(result, ("Sign-in name", "userPrincipalName"), ("Object id", "id"), ("Password", "password")));
    }

    private static Command List()
    {
        var tenant = CommonWords.Tenant();
        return new Command("list", "List users.") { tenant }.Runs(
            "user.list",
            parsed => new { tenant = parsed.GetValue(tenant) },
            result => Print.Rows(result, ("Sign-in name", "userPrincipalName"), ("Name", "displayName"), ("Object id", "id"), ("Enabled", "accountEnabled")));
    }

    private static Command Show()
    {
        var user = CommonWords.User();
        var tenant = CommonWords.Tenant();
        return new Command("show", "Show a user with roles, groups and what they may do and see in Defender.") { user, tenant }.Runs(
            "user.show",
            parsed => new { user = parsed.GetValue(user), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(
                result, ("Sign-in name", "userPrincipalName"), ("Name", "displayName"), ("Object id", "id"), ("Enabled", "accountEnabled"), ("Directory roles", "directoryRoles"),
                ("Groups", "groups"), ("Defender permissions", "permissions"), ("Device groups", "deviceGroups")));
    }

    private static Command Role()
    {
        var user = CommonWords.User();
        var role = new Argument<string>("role") { Description = "A directory role: its name or template id. See 'vedette role directory'." };
        var remove = new Option<bool>("--remove") { Description = "Take the role back." };
        var tenant = CommonWords.Tenant();
        return new Command("role", "Give a user a directory role.") { user, role, remove, tenant }.Runs(
            "user.role",
            parsed => new { user = parsed.GetValue(user), role = parsed.GetValue(role), remove = parsed.GetValue(remove), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Sign-in name", "userPrincipalName"), ("Directory roles", "directoryRoles")));
    }

    private static Command Reset()
    {
        var user = CommonWords.User();
        var tenant = CommonWords.Tenant();
        return new Command("reset-password", "Give a user a new password, shown once, and end their sign-ins.") { user, tenant }.Runs(
            "user.reset",
            parsed => new { user = parsed.GetValue(user), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Sign-in name", "userPrincipalName"), ("Password", "password")));
    }

    private static Command Switch(string word, string description, bool enabled)
    {
        var user = CommonWords.User();
        var tenant = CommonWords.Tenant();
        return new Command(word, description) { user, tenant }.Runs(
            "user.enable",
            parsed => new { user = parsed.GetValue(user), enabled, tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Sign-in name", "userPrincipalName"), ("Enabled", "accountEnabled")));
    }

    private static Command Delete()
    {
        var user = CommonWords.User();
        var tenant = CommonWords.Tenant();
        return new Command("delete", "Delete a user.") { user, tenant }.Runs(
            "user.delete",
            parsed => new { user = parsed.GetValue(user), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Deleted", "userPrincipalName")));
    }
}
