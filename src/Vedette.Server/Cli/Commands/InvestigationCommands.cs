using System.CommandLine;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette investigation …</c>: automated investigations, and the remediation that waits for a person.</summary>
internal static class InvestigationCommands
{
    public static Command Create()
    {
        var command = new Command("investigation", "See automated investigations; approve or reject what waits for a person.")
        {
            List(), Show(), Decide("approve", true, "Let the remediation that waits go ahead."), Decide("reject", false, "End the investigation without the remediation that waits."),
        };
        command.Aliases.Add("investigations");
        return command;
    }

    private static Argument<long> Number() => new("id") { Description = "Number of the investigation." };

    private static Command List()
    {
        var waiting = new Option<bool>("--waiting") { Description = "Only those that wait for a person." };
        var top = new Option<int?>("--top") { Description = "At most this many, newest first (100).", HelpName = "N" };
        var tenant = CommonWords.Tenant();
        return new Command("list", "List investigations.") { waiting, top, tenant }.Runs(
            "investigation.list",
            parsed => new { waiting = parsed.GetValue(waiting), top = parsed.GetValue(top), tenant = parsed.GetValue(tenant) },
            result => Print.Rows(result, ("Investigation", "id"), ("State", "state"), ("Device", "device"), ("Alert", "alert"), ("Started", "started"), ("Result", "details")));
    }

    private static Command Show()
    {
        var id = Number();
        var tenant = CommonWords.Tenant();
        return new Command("show", "Show an investigation and what it looked at.") { id, tenant }.Runs(
            "investigation.show",
            parsed => new { id = parsed.GetValue(id), tenant = parsed.GetValue(tenant) },
            result =>
            {
                Print.Fields(result?["investigation"], ("Investigation", "id"), ("State", "state"), ("Device", "device"), ("Alert", "alert"), ("Started", "started"), ("Ended", "ended"), ("Result", "details"));
                Print.Rows(result?["entities"], ("Kind", "kind"), ("Value", "value"), ("Path", "path"), ("Verdict", "verdict"), ("Why", "reason"), ("Remediation", "remediation"));
            });
    }

    private static Command Decide(string word, bool approve, string description)
    {
        var id = Number();
        var tenant = CommonWords.Tenant();
        return new Command(word, description) { id, tenant }.Runs(
            "investigation.decide",
            parsed => new { id = parsed.GetValue(id), approve, tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Investigation", "id"), ("Decision", "decision")));
    }
}
