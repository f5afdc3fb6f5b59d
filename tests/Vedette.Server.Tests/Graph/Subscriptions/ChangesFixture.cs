using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Detections;
using Vedette.Defender.Notifications;
using Vedette.Defender.State;
using Vedette.Foundation;
using Vedette.Identity.Tokens;
using Vedette.Server.Graph;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;
using Vedette.Server.ThreatProtection;

namespace Vedette.Server.Tests.Graph.Subscriptions;

/// <summary>One server with every surface that shows alerts and incidents; each test adds its own.</summary>
public sealed class ChangesFixture : IAsyncLifetime
{
    internal const string Readers = "SecurityAlert.Read.All,SecurityIncident.Read.All";
    private static readonly Guid Other = new("aaaaaaaa-0000-4000-8000-000000000002");
    private int _number = 70_000;

    internal EndpointHost Host { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        Host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off, services => services
            .AddVedetteThreatProtection()
            .AddSingleton<ISecretBox, PlainBox>()
            .AddSingleton(new NotificationOptions { ValidationTimeout = TimeSpan.FromSeconds(3) })
            .AddVedetteGraphSecurity());
        await Host.SeedAsync([.. Enumerable.Range(1, 3).Select(number => (object)Seed.Machine(number))]);
    }

    /// <inheritdoc/>
    public async Task DisposeAsync() => await Host.DisposeAsync();

    internal int Next() => Interlocked.Increment(ref _number);

    internal async Task<Alert> AlertAsync(AlertSeverity severity = AlertSeverity.Medium, Action<Alert>? change = null)
    {
        var number = Next();
        var alert = Seed.Alert(number, a =>
        {
            (a.IncidentId, a.Severity) = (number, severity);
            change?.Invoke(a);
        });
        await Host.SeedAsync(
            new Incident { Id = number, TenantId = EndpointHost.Tenant, Name = $"Incident {number}", Severity = severity, CreatedTime = Seed.Start, LastUpdateTime = Seed.Start }, alert);
        return alert;
    }

    internal Task<Answer> GetAsync(string path, string roles = Readers) => SendAsync(HttpMethod.Get, path, null, roles);

    internal async Task<Answer> SendAsync(HttpMethod method, string path, object? body, string roles, bool other = false, Guid? user = null, string? prefer = null)
    {
        using var request = new HttpRequestMessage(method, path.StartsWith("http", StringComparison.Ordinal) ? new Uri(path) : new Uri(Host.Client.BaseAddress + path.TrimStart('/')));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token(roles, other, user));
        if (prefer is not null) request.Headers.Add("Prefer", prefer);
        if (body is not null) request.Content = JsonContent.Create(body, body.GetType(), options: JsonSerializerOptions.Default);
        using var response = await Host.Client.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    private static string Token(string roles, bool other, Guid? user) => EndpointHost.Write(d => d with
    {
        Audience = "https://graph.microsoft.com",
        ClientId = other ? Other : EndpointHost.Application,
        Roles = user is null ? roles.Split(',', StringSplitOptions.RemoveEmptyEntries) : [],
        Scopes = user is null ? [] : roles.Split(',', StringSplitOptions.RemoveEmptyEntries),
        User = user is { } id ? new TokenUser(id, "soc1@contoso.example", "Soc One", null, null, ["pwd"], null) : null,
        GraphClaims = true,
    });

    private sealed class PlainBox : ISecretBox
    {
        public byte[] Close(string secret, string purpose) => Encoding.UTF8.GetBytes(purpose + "\n" + secret);

        public string Open(byte[] box, string purpose) => Encoding.UTF8.GetString(box)[(purpose.Length + 1)..];
    }
}
