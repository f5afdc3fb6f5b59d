using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Vedette.Server.Tests.Endpoint.Connectors;

/// <summary>
/// A connector of the kind that responds to incidents: it orders actions over a bad line and waits for them. Throttled, it waits; refused
/// because of a fault, it asks again; when it does not know whether an order arrived, it looks before it orders once more.
/// </summary>
internal sealed class ActionConnector(HttpClient client, string token)
{
    private const int MostAttempts = 60;

    /// <summary>Faults that it went through.</summary>
    public int Faults => _faults;

    // As many connections as a well-behaved client opens.
    private readonly SemaphoreSlim _connections = new(10);
    private int _faults;

    /// <summary>Orders an action on a device and gives its id.</summary>
    public async Task<string> OrderAsync(string machine, string verb, string type, object body)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var (status, answer) = await SendAsync(HttpMethod.Post, $"/api/machines/{machine}/{verb}", body);
            if (status == 201) return answer!.Value.GetProperty("id").GetString()!;
            if (status == 400) answer!.Value.GetProperty("error").GetProperty("message").GetString().ShouldBe("Action is already in progress");
            else await WaitAsync(status);

            // The order may have arrived although its answer did not.
            if (await FindAsync(machine, type) is { } known) return known;
        }

        throw new TimeoutException($"{verb} could not be ordered.");
    }

    /// <summary>Waits for an action to end and gives its status.</summary>
    public async Task<string> EndAsync(string id)
    {
        for (var attempt = 0; attempt < 400; attempt++)
        {
            var (status, answer) = await SendAsync(HttpMethod.Get, $"/api/machineactions/{id}", null);
            if (status == 200 && answer!.Value.GetProperty("status").GetString() is not ("Pending" or "InProgress") and { } end) return end;
            await Task.Delay(200);
        }

        throw new TimeoutException($"Action {id} did not end.");
    }

    private async Task<string?> FindAsync(string machine, string type)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var (status, answer) = await SendAsync(HttpMethod.Get, $"/api/machineactions?$filter=machineId eq '{machine}' and type eq '{type}'", null);
            if (status == 200) return answer!.Value.GetProperty("value").EnumerateArray().Select(a => a.GetProperty("id").GetString()).FirstOrDefault();
            await WaitAsync(status);
        }

        throw new TimeoutException("Actions could not be listed.");
    }

    private async Task<(int Status, JsonElement? Answer)> SendAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null) request.Content = JsonContent.Create(body, body.GetType(), options: JsonSerializerOptions.Default);
        await _connections.WaitAsync();
        try
        {
            using var response = await client.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return ((int)response.StatusCode, text.StartsWith('{') ? JsonDocument.Parse(text).RootElement : null);
        }
        catch (HttpRequestException)
        {
            return (0, null);
        }
        finally
        {
            _connections.Release();
        }
    }

    // Longer than a fault, shorter than a person's patience: what Retry-After says is for production.
    private Task WaitAsync(int status)
    {
        Interlocked.Increment(ref _faults);
        return Task.Delay(status == 429 ? 200 : 20);
    }
}

/// <summary>A line that loses some answers after the request was carried out.</summary>
internal sealed class LossyLine(int one) : DelegatingHandler(new SocketsHttpHandler())
{
    private int _sent;

    /// <summary>Answers lost.</summary>
    public int Lost => _lost;

    private int _lost;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (Interlocked.Increment(ref _sent) % one != 0) return response;
        response.Dispose();
        Interlocked.Increment(ref _lost);
        throw new HttpRequestException("The answer was lost.");
    }
}
