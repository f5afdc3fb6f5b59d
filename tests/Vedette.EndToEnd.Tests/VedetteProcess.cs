using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary>A really started <c>vedette up --json</c> on free ports, and the commands that talk to it.</summary>
public sealed class VedetteProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly StringBuilder _log;

    private VedetteProcess(Process process, StringBuilder log, JsonObject ready, string data)
    {
        _process = process;
        _log = log;
        Ready = ready;
        Data = data;
        Http = new HttpClient { BaseAddress = new Uri((string)ready["http"]!), Timeout = TimeSpan.FromMinutes(2) };
    }

    /// <summary>The object that the server printed when it was ready.</summary>
    public JsonObject Ready { get; }

    /// <summary>Its data folder.</summary>
    public string Data { get; }

    /// <summary>Whether the data folder stays when this is disposed.</summary>
    public bool KeepData { get; set; }

    /// <summary>A client of the plain http port.</summary>
    public HttpClient Http { get; }

    /// <summary>Everything it wrote to standard error.</summary>
    public string Log
    {
        get
        {
            lock (_log) return _log.ToString();
        }
    }

    public string TenantId => (string)Ready["tenantId"]!;

    public string ClientId => (string)Ready["clientId"]!;

    public string ClientSecret => (string)Ready["clientSecret"]!;

    /// <summary>Starts a server and waits until it says that it is ready.</summary>
    public static async Task<VedetteProcess> StartAsync(string? data = null, params string[] options)
    {
        data ??= NewFolder();
        var process = Launch(["up", "--json", "--data", data, "--https", "0", "--http", "0", .. options]);
        var log = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (log) log.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(StartLimit);
        string? first;
        try
        {
            first = await process.StandardOutput.ReadLineAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The server was not ready after {StartLimit}. It said:\n{log}");
        }

        if (first is null)
        {
            await process.WaitForExitAsync();
            throw new InvalidOperationException($"The server ended with code {process.ExitCode} before it was ready. It said:\n{log}");
        }

        return new VedetteProcess(process, log, JsonNode.Parse(first)!.AsObject(), data);
    }

    /// <summary>Runs one <c>vedette</c> command to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> CommandAsync(params string[] words)
    {
        using var process = Launch(words);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Starts a <c>vedette</c> command without waiting for it.</summary>
    public static Process Launch(IEnumerable<string> words)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "vedette.dll"));
        foreach (var word in words) start.ArgumentList.Add(word);
        return Process.Start(start) ?? throw new InvalidOperationException("dotnet could not be started.");
    }

    /// <summary>A new empty folder under the system's temporary one.</summary>
    public static string NewFolder() => Directory.CreateTempSubdirectory("vedette-e2e-").FullName;

    /// <summary>Runs a command against this server's data.</summary>
    public Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] words) => CommandAsync([.. words, "--data", Data]);

    /// <summary>Runs a command with <c>--json</c> and returns its result; fails the test when the command fails.</summary>
    public async Task<JsonNode?> JsonAsync(params string[] words)
    {
        var (code, output, error) = await RunAsync([.. words, "--json"]);
        code.ShouldBe(0, $"{string.Join(' ', words)}: {error}");
        return JsonNode.Parse(output);
    }

    /// <summary>Runs an operation over the server's control socket, as commands do, without starting a process for it.</summary>
    public async Task<JsonNode?> OperateAsync(string name, object input)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancelled) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                await socket.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(Path.Combine(Data, "control.sock")), cancelled);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        });
        using var content = new StringContent(JsonSerializer.Serialize(input), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync($"http://control/operations/{name}", content);
        var last = JsonNode.Parse((await answer.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n')[^1])!;
        last["error"].ShouldBeNull(last.ToJsonString());
        return last["result"];
    }

    /// <summary>Posts a form and returns status and JSON.</summary>
    public async Task<(int Status, JsonNode? Body)> FormAsync(string path, params (string Name, string Value)[] fields)
    {
        using var content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using var response = await Http.PostAsync(path, content);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync()));
    }

    /// <summary>A token of the demo application for the Endpoint API.</summary>
    public async Task<string> TokenAsync(string resource = "https://api.securitycenter.microsoft.com", string? clientId = null, string? secret = null)
    {
        var (status, body) = await FormAsync(
            $"/{TenantId}/oauth2/v2.0/token",
            ("client_id", clientId ?? ClientId), ("client_secret", secret ?? ClientSecret), ("grant_type", "client_credentials"), ("scope", $"{resource}/.default"));
        status.ShouldBe(200, body?.ToJsonString());
        return (string)body!["access_token"]!;
    }

    /// <summary>Calls the API and returns status and body; an empty body is null.</summary>
    public async Task<(int Status, JsonNode? Body)> ApiAsync(HttpMethod method, string path, string? token, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null) request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>Ends the server as SIGKILL does: no goodbye.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: false);
        await _process.WaitForExitAsync();
    }

    /// <summary>Ends the server as Ctrl-C does and returns its exit code.</summary>
    public Task<int> InterruptAsync() => SignalAsync("-INT");

    /// <summary>Sends a signal, waits for the end and returns the exit code.</summary>
    public async Task<int> SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>Processes whose command line names this server's data folder.</summary>
    public IReadOnlyList<int> ProcessesOnData()
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id)) continue;
            try
            {
                if (File.ReadAllText(Path.Combine(folder, "cmdline")).Contains(Data, StringComparison.Ordinal)) found.Add(id);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The process ended between the listing and the reading.
            }
        }

        return found;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            try
            {
                await InterruptAsync();
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
        if (KeepData) return;
        try
        {
            Directory.Delete(Data, recursive: true);
        }
        catch (IOException)
        {
            // A leftover file in the temporary folder fails no test.
        }
    }
}
