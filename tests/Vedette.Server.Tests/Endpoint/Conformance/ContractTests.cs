using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Telemetry.Ingest;

namespace Vedette.Server.Tests.Endpoint.Conformance;

/// <summary>Holds every answered row of the surface against the shared reference.</summary>
[Trait("Category", "Conformance")]
public sealed class ContractTests(ContractTests.Fixture fixture) : IClassFixture<ContractTests.Fixture>
{
    // The reference lists these permissions side by side, yet notes that the service wants one of each kind.
    private const string TwoPermissions = "/StopAndQuarantineFile";

    private readonly EndpointHost _host = fixture.Host;
    private readonly ApiSurface _surface = fixture.Host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Endpoint");

    [Fact]
    public void Every_call_of_the_reference_has_a_row()
    {
        var rows = _surface.Endpoints.Count;
        var calls = SpecifiedCall.Load();
        rows.ShouldBe(calls.Count);
        calls.Where(call => call.RowIn(_surface) is null).Select(call => call.ToString())
            .ShouldAllBe(call => call.Contains("{exportFiles[n]}", StringComparison.Ordinal));
    }

    [Fact]
    public Task Every_answered_call_is_routed_and_asks_for_a_token() => EachAsync(async call =>
    {
        var answer = await _host.SendAsync(new HttpMethod(call.Method), Fill(call), Body(call));
        return answer.Status == 401 && answer.Code == "Unauthorized" ? null : $"answered {answer.Status} without a token: {answer.Body}";
    });

    [Fact]
    public Task Every_answered_call_refuses_a_token_without_permission_and_names_what_it_needs() => EachAsync(async call =>
    {
        var answer = await _host.SendAsync(new HttpMethod(call.Method), Fill(call), Body(call), Token(call, ["Nothing.Read.All"]));
        var needed = string.Join(',', call.Application);
        var expected = call.Path.EndsWith(TwoPermissions, StringComparison.Ordinal)
            ? "The application does not have any of the required application permissions (Machine.StopAndQuarantine) to access the resource."
            : $"Missing application roles. API required roles: {needed}, application roles: Nothing.Read.All.";
        return (answer.Status, answer.Code, answer.Message) == (403, "Forbidden", expected) ? null : $"answered {answer.Status}: {answer.Body}";
    });

    [Fact]
    public Task Every_answered_call_takes_each_documented_permission() => EachAsync(async call =>
    {
        foreach (var permission in call.Application)
        {
            string[] roles = call.Path.EndsWith(TwoPermissions, StringComparison.Ordinal) ? ["Machine.StopAndQuarantine", "Machine.Read.All", permission] : [permission];
            var answer = await _host.SendAsync(new HttpMethod(call.Method), Fill(call), Body(call), Token(call, roles));
            if (answer.Status is 401 or 403 or >= 500) return $"answered {answer.Status} with {permission}: {answer.Body}";
        }

        return null;
    });

    [Fact]
    public Task Every_answered_list_honours_each_documented_filter_and_refuses_others() => EachAsync(async call =>
    {
        if (call.Filter.Count == 0) return null;
        foreach (var property in call.Filter)
        {
            foreach (var name in new[] { property, property.ToUpperInvariant() })
            {
                var type = SpecifiedCall.Entity(call.Returns.Split(' ')[0])?.GetValueOrDefault(property) ?? "String";
                var filter = type.StartsWith("Collection", StringComparison.Ordinal) ? $"{name}/any()" : $"{name} ne null";
                var answer = await _host.SendAsync(HttpMethod.Get, $"{Fill(call)}?$filter={Uri.EscapeDataString(filter)}", null, Token(call, call.Application));
                if (answer.Status != 200) return $"refused $filter={filter}: {answer.Body}";
            }
        }

        var entity = SpecifiedCall.Entity(call.Returns.Split(' ')[0]);
        var others = (entity?.Keys ?? []).Except(call.Filter, StringComparer.OrdinalIgnoreCase).Append("noSuchProperty");
        foreach (var property in others)
        {
            if (call.RowIn(_surface)!.OData.Filter.Contains(property, StringComparer.OrdinalIgnoreCase)) continue;
            var answer = await _host.SendAsync(HttpMethod.Get, $"{Fill(call)}?$filter={Uri.EscapeDataString(property + " ne null")}", null, Token(call, call.Application));
            if (answer.Status != 400 || answer.Code != "ODataError") return $"took $filter on {property}: {answer.Status} {answer.Body}";
        }

        return null;
    });

