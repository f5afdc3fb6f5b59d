using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Vedette.Defender;
using Vedette.Foundation;
using Vedette.Foundation.Time;
using Vedette.Identity;
using Vedette.Server.Control;
using Vedette.Server.Control.Scripting;

namespace Vedette.Server.Hosting;

/// <summary>
/// The whole server, opened and closed in one place. Opening runs these steps in order; the engines start while the host is being built, and
/// the ports open last, so that a server that answers is ready.
/// <list type="number">
/// <item>take the data folder</item>
/// <item>start both engines, side by side</item>
/// <item>build the host: services, certificates, surfaces</item>
/// <item>load the directory; make sure of the tenant and its demo application</item>
/// <item>make sure of the demo organisation, unless told not to</item>
/// <item>run the scenario, if there is one</item>
/// <item>open the ports (only to serve)</item>
/// </list>
/// </summary>
internal sealed class House : IAsyncDisposable
{
    private readonly ServerOptions _options;
    private readonly ServerClock _clock = new(TimeProvider.System);
    private DataFolderLock? _lock;
    private Engines? _engines;
    private WebApplication? _application;
    private bool _listening;

    private House(ServerOptions options, DataFolder folder)
    {
        _options = options;
        Folder = folder;
    }

    /// <summary>The data folder.</summary>
    public DataFolder Folder { get; }

    /// <summary>The demo application and its tenant.</summary>
    public DemoCredentials Demo { get; private set; } = null!;

    /// <summary>PEM file of the authority that clients are to trust.</summary>
    public string AuthorityCertificateFile { get; private set; } = "";

    /// <summary>Key of the control API; null when it is off.</summary>
    public string? ControlKey { get; private set; }

    /// <summary>Everything that was composed.</summary>
    public IServiceProvider Services => (_application ?? throw new InvalidOperationException("The house is not open.")).Services;

    /// <summary>Opens everything up to the ports.</summary>
    /// <exception cref="DataFolderInUseException">Another server holds the data folder.</exception>
    public static async Task<House> OpenAsync(
        ServerOptions options, CancellationToken cancellationToken, IProgress<OperationProgress>? progress = null)
    {
        var folder = DataFolder.At(options.Data).Create();
        var house = new House(options with { Settings = ServerSettings.Read(folder) }, folder);
        try
        {
            await house.OpenAsync(progress ?? new Progress<OperationProgress>(), cancellationToken);
            return house;
        }
        catch
        {
            await house.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens the ports and starts the work in the background.</summary>
    public async Task<ServerAddress> ListenAsync(CancellationToken cancellationToken)
    {
        var application = _application ?? throw new InvalidOperationException("The house is not open.");
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (IOException exception) when (exception.GetBaseException() is SocketException)
        {
            throw new IOException($"{exception.Message} Choose other ports with --https and --http; 0 takes a free one.", exception);
        }

        _listening = true;
        File.SetUnixFileMode(Folder.ControlSocket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var ports = BoundPorts();
        var address = new ServerAddress(
            $"https://localhost:{ports[0]}", $"http://localhost:{ports[1]}", (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalMilliseconds)
        {
            Hosts = _options.Hosts ? $"https://login.microsoftonline.com{(_options.HostsPort == 443 ? "" : ":" + ports[2])}" : null,
            Proxy = _options.ProxyPort is null ? null : $"http://localhost:{ports[^1]}",
        };
        Services.GetRequiredService<ServerState>().Address = address;
        return address;

        // In the order in which they were bound; the control socket has no port.
        int[] BoundPorts() =>
        [
            .. application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
                .Select(BindingAddress.Parse).Where(bound => !bound.IsUnixPipe).Select(bound => bound.Port),
        ];
    }

    /// <summary>Waits until the server is told to stop, or an engine ends by itself.</summary>
    /// <returns>Null after an orderly stop; else what went wrong.</returns>
    public async Task<string?> WaitAsync(CancellationToken cancellationToken)
    {
        var stopped = new TaskCompletionSource();
        await using var cancelled = cancellationToken.Register(() => stopped.TrySetResult());
        using var stopping = _application!.Lifetime.ApplicationStopping.Register(() => stopped.TrySetResult());
        var database = (await _engines!.State).Ended;
        return await Task.WhenAny(stopped.Task, database) == database && !cancellationToken.IsCancellationRequested
            ? "the state database ended by itself; its log is in the data folder"
            : null;
    }

    /// <summary>Closes everything that was opened, in the opposite order.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            if (_listening) await _application.StopAsync(CancellationToken.None);
            await _application.DisposeAsync();
            if (_listening) File.Delete(Folder.ControlSocket);
        }

        if (_engines is not null) await _engines.DisposeAsync();
        _lock?.Dispose();
    }

    private async Task OpenAsync(IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        // Step 1
        var scenario = _options.Scenario is { } file ? Scenario.Load(file) : null;
        _lock = DataFolderLock.Acquire(Folder.Root);

        // Step 2
        _engines = Engines.Start(_options, Folder, _clock);

        // Step 3
        var certificates = new CertificateAuthority(Folder.Keys, TimeProvider.System);
        AuthorityCertificateFile = certificates.AuthorityFile;
        var key = _options is { Serve: true, Control: true } ? Control.Api.ControlKey.Ensure(Folder) : null;
        ControlKey = key?.Value;
        _application = HostBuilding.Build(_options, Folder, _engines, _clock, _options.Serve ? ServerCertificates.Open(certificates, _options) : null, key);

        // Step 4
        await _engines.State.WaitAsync(cancellationToken);
        await Services.GetRequiredService<IdentityStartup>().StartAsync(cancellationToken);
        Demo = await DemoCredentials.EnsureAsync(Services, Folder, cancellationToken);
        var state = Services.GetRequiredService<ServerState>();
        state.Demo = Demo;
        state.AuthorityCertificateFile = AuthorityCertificateFile;
        await _engines.TelemetryReady.WaitAsync(cancellationToken);

        // Step 5
        if (_options.ActionTiming is { } timing)
        {
            await Services.GetRequiredService<TenantSettingsStore>().SetAsync(Demo.TenantId, settings => settings.ActionTiming = timing, cancellationToken);
        }

        if (_options.Demo || (_options.Serve && !_options.Empty)) await DemoOrganisation.EnsureAsync(Services, Demo.TenantId, progress, cancellationToken);

        // Step 6
        if (scenario is not null) await scenario.RunAsync(Services.GetRequiredService<OperationRegistry>(), progress, cancellationToken);
    }
}
