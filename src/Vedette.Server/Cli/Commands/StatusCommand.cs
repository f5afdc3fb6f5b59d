using System.CommandLine;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette status</c>: what is stored, and where a running server listens.</summary>
internal static class StatusCommand
{
    public static Command Create() => new Command("status", "Show where a server listens and what it holds.").Runs(
        "status",
        _ => new { },
        result =>
        {
            Print.Fields(
                result,
                ("Running", "running"), ("https", "https"), ("http", "http"), ("Tenant id", "tenantId"), ("Demo client id", "clientId"),
                ("Credentials in", "credentials"), ("CA certificate", "caCertificate"), ("Devices", "devices"), ("Alerts", "alerts"), ("Incidents", "incidents"));
        });
}
