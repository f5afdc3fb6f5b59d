using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Access;
using Vedette.Defender.State;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;
using Vedette.Server.Control.Scripting;
using Vedette.Server.Graph;
using Vedette.Server.Http;
using Vedette.Server.Http.Steps;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Security;

/// <summary>One server for a class of tests, with devices; every test adds alerts and incidents of its own.</summary>
public sealed class SecurityFixture : IAsyncLifetime
{
    internal const string Resource = "https://graph.microsoft.com";
    private int _number = 5_000;

    internal EndpointHost Host { get; private set; } = null!;

    internal FaultBook Faults { get; } = new();

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        Host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off, services => services.AddVedetteGraphSecurity().AddSingleton<IFaultScript>(Faults).AddSingleton<IUserAccess, GroupSeven>());
        await Host.SeedAsync([.. Enumerable.Range(1, 3).Select(number => (object)Seed.Machine(number))]);
    }

    /// <inheritdoc/>
    public async Task DisposeAsync() => await Host.DisposeAsync();

    /// <summary>A number that no other test uses.</summary>
    internal int Next() => Interlocked.Increment(ref _number);

    /// <summary>Stores an incident with alerts.</summary>
    internal async Task<(Incident Incident, Alert[] Alerts)> IncidentAsync(int alerts = 1, Action<Alert>? alert = null, Action<Incident>? incident = null)
    {
        var stored = new Incident
        {
            Id = 10_000 + Next(), TenantId = EndpointHost.Tenant, Name = "Seeded incident", Severity = AlertSeverity.Medium, CreatedTime = Seed.Start.AddDays(2), LastUpdateTime = Seed.Start.AddDays(2),
        };
        incident?.Invoke(stored);
        var members = Enumerable.Range(0, alerts).Select(_ => Seed.Alert(Next(), a =>
        {
            (a.IncidentId, a.MachineId) = (stored.Id, Seed.MachineId(2));
            alert?.Invoke(a);
        })).ToArray();
        await Host.SeedAsync([stored, .. members]);
        return (stored, members);
    }

    internal Task<Answer> GetAsync(string path, string role, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, role, headers);

    internal async Task<Answer> SendAsync(HttpMethod method, string path, object? body, string role, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(Host.Client.BaseAddress + path.TrimStart('/')));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token(role.Split(',', StringSplitOptions.RemoveEmptyEntries)));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null) request.Content = body is string text ? new StringContent(text, new MediaTypeHeaderValue("application/json")) : JsonContent.Create(body, body.GetType(), options: System.Text.Json.JsonSerializerOptions.Default);
        using var response = await Host.Client.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    /// <summary>An application's token with roles of Graph.</summary>
    internal static string Token(params string[] roles) => EndpointHost.Write(d => d with { Audience = Resource, Roles = roles, GraphClaims = true });

    /// <summary>A user's token with scopes of Graph.</summary>
    internal static string Delegated(params string[] scopes) => EndpointHost.Write(d => d with
    {
        Audience = Resource,
        Scopes = scopes,
        User = new TokenUser(new Guid("cccccccc-0000-4000-8000-000000000001"), "soc1@contoso.example", "Soc One", null, null, ["pwd"], null),
    });

    /// <summary>Users may do everything, with devices of group 7 only.</summary>
    private sealed class GroupSeven : IUserAccess
    {
        public IReadOnlyList<Guid> Resources { get; } = [ResourceCatalogue.GraphAppId];

        public ValueTask<UserAccess> OfAsync(AccessToken token, CancellationToken cancellationToken) =>
            new(new UserAccess(DefenderPermission.Expand(DefenderPermission.All), [7]));
    }
}
