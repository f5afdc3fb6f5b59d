using System.CommandLine;
using Vedette.Server.Hosting;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette up</c>: serve in the foreground.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var data = OperationCommand.DataOption();
        var https = new Option<int>("--https") { Description = "Port of https; 0 takes a free one.", DefaultValueFactory = _ => 8443, HelpName = "PORT" };
        var http = new Option<int>("--http") { Description = "Port of plain http; 0 takes a free one.", DefaultValueFactory = _ => 8080, HelpName = "PORT" };
        var hosts = new Option<bool>("--hosts") { Description = "Also answer by the real services' host names (login.microsoftonline.com …), on port 443 of the loopback interface." };
        var hostsPort = new Option<int>("--hosts-port") { Description = "Another port for --hosts.", DefaultValueFactory = _ => 443, HelpName = "PORT" };
        var proxy = new Option<int?>("--proxy") { Description = "A CONNECT proxy on the loopback interface that leads the real services' host names here, and no others anywhere; 0 takes a free port.", HelpName = "PORT" };
        var empty = new Option<bool>("--empty") { Description = "Start without the demo organisation's devices and telemetry." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object on standard output when ready; all else goes to standard error." };
        var quotas = new Option<string>("--quotas") { Description = "Call quotas: those of the real service, or none.", DefaultValueFactory = _ => "real", HelpName = "real|off" };
        quotas.AcceptOnlyFromAmong("real", "off");
        var timing = new Option<string?>("--action-timing") { Description = "When simulated devices finish an action: 'at-once', after seconds ('5s', '3s' at first) or after reads of the action ('3r'). Remembered.", HelpName = "WHEN" };
        var retention = new Option<int>("--retention-days") { Description = "Days of telemetry to keep.", DefaultValueFactory = _ => 30, HelpName = "N" };
        var postgres = new Option<string?>("--postgres") { Description = "Use this PostgreSQL instead of the embedded one.", HelpName = "CONNECTION" };
        var clickHouse = new Option<string?>("--clickhouse") { Description = "Use this ClickHouse instead of the embedded one.", HelpName = "URL" };
        var control = new Option<bool>("--control") { Description = "Serve the control API below /control, for tests of integrations: reset, snapshots, clock, faults, quotas, request log." };
        var scenario = new Option<string?>("--scenario") { Description = "Run the steps of this YAML file before the ports open.", HelpName = "FILE" };
        var verbose = new Option<bool>("--verbose") { Description = "Log each request." };
        var command = new Command("up", "Serve in the foreground until Ctrl-C.")
        {
            data, https, http, hosts, hostsPort, proxy, empty, json, quotas, timing, retention, postgres, clickHouse, control, scenario, verbose,
        };
        foreach (var port in new[] { https, http })
        {
            port.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<int>() is < 0 or > 65535) result.AddError($"{port.Name} takes a port from 0 to 65535.");
            });
        }

        hostsPort.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 65535) result.AddError("--hosts-port takes a port from 1 to 65535.");
        });
        proxy.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 0 or > 65535) result.AddError("--proxy takes a port from 0 to 65535.");
        });
        retention.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 3650) result.AddError("--retention-days takes a number from 1 to 3650.");
        });
        clickHouse.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } address && !(Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
            {
                result.AddError("--clickhouse takes an address such as https://user:password@host:8443.");
            }
        });
        timing.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } pace && ActionPace.Parse(pace) is null) result.AddError("--action-timing takes 'at-once', seconds ('5s') or reads ('3r').");
        });
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(() => ServeCommand.RunAsync(
            new ServerOptions
            {
                Data = parsed.GetValue(data)!,
                HttpsPort = parsed.GetValue(https),
                HttpPort = parsed.GetValue(http),
                Hosts = parsed.GetValue(hosts),
                HostsPort = parsed.GetValue(hostsPort),
                ProxyPort = parsed.GetValue(proxy),
                Empty = parsed.GetValue(empty),
                Json = parsed.GetValue(json),
                Quotas = parsed.GetValue(quotas) == "real",
                ActionTiming = parsed.GetValue(timing) is { } pace ? ActionPace.Parse(pace) : null,
                RetentionDays = parsed.GetValue(retention),
                Postgres = parsed.GetValue(postgres),
                ClickHouse = parsed.GetValue(clickHouse),
                Control = parsed.GetValue(control),
                Scenario = parsed.GetValue(scenario),
                Verbose = parsed.GetValue(verbose),
            },
            cancellationToken)));
        return command;
    }
}
