using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Server.Cli;
using Vedette.Server.Control;

namespace Vedette.Server.Hosting;

/// <summary>Serves in the foreground: opens the house, says where everything is, waits for Ctrl-C, closes everything.</summary>
internal static class ServeCommand
{
    /// <summary>Runs until cancelled.</summary>
    /// <returns>The process exit code.</returns>
    public static async Task<int> RunAsync(ServerOptions options, CancellationToken cancellationToken)
    {
        // Standard output carries the JSON line only; everything said while starting goes to standard error.
        using var bar = new ProgressLine();
        await using var house = await House.OpenAsync(options, cancellationToken, bar);
        var address = await house.ListenAsync(cancellationToken);
        bar.Clear();
        if (options.Json) Console.Out.WriteLine(Line(house, address).ToJsonString(OperationJson.Options));
        else await Console.Out.WriteAsync(Text(house, address));
        await Console.Out.FlushAsync(cancellationToken);

        var ended = await house.WaitAsync(cancellationToken);
        if (ended is null) return ExitCode.Success;
        await Console.Error.WriteLineAsync($"vedette: {ended}");
        return ExitCode.Failure;
    }

    private static JsonObject Line(House house, ServerAddress address)
    {
        var line = new JsonObject
        {
            ["ready"] = true,
            ["https"] = address.Https,
            ["http"] = address.Http,
            ["tenantId"] = house.Demo.TenantId.ToString(),
            ["clientId"] = house.Demo.ClientId.ToString(),
            ["clientSecret"] = house.Demo.ClientSecret,
            ["userName"] = house.Demo.UserName,
            ["password"] = house.Demo.Password,
            ["caCertificate"] = house.AuthorityCertificateFile,
            ["startMs"] = Math.Round(address.StartMilliseconds, 1),
        };
        if (address.Hosts is not null) line["hosts"] = address.Hosts;
        if (address.Proxy is not null) line["proxy"] = address.Proxy;
        if (house.ControlKey is { } key) line["controlKey"] = key;
        return line;
    }

    private static string Text(House house, ServerAddress address)
    {
        var demo = house.Demo;
        var control = house.ControlKey is null ? "" : $"  control API    {address.Http}/control (key in {house.Folder.ControlKey})\n";
        var seconds = (address.StartMilliseconds / 1000).ToString("0.0", CultureInfo.InvariantCulture);
        return $"""
            Vedette is ready ({seconds} s).

              https          {address.Https}
              http           {address.Http}
              tenant         {demo.TenantId}
              CA to trust    {house.AuthorityCertificateFile}
              data           {house.Folder.Root}
            {control}{RealNames(house, address)}
            A demo application that holds every permission, and a demo user who administers the tenant (kept in {house.Folder.DemoCredentials}):
              client id      {demo.ClientId}
              client secret  {demo.ClientSecret}
              user           {demo.UserName}
              password       {demo.Password}

            Try it:
              token=$(curl -s {address.Http}/{demo.TenantId}/oauth2/v2.0/token -d grant_type=client_credentials -d client_id={demo.ClientId} --data-urlencode 'client_secret={demo.ClientSecret}' -d scope=https://api.securitycenter.microsoft.com/.default | grep -o '"access_token":"[^"]*' | cut -d'"' -f4); curl -s -H "Authorization: Bearer $token" '{address.Http}/api/alerts?$top=3'

            Ctrl-C stops it.

            """;
    }

    private static string RealNames(House house, ServerAddress address)
    {
        var data = house.Folder.Root;
        var text = "";
        if (address.Hosts is not null)
        {
            text += $"""

                It answers by the real services' names too. Lead them here in /etc/hosts, and take the lines out again afterwards:
                  ./vedette trust --hosts-file --data {data} | sudo tee -a /etc/hosts
                  eval "$(./vedette trust --env --data {data})"

                """;
        }

        if (address.Proxy is not null)
        {
            text += $"""

                By the real services' names it is reached through the proxy {address.Proxy}, which leads nowhere else:
                  export HTTPS_PROXY={address.Proxy}; eval "$(./vedette trust --env --data {data})"

                """;
        }

        return text;
    }
}

/// <summary>Where a server listens, and how long it took to get there.</summary>
/// <param name="Https">Base address of https.</param>
/// <param name="Http">Base address of plain http.</param>
/// <param name="StartMilliseconds">From the start of the process to the open ports.</param>
internal sealed record ServerAddress(string Https, string Http, double StartMilliseconds)
{
    /// <summary>The authority by the real service's name; null unless asked for.</summary>
    public string? Hosts { get; init; }

    /// <summary>Address of the CONNECT proxy; null unless asked for.</summary>
    public string? Proxy { get; init; }
}
