using System.Net;
using System.Net.Sockets;

namespace Vedette.Testing;

/// <summary>An http address on this machine, on a free port, whose requests a test answers one by one.</summary>
public sealed class LoopbackListener : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Func<HttpListenerContext, string, Task> _answer;
    private readonly Task _work;

    /// <summary>Listens at once.</summary>
    /// <param name="path">The path of the address, without slashes.</param>
    /// <param name="answer">Gets each request with its body and writes the answer, which is closed afterwards.</param>
    public LoopbackListener(string path, Func<HttpListenerContext, string, Task> answer)
    {
        _answer = answer;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/{path}/";
        }

        _listener.Prefixes.Add(Address);
        _listener.Start();
        _work = Task.Run(ListenAsync);
    }

    /// <summary>Where it listens.</summary>
    public string Address { get; }

    /// <summary>Ends listening. What an answer threw is thrown here.</summary>
    public void Dispose()
    {
        _listener.Stop();
        _listener.Close();
        _work.GetAwaiter().GetResult();
    }

    private async Task ListenAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                await _answer(context, await reader.ReadToEndAsync());
                context.Response.Close();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                // The listener was closed, or the other end went away.
            }
        }
    }
}
