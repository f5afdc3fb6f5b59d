using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;
using Vedette.Defender;
using Vedette.Defender.Detections;
using Vedette.Defender.Notifications;
using Vedette.Defender.Streaming;
using Vedette.Foundation;
using Vedette.Foundation.Time;
using Vedette.Identity;
using Vedette.Server.Authority;
using Vedette.Server.Control;
using Vedette.Server.Control.Api;
using Vedette.Server.Control.Operations;
using Vedette.Server.Control.Scripting;
using Vedette.Server.Endpoint;
using Vedette.Server.Graph;
using Vedette.Server.Http;
using Vedette.Server.OpenApi;
using Vedette.Server.ThreatProtection;
using Vedette.Server.Insight;
using Vedette.Telemetry;

namespace Vedette.Server.Hosting;

/// <summary>Builds the host: what is composed, what listens, what is served in which order.</summary>
internal static class HostBuilding
{
    // Room for the largest documented upload and a margin; each route has its own smaller limit.
    private const long MaximumRequestBytes = 32 * 1024 * 1024;

    public static WebApplication Build(
        ServerOptions options, DataFolder folder, Engines engines, ServerClock clock, ServerCertificates? certificates, ControlKey? control)
    {
        var builder = WebApplication.CreateSlimBuilder();
        Log(builder, options);
        Compose(builder.Services, options, folder, engines, clock);
        if (certificates is not null) Listen(builder, options, folder, certificates);
        var application = builder.Build();
        Serve(application, control);
        return application;
    }

    private static void Log(WebApplicationBuilder builder, ServerOptions options)
    {
        // Standard output belongs to the ready line.
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
            console.ColorBehavior = Console.IsErrorRedirected ? LoggerColorBehavior.Disabled : LoggerColorBehavior.Default;
        });
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(options.Verbose ? LogLevel.Information : LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning);
    }

    private static void Compose(IServiceCollection services, ServerOptions options, DataFolder folder, Engines engines, ServerClock clock)
    {
        services.AddSingleton(clock);
        services.AddSingleton<TimeProvider>(clock);
        services.AddSingleton<IIdentifierSource, RandomIdentifierSource>();
        services.AddSingleton<ServerState>();
        services.AddSingleton(options);
        services.AddSingleton(folder);

        // Nothing below is resolved before the engines are ready: see the order of steps in House.
        services.AddSingleton(_ => engines.State.GetAwaiter().GetResult().DataSource);
        services.AddSingleton(engines.Telemetry);
        services.AddVedetteTelemetry(engines.TelemetryOptions);
        services.AddVedetteIdentity(new IdentityOptions { KeyFile = Path.Combine(folder.Keys, "identity.key") });
        services.AddVedetteDefender(new DefenderOptions { FilesFolder = folder.Files });
        services.AddVedetteDetections(options.Settings.Detections.ToOptions(folder.Rules));
        services.AddVedetteEndpoint();
        services.AddVedetteThreatProtection();
        services.AddVedetteGraph();
        services.AddHostedService<AuthorityWorker>();
        services.AddSingleton(options.Settings.Hunting);
        services.Configure<HttpSettings>(http => (http.Quotas, http.Calls) = (options.Quotas ? QuotaMode.Real : QuotaMode.Off, options.Settings.Calls));
        services.AddInsight();
        services.AddSingleton<ISecretBox, SecretBox>();
        services.AddVedetteStreaming();
        services.AddSingleton(options.Settings.Notifications);
        services.AddVedetteNotifications();
        services.AddSingleton<FaultBook>();
        services.AddSingleton<IFaultScript>(provider => provider.GetRequiredService<FaultBook>());
        services.AddSingleton<ServerSnapshots>();
        services.AddOperations();
    }

    private static void Listen(WebApplicationBuilder builder, ServerOptions options, DataFolder folder, ServerCertificates certificates)
    {
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaximumRequestBytes;
            kestrel.Limits.MaxRequestLineSize = 64 * 1024;
            Bind(options.HttpsPort, listen => listen.UseHttps(https => https.ServerCertificateSelector = (_, name) => certificates.Choose(name)));
            Bind(options.HttpPort, _ => { });
            if (options.Hosts) Bind(options.HostsPort, listen => Emulate(listen, Mark, certificates.ChooseOnStandardPort));
            if (options.ProxyPort is { } proxy) Bind(proxy, listen => Emulate(listen, ConnectProxy.Accept, certificates.ChooseEmulated));

            // We hold the data folder, so a socket file that is there was left behind by a killed server.
            File.Delete(folder.ControlSocket);
            kestrel.ListenUnixSocket(folder.ControlSocket, listen => listen.Use(next => connection =>
            {
                ControlEndpoint.Mark(connection);
                return next(connection);
            }));

            // The step runs before TLS.
            static void Emulate(ListenOptions listen, Func<ConnectionDelegate, ConnectionDelegate> step, Func<string?, X509Certificate2?> choose)
            {
                listen.Use(step);
                listen.UseHttps(https => https.ServerCertificateSelector = (_, name) => choose(name));
            }

            static ConnectionDelegate Mark(ConnectionDelegate next) => connection =>
            {
                HostGate.Mark(connection);
                return next(connection);
            };

            // Kestrel cannot choose one free port for both loopback addresses, so a free port is an IPv4 one.
            void Bind(int port, Action<ListenOptions> configure)
            {
                if (port == 0) kestrel.Listen(IPAddress.Loopback, 0, configure);
                else kestrel.ListenLocalhost(port, configure);
            }
        });
    }

    private static void Serve(WebApplication application, ControlKey? control)
    {
        application.Use((context, next) => ControlEndpoint.IsControl(context) ? ControlEndpoint.HandleAsync(context) : next(context));
        application.UseHostGate();
        if (control is not null)
        {
            application.Services.GetRequiredService<RequestJournal>().Enabled = true;
            application.MapControlApi(control);
        }

        application.MapLanding();
        application.MapOpenApi();
        application.MapInspect();
        application.MapAuthority();
        application.MapEndpoint();
        application.MapGraph();

        // Nothing after these: like the real services, an unknown address answers 404 with nothing in it.
    }
}
