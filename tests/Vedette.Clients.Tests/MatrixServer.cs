using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Server.Hosting;

namespace Vedette.Clients.Tests;

/// <summary>Tests that share the server with the real services' names.</summary>
[CollectionDefinition(Name)]
public sealed class MatrixCollection : ICollectionFixture<MatrixServer>
{
    public const string Name = "Matrix";
}

/// <summary>
/// A server with the real services' names, in a network namespace with nothing but a loopback interface and with a hosts file that leads the
/// names there: what is reached inside cannot be anything else. Clients are run in the same namespace.
/// </summary>
public sealed class MatrixServer : IAsyncLifetime
{
    private static readonly string[] Elevation = Environment.UserName == "root" ? [] : ["sudo", "-n", "-E"];
    private Process? _process;
    private string _folder = "";
    private int _inside;
    private StringBuilder _log = new();

    internal Dictionary<string, MatrixSettings> Settings { get; private set; } = [];

    /// <summary>The server's data folder.</summary>
    internal string Data => Path.Combine(_folder, "data");

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        _folder = System.IO.Directory.CreateTempSubdirectory("vedette-matrix-").FullName;
        var hosts = Path.Combine(_folder, "hosts");
        await File.WriteAllTextAsync(hosts, "127.0.0.1 localhost\n" + EmulatedHosts.HostsFile());

        // A second address keeps name lookups, which leave loopback out of account, from thinking that there is no network at all.
        var script = $"ip link set lo up && ip addr add 192.0.2.1/32 dev lo && mount --bind '{hosts}' /etc/hosts && echo $$ && exec dotnet exec '{typeof(MatrixServer).Assembly.Location}' matrix-host '{_folder}'";
        var start = new ProcessStartInfo(Elevation is [var first, ..] ? first : "unshare") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in (string[])[.. Elevation.Skip(1), .. Elevation.Length > 0 ? (string[])["unshare"] : [], "--net", "--mount", "sh", "-c", script]) start.ArgumentList.Add(word);
        _process = Process.Start(start) ?? throw new InvalidOperationException("unshare did not start.");
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log) _log.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        if (await _process.StandardOutput.ReadLineAsync(patience.Token) is not { } id || await _process.StandardOutput.ReadLineAsync(patience.Token) is not { } line)
            throw new InvalidOperationException($"The server could not be started in a network namespace of its own, which takes the rights to make one. {_log}");
        _inside = int.Parse(id, System.Globalization.CultureInfo.InvariantCulture);
        Settings = JsonSerializer.Deserialize<Dictionary<string, MatrixSettings>>(line, ClientSettings.Json)!;
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_process is null) return;
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        System.IO.Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Runs a program inside and returns its lines of JSON.</summary>
    /// <param name="words">The program and its arguments.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="environment">Variables besides those of a desktop.</param>
    /// <param name="trusting">Whether the variables of each platform name the server's certificate authority.</param>
    internal async Task<IReadOnlyList<JsonNode>> RunAsync(string[] words, string input, IReadOnlyDictionary<string, string> environment, bool trusting = true)
    {
        string[] all = [.. Elevation, "nsenter", "--target", _inside.ToString(System.Globalization.CultureInfo.InvariantCulture), "--net", "--mount", .. words];
        var start = new ProcessStartInfo(all[0], all.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        var authority = Path.Combine(Data, "keys", "ca.pem");
        foreach (var name in new[] { "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE" })
        {
            if (trusting) start.Environment[name] = authority;
            else start.Environment.Remove(name);
        }

        foreach (var name in new[] { "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "NODE_OPTIONS", "SUDO_USER", "SSL_CERT_DIR" }) start.Environment.Remove(name);

        // What a desktop has: a command that shows an address to the person.
        var desktop = Path.Combine(ClientProcess.ProjectFolder, "matrix");
        start.Environment["BROWSER"] = Path.Combine(desktop, "xdg-open");
        start.Environment["PATH"] = $"{desktop}:{Environment.GetEnvironmentVariable("PATH")}";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{words[0]} did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        var lines = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!).ToArray();
        return lines.Length > 0 ? lines : throw new InvalidOperationException($"{string.Join(' ', words)} said nothing. {await errors}");
    }

    /// <summary>Runs an operation of the server over its control socket.</summary>
    internal async Task<JsonNode?> OperateAsync(string name, object input)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancelled) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(Data, "control.sock")), cancelled);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using var content = new StringContent(JsonSerializer.Serialize(input), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync($"http://control/operations/{name}", content);
        var last = JsonNode.Parse((await answer.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n')[^1])!;
        last["error"].ShouldBeNull(last.ToJsonString());
        return last["result"];
    }
}
