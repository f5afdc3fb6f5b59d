using Vedette.Identity.Directory;
using Vedette.Identity.SignIn;

namespace Vedette.Identity.Protocol;

/// <summary>Starts a sign-in that is finished on another device.</summary>
public sealed class DeviceCodeEndpoint(DirectoryStore directory, TicketStore tickets, AttemptLimiter limiter, IdentityOptions options, TimeProvider clock)
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    /// <summary>Address, below the authority, of the page where the user enters the code.</summary>
    public const string PagePath = "/common/oauth2/deviceauth";

    /// <summary>Answers one request.</summary>
    public async ValueTask<AuthorityAnswer> HandleAsync(AuthorityCall call, CancellationToken cancellationToken = default)
    {
        var snapshot = directory.Current;
        if (Check(call, snapshot, out var client, out var tenantId) is { } error) return AuthorityAnswer.Refusal(error, call, clock.GetUtcNow());
        var key = $"device {client!.AppId}";
        if (limiter.SecondsToWait(key, options.DeviceCodesPerMinute) is { } seconds)
            return AuthorityAnswer.Refusal(ErrorCatalogue.Create(90055) with { RetryAfter = seconds }, call, clock.GetUtcNow());
        limiter.Add(key);
        var userCode = TicketStore.NewUserCode();
        var data = new TicketData { Scope = call.Field("scope") ?? "", Resource = call.Field("resource"), Version = call.Version };
        var deviceCode = await tickets.IssueAsync(TicketKind.Device, client.AppId, tenantId, null, Life, data, userCode, cancellationToken);
        var page = call.Authority + PagePath;
        var message = $"To sign in, use a web browser to open the page {page} and enter the code {userCode} to authenticate.";
        return AuthorityAnswer.Json(200, json =>
        {
            json.WriteString("user_code", userCode);
            json.WriteString("device_code", deviceCode);
            if (call.Version == 2)
            {
                json.WriteString("verification_uri", page);
                json.WriteNumber("expires_in", (int)Life.TotalSeconds);
                json.WriteNumber("interval", 5);
            }
            else
            {
                json.WriteString("verification_url", page);
                json.WriteString("expires_in", "900");
                json.WriteString("interval", "5");
            }

            json.WriteString("message", message);
        });
    }

    private static ProtocolError? Check(AuthorityCall call, DirectorySnapshot snapshot, out Application? client, out Guid? tenantId)
    {
        client = null;
        tenantId = null;
        if (call.FormIsMalformed) return ErrorCatalogue.CreateVariant(9002313, "request");
        if (TenantSegment.Resolve(call.TenantSegment, snapshot, out var segment) is { } badTenant) return badTenant;
        tenantId = segment.Tenant?.Id;
        if (call.Field("client_id") is not { } clientId) return ErrorCatalogue.Create(900144, "client_id");
        if (call.Version == 2 && call.Field("scope") is null) return ErrorCatalogue.Create(900144, "scope");
        if (ClientLookup.Find(snapshot, segment, call.TenantSegment, clientId, out client, out _) is { } badClient) return badClient;
        return DelegatedScopes.Read(call.Version, call.Field("scope"), call.Field("resource"), snapshot, segment.Tenant?.DisplayName ?? call.TenantSegment, out _);
    }
}
