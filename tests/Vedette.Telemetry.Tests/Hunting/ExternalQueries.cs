using System.Globalization;
using System.Net;
using Vedette.Telemetry.Hunting;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

/// <summary>Runs queries that reach servers on this machine: every name leads to the loopback address.</summary>
internal static class ExternalQueries
{
    /// <summary>Lets queries reach hosts of the name and port given.</summary>
    public static ExternalDataOptions Allow(params string[] hosts) => new() { AllowedHosts = [.. hosts, "127.0.0.1"] };

    public static async Task<HuntingResult> RunAsync(string query, ExternalDataOptions options, string certificate)
    {
        var telemetry = new TelemetryOptions { ExternalData = options };
        using var connector = new ExternalConnector(
            options,
            (_, shown, _, _) => shown?.Subject == "CN=" + certificate,
            (host, _) => Task.FromResult<IPAddress[]>([host.StartsWith("inner.", StringComparison.Ordinal) ? IPAddress.Parse("10.1.2.3") : IPAddress.Loopback]));
        var catalogue = new HuntingCatalogue(telemetry);
        using var service = options.AllowedHosts.Count == 0
            ? new HuntingService(TestEngine.Shared, telemetry, catalogue, TimeProvider.System)
            : new HuntingService(TestEngine.Shared, telemetry, catalogue, TimeProvider.System, connector);
        return await service.RunAsync(new HuntingRequest(Guid.NewGuid(), query), default);
    }

    public static async Task<string> FailAsync(string query, ExternalDataOptions options, string certificate) =>
        (await Should.ThrowAsync<HuntingException>(() => RunAsync(query, options, certificate))).Message;

    /// <summary>Columns and rows as text: <c>a:long b:string / 1|x / 2|y</c>.</summary>
    public static string Print(this HuntingResult result) => string.Join(" / ",
        result.Rows.Select(row => string.Join('|', row.Select(v => v is DateTime time ? time.ToString("s", CultureInfo.InvariantCulture) : Convert.ToString(v, CultureInfo.InvariantCulture))))
            .Prepend(string.Join(' ', result.Columns.Select(c => $"{c.Name}:{Vedette.Kql.KqlTypes.Name(c.Type)}"))));
}
