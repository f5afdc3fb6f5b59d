using System.CommandLine;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette group …</c>: groups of the directory, to which roles and device groups are given.</summary>
internal static class GroupCommands
{
    public static Command Create() => new("group", "Manage groups of people and applications.")
    {
        CreateGroup(), List(), Show(), Member("add", "group.add", "Put a user into a group."), Member("remove", "group.remove", "Take a user out of a group."), Delete(),
    };

    private static Command CreateGroup()
    {
        var name = new Argument<string>("name") { Description = "Display name." };
        var description = new Option<string?>("--description") { Description = "What the group is for.", HelpName = "TEXT" };
        var tenant = CommonWords.Tenant();
        return new Command("create", "Make a group.") { name, description, tenant }.Runs(
            "group.create",
            parsed => new { name = parsed.GetValue(name), description = parsed.GetValue(description), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Group", "displayName"), ("Object id", "id")));
    }

    private static Command List()
    {
        var tenant = CommonWords.Tenant();
        return new Command("list", "List groups.") { tenant }.Runs(
            "group.list",
            parsed => new { tenant = parsed.GetValue(tenant) },
            result => Print.Rows(result, ("Group", "displayName"), ("Description", "description"), ("Object id", "id")));
    }

    private static Command Show()
    {
        var group = CommonWords.Group();
        var tenant = CommonWords.Tenant();
        return new Command("show", "Show a group with its members.") { group, tenant }.Runs(
            "group.show",
            parsed => new { group = parsed.GetValue(group), tenant = parsed.GetValue(tenant) },
            result =>
            {
                Print.Fields(result, ("Group", "displayName"), ("Object id", "id"), ("Description", "description"));
                Print.Rows(result?["members"], ("Member", "displayName"), ("Kind", "kind"), ("Sign-in name", "userPrincipalName"), ("Object id", "id"));
            });
    }

    private static Command Member(string word, string operation, string description)
    {
        var group = CommonWords.Group();
        var member = new Argument<string>("member") { Description = "Sign-in name of a user, or object id of a user, group or service principal." };
        var tenant = CommonWords.Tenant();
        return new Command(word, description) { group, member, tenant }.Runs(
            operation,
            parsed => new { group = parsed.GetValue(group), member = parsed.GetValue(member), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Group", "displayName"), ("Members", "count")));
    }

    private static Command Delete()
    {
        var group = CommonWords.Group();
        var tenant = CommonWords.Tenant();
        return new Command("delete", "Delete a group.") { group, tenant }.Runs(
            "group.delete",
            parsed => new { group = parsed.GetValue(group), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Deleted", "displayName")));
    }
}
