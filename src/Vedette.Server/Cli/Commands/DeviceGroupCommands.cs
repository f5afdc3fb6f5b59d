using System.CommandLine;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette device-group …</c>: which people see which devices.</summary>
internal static class DeviceGroupCommands
{
    public static Command Create() => new("device-group", "Manage device groups and who may see their devices.")
    {
        CreateGroup(), List(), Access("allow", false, "Let the members of a group see a device group; everybody else loses sight of it."),
        Access("deny", true, "Take that back; a device group that nobody was named for is everybody's."), Move(),
    };

    private static Argument<string> DeviceGroup() => new("device-group") { Description = "Name or number of a device group; 0 for devices in no group." };

    private static Command CreateGroup()
    {
        var name = new Argument<string>("name") { Description = "Name of the device group." };
        var automation = new Option<string>("--automation") { Description = "What may happen on its devices without asking.", HelpName = "LEVEL", DefaultValueFactory = _ => "Full" };
        automation.AcceptOnlyFromAmong(Enum.GetNames<Defender.State.AutomationLevel>());
        var tenant = CommonWords.Tenant();
        return new Command("create", "Make a device group.") { name, automation, tenant }.Runs(
            "devicegroup.create",
            parsed => new { name = parsed.GetValue(name), automation = parsed.GetValue(automation), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Device group", "name"), ("Number", "id")));
    }

    private static Command List()
    {
        var tenant = CommonWords.Tenant();
        return new Command("list", "List device groups.") { tenant }.Runs(
            "devicegroup.list",
            parsed => new { tenant = parsed.GetValue(tenant) },
            result => Print.Rows(result, ("Device group", "name"), ("Number", "id"), ("Automation", "automationLevel"), ("Devices", "devices"), ("Seen by", "groups")));
    }

    private static Command Access(string word, bool remove, string description)
    {
        var deviceGroup = DeviceGroup();
        var group = CommonWords.Group();
        var tenant = CommonWords.Tenant();
        return new Command(word, description) { deviceGroup, group, tenant }.Runs(
            "devicegroup.allow",
            parsed => new { deviceGroup = parsed.GetValue(deviceGroup), group = parsed.GetValue(group), remove, tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Device group", "name"), ("Seen by", "groups")));
    }

    private static Command Move()
    {
        var deviceGroup = DeviceGroup();
        var devices = new Argument<string[]>("devices") { Description = "Machine ids or names.", Arity = ArgumentArity.OneOrMore };
        var tenant = CommonWords.Tenant();
        return new Command("move", "Put devices into a device group.") { deviceGroup, devices, tenant }.Runs(
            "devicegroup.move",
            parsed => new { deviceGroup = parsed.GetValue(deviceGroup), devices = parsed.GetValue(devices), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Device group", "name"), ("Devices moved", "moved")));
    }
}
