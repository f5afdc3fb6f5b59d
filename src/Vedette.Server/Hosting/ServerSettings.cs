using System.Text.Json;
using Vedette.Defender.Detections;
using Vedette.Defender.Notifications;
using Vedette.Server.Endpoint;
using Vedette.Server.Http;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Hosting;

/// <summary>
/// What can be set besides the command line: the file <c>settings.json</c> in the data folder, and over it environment variables whose names begin
/// with <c>VEDETTE__</c>, such as <c>VEDETTE__Hunting__Endpoint__MaxRows</c>. All of it is in <c>docs/limits.md</c>.
/// </summary>
internal sealed record ServerSettings
{
    private const string Prefix = "VEDETTE__";

    /// <summary>What hunting may cost.</summary>
    public HuntingSettings Hunting { get; init; } = new();

    /// <summary>What <c>externaldata</c> may read.</summary>
    public ExternalDataOptions ExternalData { get; init; } = new();

    /// <summary>How change notifications are sent.</summary>
    public NotificationOptions Notifications { get; init; } = new();

    /// <summary>How detection rules run.</summary>
    public DetectionSettings Detections { get; init; } = new();

    /// <summary>Whether every table with a Timestamp also answers to TimeGenerated, as it does where tables are mirrored to a workspace.</summary>
    public bool TimeGenerated { get; init; }

    /// <summary>Limits of calls that differ from the table of endpoints, by verb and path template: <c>POST /api/advancedqueries/run</c>.</summary>
    public Dictionary<string, CallLimits> Calls { get; init; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads the settings of a data folder.</summary>
    /// <exception cref="InvalidOperationException">The file or a value cannot be used; the message says which and why.</exception>
    public static ServerSettings Read(DataFolder folder)
    {
        if (!File.Exists(folder.Settings) && !Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(name => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)))
            return new ServerSettings();
        try
        {
            var configuration = new ConfigurationBuilder()
                .AddJsonFile(folder.Settings, optional: true, reloadOnChange: false)
                .AddEnvironmentVariables(Prefix)
                .Build();
            var settings = configuration.Get<ServerSettings>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new ServerSettings();
            settings.Check();
            return settings;
        }
        catch (Exception exception) when (exception is InvalidDataException or InvalidOperationException or FormatException or JsonException)
        {
            var reason = exception.InnerException is { } inner and not (JsonException or FormatException) ? $"{exception.Message} {inner.Message}" : exception.Message;
            throw new InvalidOperationException($"The settings ({folder.Settings} and variables {Prefix}…) cannot be used: {reason}", exception);
        }
    }

    private void Check()
    {
        var known = Calls.Count == 0 ? [] : EndpointSurface.Endpoints.Select(endpoint => endpoint.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var problem = Hunting.Problems().Concat(ExternalData.Problems()).Concat(Notifications.Problems()).Concat(Detections.Problems())
            .Concat(Calls.Keys.Where(key => !known.Contains(key)).Select(key => $"Calls: there is no call '{key}'; write it as in the table of endpoints."))
            .Concat(Calls.Where(call => call.Value is { PerMinute: < 1 } or { PerHour: < 1 }).Select(call => $"Calls:{call.Key}: limits are 1 or more."))
            .FirstOrDefault();
        if (problem is not null) throw new FormatException(problem);
    }
}
