using System.CommandLine;
using System.Text.Json.Nodes;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette tenant …</c>: organisations. Data never crosses from one to another.</summary>
internal static class TenantCommands
{
    public static Command Create() => new("tenant", "Manage tenants.") { CreateTenant(), List(), Show(), Domains(), Mfa() };

    private static Argument<string> Tenant() => new("tenant") { Description = "Tenant id or one of its domains." };

    private static Command CreateTenant()
    {
        var name = new Argument<string>("name") { Description = "Name of the organisation." };
        var domain = new Option<string?>("--domain") { Description = "Its verified domain; made from the name when left out.", HelpName = "DOMAIN" };
        var id = new Option<Guid?>("--id") { Description = "Its id; a new one when left out.", HelpName = "GUID" };
        return new Command("create", "Make a tenant.") { name, domain, id }.Runs(
            "tenant.create",
            parsed => new { name = parsed.GetValue(name), domain = parsed.GetValue(domain), id = parsed.GetValue(id) },
            PrintTenant);
    }

    private static Command List() => new Command("list", "List tenants.").Runs(
        "tenant.list",
        _ => new { },
        result => Print.Rows(result, ("Tenant id", "id"), ("Name", "displayName"), ("Default domain", "defaultDomain"), ("Second factor", "requiresMfa")));

    private static Command Show()
    {
        var tenant = Tenant();
        return new Command("show", "Show a tenant.") { tenant }.Runs("tenant.show", parsed => new { tenant = parsed.GetValue(tenant) }, PrintTenant);
    }

    private static Command Domains()
    {
        var tenant = Tenant();
        var domain = new Argument<string>("domain") { Description = "A domain name; sign-in names may then end in it." };
        var remove = new Option<bool>("--remove") { Description = "Take the domain away." };
        return new Command("domain", "Add a verified domain to a tenant.") { tenant, domain, remove }.Runs(
            "tenant.domain",
            parsed => new { tenant = parsed.GetValue(tenant), domain = parsed.GetValue(domain), remove = parsed.GetValue(remove) },
            PrintTenant);
    }

    private static Command Mfa()
    {
        var tenant = Tenant();
        var state = new Argument<string>("state") { Description = "'required' or 'off'." };
        state.AcceptOnlyFromAmong("required", "off");
        return new Command("mfa", "Say whether people of a tenant need a second factor.") { tenant, state }.Runs(
            "tenant.mfa", parsed => new { tenant = parsed.GetValue(tenant), required = parsed.GetValue(state) == "required" }, PrintTenant);
    }

    private static void PrintTenant(JsonNode? result) => Print.Fields(
        result, ("Tenant id", "id"), ("Name", "displayName"), ("Domains", "domains"), ("Second factor required", "requiresMfa"));
}
