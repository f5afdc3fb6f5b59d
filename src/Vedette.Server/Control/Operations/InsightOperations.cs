using Vedette.Identity.Directory;
using Vedette.Identity.SignIn;
using Vedette.Identity.Tokens;
using Vedette.Server.Hosting;
using Vedette.Server.Insight;

namespace Vedette.Server.Control.Operations;

/// <summary><c>token.inspect</c>: explains a token.</summary>
internal sealed class InspectToken(TokenInspector inspector) : Operation<InspectToken.Input>("token.inspect")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        Task.FromResult<object?>(inspector.Inspect(input.Token));

    internal sealed record Input(string Token);
}

/// <summary><c>why</c>: explains the id of a refusal.</summary>
internal sealed class WhyRefused(RefusalExplainer explainer, AuditLog audit) : Operation<WhyRefused.Input>("why")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (!Guid.TryParse(input.Id, out var id)) throw new OperationException("bad_input", $"'{input.Id}' is not an id: a GUID from an error answer is needed (target, trace_id or correlation_id).");
        await audit.SettleAsync(cancellationToken);
        return await explainer.ExplainAsync(id, cancellationToken)
            ?? throw new OperationException(
                "not_found", $"No refusal has the id {id}. The latest {RefusalKeeper.MostRows:N0} of the APIs, and those of the authority, are remembered for {RefusalKeeper.Days} days.");
    }

    internal sealed record Input(string Id);
}

/// <summary><c>audit</c>: what happened in the authority.</summary>
internal sealed class ReadAudit(AuditQuery query, AuditLog audit, DirectoryService directory, TimeProvider clock) : DirectoryOperation<ReadAudit.Input>("audit")
{
    private const int Most = 10_000;

    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken)
    {
        if (input.Limit is < 1 or > Most) throw new OperationException("bad_input", $"limit is from 1 to {Most}.");
        await audit.SettleAsync(cancellationToken);
        var tenant = input.Tenant is null ? (Guid?)null : directory.FindTenant(input.Tenant).Id;
        var since = input.SinceSeconds is { } seconds ? clock.GetUtcNow() - TimeSpan.FromSeconds(seconds) : (DateTimeOffset?)null;
        return await query.RunAsync(new AuditFilter(since, input.Activity, input.Actor, tenant, input.Failed, input.Limit), cancellationToken);
    }

    /// <param name="SinceSeconds">Only events of this many seconds past.</param>
    /// <param name="Activity">Only activities that contain this.</param>
    /// <param name="Actor">Only of this client id or sign-in name.</param>
    /// <param name="Tenant">Only of this tenant: id or domain.</param>
    /// <param name="Failed">Only refusals.</param>
    /// <param name="Limit">How many, newest first.</param>
    internal sealed record Input(double? SinceSeconds = null, string? Activity = null, string? Actor = null, string? Tenant = null, bool Failed = false, int Limit = 100);
}

/// <summary><c>certificates</c>: every certificate and key that ends some day.</summary>
internal sealed class ListCertificates(SigningKeys keys, DirectoryStore directory, DataFolder folder, TimeProvider clock) : Operation<ListCertificates.Input>("certificates")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) => Task.FromResult<object?>(
        Server().Concat(SigningKeyRows()).Concat(Applications()).ToArray());

    private IEnumerable<object> Server() => new CertificateAuthority(folder.Keys, clock).Existing()
        .Select(found => Row(found.Kind, found.Certificate.Subject, found.Certificate.Thumbprint, found.Certificate.NotBefore.ToUniversalTime(), found.Certificate.NotAfter.ToUniversalTime(), null));

    private IEnumerable<object> SigningKeyRows()
    {
        var now = clock.GetUtcNow();
        var ring = keys.Current;
        var signer = ring.Signer(now);
        foreach (var key in ring.Keys)
        {
            var state = key == signer ? "signs" : key.SignsFrom > now ? "published, signs next" : "published, signs no more";
            var next = ring.Keys.Where(other => other.SignsFrom > key.SignsFrom).MinBy(other => other.SignsFrom);
            yield return Row("token signing key", "RS256, 2048 bits", key.Id, key.SignsFrom, next?.SignsFrom ?? key.SignsFrom + SigningKeys.Life, state);
        }
    }

    private IEnumerable<object> Applications() =>
        from application in directory.Current.Applications
        from row in application.Certificates.Select(certificate => Row("application certificate", application.DisplayName, certificate.Certificate.Thumbprint, certificate.StartsAt, certificate.EndsAt, null))
            .Concat(application.Secrets.Select(secret => Row("application secret", application.DisplayName, secret.KeyId.ToString(), secret.StartsAt, secret.EndsAt, null)))
        select row;

    private object Row(string kind, string name, string id, DateTimeOffset from, DateTimeOffset until, string? state)
    {
        var now = clock.GetUtcNow();
        return new
        {
            kind,
            name,
            id,
            validFrom = from,
            validUntil = until,
            state = state ?? (until <= now ? "expired" : from > now ? "not yet valid" : until - now < TimeSpan.FromDays(30) ? "ends within 30 days" : "valid"),
        };
    }

    internal sealed record Input;
}