    [Fact]
    public Task Every_answered_read_has_the_documented_shape() => EachAsync(async call =>
    {
        if (call.Method != "GET" || SpecifiedCall.Entity(call.Returns.Split(' ')[0]) is not { } entity) return null;
        var answer = await _host.SendAsync(HttpMethod.Get, Fill(call), null, Token(call, call.Application));
        if (answer.Status != 200) return $"answered {answer.Status}: {answer.Body}";
        var items = call.Returns.EndsWith("collection", StringComparison.Ordinal) ? answer.Value : [answer.Json];
        if (items.Count == 0) return "nothing to look at";
        foreach (var (name, type) in entity)
        {
            // Documented, but absent from live answers by a customer's report.
            if (call.Returns.StartsWith("Indicator", StringComparison.Ordinal) && name is "source" or "sourceType") continue;
            if (!items[0].TryGetProperty(name, out var value)) return $"lacks {name}";
            if (!Fits(type, value)) return $"{name} is {value.ValueKind}, documented as {type}";
        }

        return null;
    });

    [Fact]
    public Task Every_answered_change_gives_the_documented_status() => EachAsync(async call =>
    {
        if (call.Method == "GET" || call.Path.Contains("advanced", StringComparison.Ordinal)) return null;
        await using var host = await Fixture.StartAsync();
        var answer = await host.SendAsync(new HttpMethod(call.Method), Fill(call), Body(call), Token(call, call.Application));
        return answer.Status is >= 200 and < 300 && call.Statuses.Contains(answer.Status) ? null : $"answered {answer.Status}: {answer.Body}";
    });

