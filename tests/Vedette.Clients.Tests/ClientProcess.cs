using System.Diagnostics;
using System.Text.Json;

namespace Vedette.Clients.Tests;

/// <summary>Runs a client in a process of its own, with the certificate authority named in the environment as each platform wants it.</summary>
internal static class ClientProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Folder of this project, above the build's output.</summary>
    public static string ProjectFolder { get; } = FindProject();

    /// <summary>Runs one of the scripts or .NET clients with settings.</summary>
    /// <param name="platform"><c>dotnet</c>, <c>node</c> or <c>python</c>.</param>
    /// <param name="client">Which client of the platform.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="authorityFile">The certificate authority to trust.</param>
    /// <param name="onLine">Takes each line that is written before the answer: a device's code.</param>
    public static async Task<ClientAnswer> AskAsync(string platform, string client, ClientSettings settings, string authorityFile, Func<string, Task>? onLine = null)
    {
        var (program, arguments) = platform switch
        {
            "dotnet" => ("dotnet", new[] { "exec", typeof(ClientProcess).Assembly.Location, client }),
            "node" => ("node", [NodeScript("client.mjs"), client]),
            "python" => ("/usr/bin/python3", [PythonScript(), client]),
            _ => throw new ArgumentException(platform),
        };
        var output = await RunAsync(program, arguments, JsonSerializer.Serialize(settings, ClientSettings.Json), authorityFile, onLine);
        return JsonSerializer.Deserialize<ClientAnswer>(output, ClientSettings.Json)!;
    }

    /// <summary>Runs a program and returns its standard output; fails when it fails.</summary>
    public static async Task<string> RunAsync(string program, string[] arguments, string input, string authorityFile, Func<string, Task>? onLine = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in new[] { "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE" }) start.Environment[name] = authorityFile;
        foreach (var name in new[] { "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "NODE_OPTIONS" }) start.Environment.Remove(name);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = ReadAsync(process.StandardOutput, onLine);
        var errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end. {await errors}");
        }

        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await errors}");
    }

    private static async Task<string> ReadAsync(StreamReader reader, Func<string, Task>? onLine)
    {
        if (onLine is not null && await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith('{')) return line;
            await onLine(line);
        }

        return await reader.ReadToEndAsync();
    }

    /// <summary>Path of a script of the Node clients; fails when these are not installed.</summary>
    public static string NodeScript(string name)
    {
        var folder = Path.Combine(ProjectFolder, "node");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "@microsoft", "microsoft-graph-client")))
            throw new InvalidOperationException($"The Node clients are not installed. Run 'npm ci' in {folder}, or './vedette test', which does.");
        return Path.Combine(folder, name);
    }

    private static string PythonScript()
    {
        using var check = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", "import msal"]) { RedirectStandardError = true });
        check?.WaitForExit();
        if (check is not { ExitCode: 0 })
            throw new InvalidOperationException("MSAL for Python is not installed. Run 'apt-get install python3-msal python3-requests', or './vedette test', which does.");
        return Path.Combine(ProjectFolder, "python", "client.py");
    }

    private static string FindProject()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "tests", "Vedette.Clients.Tests");
            if (File.Exists(Path.Combine(candidate, "Vedette.Clients.Tests.csproj"))) return candidate;
        }

        throw new InvalidOperationException("The tests must run from within the project's folder.");
    }
}
