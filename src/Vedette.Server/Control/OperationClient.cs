using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Foundation;
using Vedette.Server.Hosting;

namespace Vedette.Server.Control;

/// <summary>Runs an operation: in the running server when there is one, otherwise in this process on the same data.</summary>
internal static class OperationClient
{
    // How long a command waits for others that have opened the same data.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs one operation and returns its result.</summary>
    /// <exception cref="OperationException">It refused or failed.</exception>
    public static async Task<JsonNode?> RunAsync(
        ServerOptions options, string name, object input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var folder = DataFolder.At(options.Data);
        var arguments = JsonSerializer.SerializeToElement(input, input.GetType(), OperationJson.Options);
        var patience = TimeProvider.System.GetTimestamp();
        var words = "No server is running on this data: opening it here";
        while (true)
        {
            if (await TryConnectAsync(folder.ControlSocket, cancellationToken) is { } socket)
                return await RunRemotelyAsync(socket, folder.ControlSocket, name, arguments, progress, cancellationToken);
            House house;
            try
            {
                progress.Report(new OperationProgress(words, 0, null));
                house = await House.OpenAsync(options with { Serve = false }, cancellationToken);
            }
            catch (DataFolderInUseException) when (TimeProvider.System.GetElapsedTime(patience) < Patience)
            {
                // Another command has it, or a server that is about to listen.
                progress.Report(new OperationProgress(words = "Waiting for another command that has the data open", 0, null));
                await Task.Delay(PollEvery, cancellationToken);
                continue;
            }

            await using (house) return await RunHereAsync(house, name, arguments, progress, cancellationToken);
        }
    }

    /// <summary>Runs one operation in a house that this process has opened.</summary>
    /// <exception cref="OperationException">It refused or failed.</exception>
    public static Task<JsonNode?> RunHereAsync(
        House house, string name, object input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        house.Services.GetRequiredService<OperationRegistry>().Get(name)
            .RunAsync(JsonSerializer.SerializeToElement(input, input.GetType(), OperationJson.Options), progress, cancellationToken);

    private static async Task<Socket?> TryConnectAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path)) return null;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return socket;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable)
        {
            // A server that was killed leaves its socket file behind.
            socket.Dispose();
            return null;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AccessDenied)
        {
            socket.Dispose();
            throw new OperationException("forbidden", $"The server's control socket {path} belongs to another user: run the command as the user who started the server.", exception);
        }
    }

    private static async Task<JsonNode?> RunRemotelyAsync(
        Socket first, string path, string name, JsonElement arguments, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        Socket? unused = first;
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = Interlocked.Exchange(ref unused, null);
                if (socket is null)
                {
                    socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
                }

                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://control/operations/{name}")
        {
            Content = JsonContent.Create(arguments, options: OperationJson.Options),
        };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (JsonNode.Parse(line) is not JsonObject message) continue;
            if (message["progress"] is { } step) progress.Report(step.Deserialize<OperationProgress>(OperationJson.Options)!);
            if (message["text"] is { } text && progress is IAnswerText answer) await answer.WriteAsync((string)text!, cancellationToken);
            if (message["error"] is { } error) throw new OperationException((string)error["code"]!, (string)error["message"]!);
            if (message.TryGetPropertyValue("result", out var result)) return result?.DeepClone();
        }

        throw new OperationException("interrupted", $"The server ended the connection before {name} finished.");
    }
}