    private static bool Fits(string type, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null) return type.Contains("nullable", StringComparison.Ordinal) || type is "String" or "String nullable";
        return type.Split(' ')[0] switch
        {
            "Int" or "Int64" or "Int32" or "Double" => value.ValueKind == JsonValueKind.Number,
            "Boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "DateTimeOffset" or "DateTime" => value.ValueKind == JsonValueKind.String && value.GetString()!.EndsWith('Z')
                && DateTime.TryParse(value.GetString(), CultureInfo.InvariantCulture, out _),
            "Guid" => Guid.TryParse(value.GetString(), out _),
            "Collection" => value.ValueKind == JsonValueKind.Array,
            var collection when collection.StartsWith("Collection(", StringComparison.Ordinal) => value.ValueKind == JsonValueKind.Array,
            "RelatedUser" or "VmMetadata" or "FileIdentifier" => value.ValueKind == JsonValueKind.Object,
            _ => value.ValueKind == JsonValueKind.String,
        };
    }

    private static string Token(SpecifiedCall call, IEnumerable<string> roles) => EndpointHost.TokenFor(
        call.Path.StartsWith("/api/advancedhunting", StringComparison.Ordinal) ? EndpointHost.ThreatProtection : EndpointHost.Audience, [.. roles]);

    private static string Fill(SpecifiedCall call)
    {
        var path = call.Path.Replace("{IP}", "10.0.0.1", StringComparison.Ordinal).Replace("{ip}", "203.0.113.9", StringComparison.Ordinal)
            .Replace("{TimeStamp}", Fixture.Now, StringComparison.Ordinal).Replace("{time}", Fixture.Now, StringComparison.Ordinal)
            .Replace("{index}", "0", StringComparison.Ordinal).Replace("{domain}", "bad.example.test", StringComparison.Ordinal);
        string[] parts = path.Split('/');
        var id = parts.Length < 3 ? "" : parts[2] switch
        {
            "alerts" => Seed.Alert(1).Id,
            "machines" => Seed.MachineId(2),
            "machineactions" => Fixture.Action.ToString(),
            "users" => "dana",
            "files" => new string('a', 40),
            _ => "1",
        };
        path = path.Replace("{id}", id, StringComparison.Ordinal).Replace("{machineId}", id, StringComparison.Ordinal);
        return path.EndsWith("findbytag", StringComparison.Ordinal) ? path + "?tag=all" : path.EndsWith("advancedqueries", StringComparison.Ordinal) ? path + "?key=DeviceInfo" : path;
    }

    private static object? Body(SpecifiedCall call)
    {
        if (call.Required.Count == 0) return call.Method == "GET" ? null : """{"status":"New","machineTags":["x"],"comment":"c"}""";
        var body = call.Required.ToDictionary(field => field.Name, field => Value(call, field));
        if (call.Path.EndsWith("batchUpdate", StringComparison.Ordinal)) body["status"] = "Resolved";
        return body;
    }

    private static object Value(SpecifiedCall call, (string Name, string Type, IReadOnlyList<string> Values) field) => field.Name switch
    {
        "alertIds" => new[] { Seed.Alert(1).Id },
        "MachineIds" => new[] { Seed.MachineId(1) },
        "machineId" => Seed.MachineId(2),
        "Sha1" => new string('b', 40),
        "eventTime" => Fixture.Now,
        "reportId" => "1",
        "Query" => "DeviceInfo | take 1",
        "indicatorValue" => "203.0.113.44",
        "indicatorType" => "IpAddress",
        "action" => "Block",
        "Indicators" => new[] { new { indicatorValue = "203.0.113.45", indicatorType = "IpAddress", action = "Block", title = "t", description = "d" } },
        "IndicatorIds" => new[] { "1" },
        "Commands" => new[] { new { type = "GetFile", @params = new[] { new { key = "Path", value = @"C:\a.txt" } } } },
        _ when field.Values.Count > 0 => field.Values[0],
        _ => "text",
    };

    private async Task EachAsync(Func<SpecifiedCall, Task<string?>> check)
    {
        var failures = new List<string>();
        foreach (var call in SpecifiedCall.Load())
        {
            if (call.RowIn(_surface) is not { } row || !_surface.Handlers.ContainsKey(row)) continue;
            if (await check(call) is { } failure) failures.Add($"{call}: {failure}");
        }

        failures.ShouldBeEmpty(string.Join('\n', failures));
    }

    /// <summary>One server with something of every kind.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        internal static readonly Guid Action = new("33333333-4444-4555-8666-777777777777");
        internal static readonly string Now = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

        internal EndpointHost Host { get; private set; } = null!;

        public async Task InitializeAsync() => Host = await StartAsync();

        public async Task DisposeAsync() => await Host.DisposeAsync();

        internal static async Task<EndpointHost> StartAsync()
        {
            var host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
            await host.Services.GetRequiredService<TenantSettingsStore>().SetAsync(
                EndpointHost.Tenant, settings => settings.ActionTiming = new ActionTiming(ActionTimingMode.Never, 0, 0), default);
            var alert = Seed.Alert(1);
            alert.Comments = [new AlertComment("c", "x", Seed.Start)];
            var now = DateTime.UtcNow;
            await host.SeedAsync(
                alert,
                Seed.Machine(1, m => (m.FirstSeen, m.LastSeen) = (now.AddDays(-1), now)),
                Seed.Machine(2, m => (m.FirstSeen, m.LastSeen) = (now.AddDays(-1), now)),
                new MachineAction
                {
                    Id = Action, TenantId = EndpointHost.Tenant, Type = MachineActionType.LiveResponse, MachineId = Seed.MachineId(1), ComputerDnsName = "pc-01", Requestor = "x",
                    RequestorComment = "c", CreationDateTimeUtc = now, LastUpdateDateTimeUtc = now, ExpiresAt = now.AddDays(3),
                },
                new Investigation { Id = 1, TenantId = EndpointHost.Tenant, StartTime = now, State = InvestigationState.Running, MachineId = Seed.MachineId(2), ComputerDnsName = "pc-02", TriggeringAlertId = alert.Id },
                new LogonUser { TenantId = EndpointHost.Tenant, MachineId = Seed.MachineId(2), AccountDomain = "contoso", AccountName = "dana", FirstSeen = now, LastSeen = now, LogonTypes = ["Interactive"] },
                new Indicator { TenantId = EndpointHost.Tenant, IndicatorValue = "203.0.113.1", IndicatorType = IndicatorType.IpAddress, Action = IndicatorAction.Block, CreatedBy = "x", CreatedByDisplayName = "x", Title = "t", Description = "d", CreationTimeDateTimeUtc = now, LastUpdateTime = now });
            await host.SeedAsync(
                Seed.Evidence(alert, EvidenceKind.Ip, e => e.IpAddress = "203.0.113.9"),
                Seed.Evidence(alert, EvidenceKind.File, e => (e.Sha1, e.FileName) = (new string('a', 40), "a.exe")),
                Seed.Evidence(alert, EvidenceKind.Url, e => e.Url = "https://bad.example.test/x"));
            var process = HuntingRow.For("DeviceProcessEvents");
            foreach (var (column, value) in new (string, object)[]
            {
                ("Timestamp", DateTime.Parse(Now, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal)), ("DeviceId", Seed.MachineId(2)), ("ActionType", "ProcessCreated"),
                ("FileName", "a.exe"), ("SHA1", new string('a', 40)), ("ReportId", 1L),
            }) process[column] = value;
            var network = HuntingRow.For("DeviceNetworkEvents");
            foreach (var (column, value) in new (string, object)[]
            {
                ("Timestamp", now), ("DeviceId", Seed.MachineId(2)), ("ActionType", "ConnectionSuccess"), ("RemoteUrl", "https://bad.example.test/x"), ("RemoteIP", "203.0.113.9"), ("ReportId", 2L),
            }) network[column] = value;
            await host.AppendAsync(process, network);
            return host;
        }
    }
}