/// <summary><c>certificates.rotate</c>: makes a new token signing key.</summary>
internal sealed class RotateSigningKey(SigningKeys keys, IAuditSink audit, TimeProvider clock) : Operation<RotateSigningKey.Input>("certificates.rotate")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        await keys.RotateAsync(input.AtOnce, cancellationToken);
        var key = keys.Current.Keys[0];
        audit.Record(new AuditEvent(clock.GetUtcNow(), "Rotate token signing key", null, "administrator", key.Id, true, new Dictionary<string, string> { ["atOnce"] = input.AtOnce ? "true" : "false" }));
        return new { id = key.Id, signsFrom = key.SignsFrom };
    }

    /// <param name="AtOnce">True when it signs at once; else it is published a day before.</param>
    internal sealed record Input(bool AtOnce = false);
}

/// <summary><c>sign-in.show</c>: how a tenant's sign-ins behave.</summary>
internal sealed class ShowSignIn(DirectoryService directory, SignInSettings settings) : DirectoryOperation<ShowSignIn.Input>("sign-in.show")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken)
    {
        var tenant = directory.FindTenant(input.Tenant);
        var found = await settings.OfAsync(tenant.Id, cancellationToken);
        return new { tenantId = tenant.Id, tenant = tenant.DisplayName, requiresMfa = tenant.RequiresMfa, singleUseRefreshTokens = found.SingleUseRefreshTokens };
    }

    internal sealed record Input(string? Tenant = null);
}

/// <summary><c>sign-in.set</c>: changes it.</summary>
internal sealed class SetSignIn(DirectoryService directory, SignInSettings settings) : DirectoryOperation<SetSignIn.Input>("sign-in.set")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken)
    {
        var tenant = directory.FindTenant(input.Tenant);
        await settings.SetAsync(tenant.Id, new TenantSignInSettings(input.SingleUseRefreshTokens), cancellationToken);
        return new { tenantId = tenant.Id, tenant = tenant.DisplayName, requiresMfa = tenant.RequiresMfa, singleUseRefreshTokens = input.SingleUseRefreshTokens };
    }

    internal sealed record Input(bool SingleUseRefreshTokens, string? Tenant = null);
}

/// <summary><c>sign-in.forget-app</c>: forgets a user's authenticator app, for somebody who lost the phone.</summary>
internal sealed class ForgetAuthenticator(DirectoryService directory, SecondFactors factors) : DirectoryOperation<ForgetAuthenticator.Input>("sign-in.forget-app")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken)
    {
        var user = await directory.FindUserAsync(input.User, cancellationToken) ?? throw new OperationException("not_found", $"There is no user '{input.User}'.");
        return await factors.RemoveAsync(user, cancellationToken)
            ? new { user = user.UserPrincipalName, forgotten = true }
            : throw new OperationException("not_found", $"{user.UserPrincipalName} has registered no authenticator app.");
    }

    internal sealed record Input(string User);
}
