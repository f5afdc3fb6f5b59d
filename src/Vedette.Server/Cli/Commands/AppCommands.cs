using System.CommandLine;
using System.Text.Json.Nodes;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette app …</c>: the steps by which an application gets access.</summary>
internal static class AppCommands
{
    public static Command Create() => new("app", "Register applications and give them access.")
    {
        CreateApplication(), Grant(), Consent(), Secret(), List(), Show(), Delete(),
    };

    private static Command CreateApplication()
    {
        var name = new Argument<string>("name") { Description = "Display name." };
        var native = new Option<bool>("--native") { Description = "A public client (desktop, mobile, script of a user) rather than a web application." };
        var multiTenant = new Option<bool>("--multi-tenant") { Description = "Usable in every tenant that consents." };
        var redirect = new Option<string[]>("--redirect-uri") { Description = "A redirect URI; may be given several times.", HelpName = "URI", DefaultValueFactory = _ => [] };
        var page = new Option<string[]>("--spa-redirect-uri") { Description = "A redirect URI of a page that runs in a browser; may be given several times.", HelpName = "URI", DefaultValueFactory = _ => [] };
        var tenant = CommonWords.Tenant();
        return new Command("create", "Step 1: register an application.") { name, native, multiTenant, redirect, page, tenant }.Runs(
            "app.create",
            parsed => new
            {
                name = parsed.GetValue(name),
                native = parsed.GetValue(native),
                multiTenant = parsed.GetValue(multiTenant),
                redirectUris = parsed.GetValue(redirect),
                singlePageRedirectUris = parsed.GetValue(page),
                tenant = parsed.GetValue(tenant),
            },
            result => Print.Fields(result, ("Application (client) id", "appId"), ("Object id", "id"), ("Tenant id", "tenantId"), ("Name", "displayName")));
    }

    private static Command Grant()
    {
        var application = CommonWords.Application();
        var permissions = new Argument<string[]>("permissions") { Description = "Permission names, for instance Alert.Read.All Machine.Isolate.", Arity = ArgumentArity.OneOrMore };
        var resource = new Option<string?>("--resource") { Description = "The API: 'endpoint', 'threat-protection', 'graph', or its name, URI or id. Found from the permissions when left out.", HelpName = "API" };
        var delegated = new Option<bool>("--delegated") { Description = "Permissions for a signed-in user rather than for the application itself." };
        var tenant = CommonWords.Tenant();
        return new Command("grant", "Step 2: ask for permissions.") { application, permissions, resource, delegated, tenant }.Runs(
            "app.grant",
            parsed => new
            {
                application = parsed.GetValue(application),
                permissions = parsed.GetValue(permissions),
                resource = parsed.GetValue(resource),
                delegated = parsed.GetValue(delegated),
                tenant = parsed.GetValue(tenant),
            },
            result => Print.Rows(result?["permissions"], ("Permission", "name"), ("API", "resource"), ("Kind", "kind"), ("Consented", "consented")));
    }

    private static Command Consent()
    {
        var application = CommonWords.Application();
        var tenant = CommonWords.Tenant();
        return new Command("consent", "Step 3: grant admin consent for everything the application asks for.") { application, tenant }.Runs(
            "app.consent",
            parsed => new { application = parsed.GetValue(application), tenant = parsed.GetValue(tenant) },
            result => Print.Rows(result?["permissions"], ("Permission", "name"), ("API", "resource"), ("Kind", "kind"), ("Consented", "consented")));
    }

    private static Command Secret()
    {
        var application = CommonWords.Application();
        var name = new Option<string?>("--name") { Description = "What the secret is for.", HelpName = "TEXT" };
        var days = new Option<int>("--days") { Description = "Days until it expires.", DefaultValueFactory = _ => 180, HelpName = "N" };
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 730) result.AddError("--days takes a number from 1 to 730.");
        });
        var tenant = CommonWords.Tenant();
        return new Command("secret", "Step 4: create a client secret. It is shown once.") { application, name, days, tenant }.Runs(
            "app.secret",
            parsed => new
            {
                application = parsed.GetValue(application),
                name = parsed.GetValue(name),
                days = parsed.GetValue(days),
                tenant = parsed.GetValue(tenant),
            },
            result =>
            {
                Print.Fields(result, ("Secret", "secretText"), ("Secret id", "keyId"), ("Expires", "endDateTime"));
                Console.Error.WriteLine("Keep it now: it cannot be shown again.");
            });
    }

    private static Command List()
    {
        var tenant = CommonWords.Tenant();
        return new Command("list", "List applications.") { tenant }.Runs(
            "app.list",
            parsed => new { tenant = parsed.GetValue(tenant) },
            result => Print.Rows(result, ("Application (client) id", "appId"), ("Name", "displayName"), ("Kind", "kind"), ("Secrets", "secrets"), ("Permissions", "permissions")));
    }

    private static Command Show()
    {
        var application = CommonWords.Application();
        var tenant = CommonWords.Tenant();
        return new Command("show", "Show one application with its permissions.") { application, tenant }.Runs(
            "app.show",
            parsed => new { application = parsed.GetValue(application), tenant = parsed.GetValue(tenant) },
            result =>
            {
                Print.Fields(result, ("Application (client) id", "appId"), ("Object id", "id"), ("Tenant id", "tenantId"), ("Name", "displayName"), ("Kind", "kind"));
                Print.Rows(result?["permissions"], ("Permission", "name"), ("API", "resource"), ("Kind", "kind"), ("Consented", "consented"));
            });
    }

    private static Command Delete()
    {
        var application = CommonWords.Application();
        var tenant = CommonWords.Tenant();
        return new Command("delete", "Delete an application with its secrets and grants.") { application, tenant }.Runs(
            "app.delete",
            parsed => new { application = parsed.GetValue(application), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Deleted", "appId")));
    }
}
