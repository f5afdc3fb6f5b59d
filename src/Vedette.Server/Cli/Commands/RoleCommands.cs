using System.CommandLine;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette role …</c>: what people may do in Defender.</summary>
internal static class RoleCommands
{
    public static Command Create() => new("role", "Manage roles of Defender: permissions that are given to groups.")
    {
        CreateRole(), List(), SetPermissions(), Assign("assign", false, "Give a role to the members of a group."), Assign("unassign", true, "Take a role back from a group."), Delete(),
        Listing("permissions", "role.permissions", "List the permissions that a role can give.", ("Permission", "name"), ("In the portal", "title")),
        Listing("directory", "role.directory", "List the roles of the directory, which are given to users.", ("Role", "name"), ("Template id", "templateId"), ("What for", "description")),
    };

    private static Argument<string> Role() => new("role") { Description = "Name or number of a role." };

    private static Option<string[]> Permissions() => new("--permission")
    {
        Description = "A permission, for instance ViewData; may be given several times. See 'vedette role permissions'.",
        HelpName = "NAME",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private static Command CreateRole()
    {
        var name = new Argument<string>("name") { Description = "Name of the role." };
        var permissions = Permissions();
        var description = new Option<string?>("--description") { Description = "What the role is for.", HelpName = "TEXT" };
        var tenant = CommonWords.Tenant();
        return new Command("create", "Make a role. The first one switches roles on: users who only read then need one.") { name, permissions, description, tenant }.Runs(
            "role.create",
            parsed => new { name = parsed.GetValue(name), permissions = parsed.GetValue(permissions), description = parsed.GetValue(description), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Role", "name"), ("Number", "id"), ("Permissions", "permissions")));
    }

    private static Command List()
    {
        var tenant = CommonWords.Tenant();
        return new Command("list", "List roles.") { tenant }.Runs(
            "role.list",
            parsed => new { tenant = parsed.GetValue(tenant) },
            result => Print.Rows(result, ("Role", "name"), ("Number", "id"), ("Permissions", "permissions"), ("Groups", "groups")));
    }

    private static Command SetPermissions()
    {
        var role = Role();
        var permissions = Permissions();
        var tenant = CommonWords.Tenant();
        return new Command("set", "Say anew what a role gives.") { role, permissions, tenant }.Runs(
            "role.set",
            parsed => new { role = parsed.GetValue(role), permissions = parsed.GetValue(permissions), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Role", "name"), ("Permissions", "permissions")));
    }

    private static Command Assign(string word, bool remove, string description)
    {
        var role = Role();
        var group = CommonWords.Group();
        var tenant = CommonWords.Tenant();
        return new Command(word, description) { role, group, tenant }.Runs(
            "role.assign",
            parsed => new { role = parsed.GetValue(role), group = parsed.GetValue(group), remove, tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Role", "name"), ("Groups", "groups")));
    }

    private static Command Delete()
    {
        var role = Role();
        var tenant = CommonWords.Tenant();
        return new Command("delete", "Delete a role.") { role, tenant }.Runs(
            "role.delete", parsed => new { role = parsed.GetValue(role), tenant = parsed.GetValue(tenant) }, result => Print.Fields(result, ("Deleted", "name")));
    }

    private static Command Listing(string word, string operation, string description, params (string Title, string Property)[] columns) =>
        new Command(word, description).Runs(operation, _ => new { }, result => Print.Rows(result, columns));
}
