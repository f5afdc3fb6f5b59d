using System.Globalization;
using System.Text.Json;
using Npgsql;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Server.Http;

namespace Vedette.Server.Insight;

/// <summary>Why something was refused.</summary>
/// <param name="Id">The id that was asked about.</param>
/// <param name="Time">When.</param>
/// <param name="Call">What was called.</param>
/// <param name="Answer">Status and code of the answer.</param>
/// <param name="Message">Text of the answer.</param>
/// <param name="Explanation">What was needed and what was had.</param>
/// <param name="Tenant">Name and id of the tenant, when known.</param>
/// <param name="Application">Name and id of the calling application, when known.</param>
/// <param name="User">Sign-in name, in user context.</param>
/// <param name="Needed">Permissions any one of which would have helped.</param>
/// <param name="Had">Permissions that the token has.</param>
/// <param name="Advice">What to do, in order.</param>
internal sealed record RefusalStory(
    string Id, DateTimeOffset Time, string Call, string Answer, string Message, string Explanation, string? Tenant, string? Application, string? User,
    IReadOnlyList<string> Needed, IReadOnlyList<string> Had, IReadOnlyList<string> Advice);

/// <summary>Explains the id of a refusal, of the APIs (<c>error.target</c>) and of the authority (<c>trace_id</c>, <c>correlation_id</c>).</summary>
internal sealed class RefusalExplainer(RefusalLog log, NpgsqlDataSource database, DirectoryStore directory, DirectoryService service)
{
    /// <summary>The story of an id; null when nothing is known of it.</summary>
    public async Task<RefusalStory?> ExplainAsync(Guid id, CancellationToken cancellationToken = default) =>
        (log.Find(id) ?? await RefusalKeeper.FindAsync(database, id, cancellationToken)) is { } refusal
            ? await TellAsync(refusal, cancellationToken)
            : await TellOfAuthorityAsync(id, cancellationToken);

    private async Task<RefusalStory> TellAsync(RefusedCall refusal, CancellationToken cancellationToken)
    {
        var user = refusal.UserId is { } userId ? await service.FindUserAsync(userId, cancellationToken) : null;
        return new RefusalStory(
            refusal.Id.ToString(), new DateTimeOffset(refusal.Time, TimeSpan.Zero), refusal.Call, $"{refusal.Status} {refusal.Code}", refusal.Message, refusal.Explanation,
            TenantName(refusal.TenantId), ApplicationName(refusal.ApplicationId), user?.UserPrincipalName ?? refusal.UserId?.ToString(), refusal.Needed, refusal.Had,
            [.. AdviceFor(refusal)]);
    }

    private IEnumerable<string> AdviceFor(RefusedCall refusal)
    {
        if (refusal.Needed.Count == 0)
        {
            if (refusal.Explanation.StartsWith("token refused: Missing", StringComparison.Ordinal)) yield return "Send a token: 'Authorization: Bearer …'. './vedette token' gets one.";
            else if (refusal.Explanation.StartsWith("token refused: Expired", StringComparison.Ordinal)) yield return "Get a new token: they are good for an hour.";
            else if (refusal.Explanation.StartsWith("token refused: BadSignature", StringComparison.Ordinal))
                yield return "The token was not issued by this server, or by one with other data: get a new one here.";
            else if (refusal.Code.Contains("udience", StringComparison.Ordinal) || refusal.Explanation.StartsWith("needed audience", StringComparison.Ordinal))
                yield return $"Ask for a token of this API: scope {ResourceUri(refusal.ResourceAppId)}/.default, or resource {ResourceUri(refusal.ResourceAppId)} at the older endpoint.";
            else if (refusal.Status == StatusCodes.Status401Unauthorized) yield return "Get a new token; './vedette token inspect' tells what is wrong with this one.";
            yield break;
        }

        var delegated = refusal.UserId is not null;
        var held = HeldNow(refusal);
        if (refusal.Needed.FirstOrDefault(held.Contains) is { } granted)
        {
            yield return $"{granted} is granted by now, but the token does not have it: permissions come with the next token, so get a new one.";
            yield break;
        }

        var application = refusal.ApplicationId?.ToString() ?? "APPLICATION";
        yield return $"./vedette app grant {application} {refusal.Needed[0]}{(delegated ? " --delegated" : "")}{ResourceOption(refusal.ResourceAppId)}";
        yield return $"./vedette app consent {application}";
        yield return "Then get a new token: permissions come with it.";
    }

    private HashSet<string> HeldNow(RefusedCall refusal)
    {
        var snapshot = directory.Current;
        if (refusal is not { TenantId: { } tenant, ApplicationId: { } application, ResourceAppId: { } api }
            || snapshot.Principal(tenant, application) is not { } principal || snapshot.Principal(tenant, api) is not { } resource) return [];
        var names = refusal.UserId is null
            ? snapshot.Roles(principal.Id, resource.Id)
            : snapshot.Grants(principal.Id).Where(grant => grant.ResourceId == resource.Id && (grant.PrincipalId is null || grant.PrincipalId == refusal.UserId))
                .SelectMany(grant => grant.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return names.ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    // The authority's answers are in the audit log, with the ids that clients print.
    private async Task<RefusalStory?> TellOfAuthorityAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT occurred_at, activity, tenant_id, actor, target, detail::text FROM identity.audit_events
            WHERE NOT succeeded AND (detail ->> 'traceId' = $1 OR detail ->> 'correlationId' = $1) ORDER BY occurred_at DESC LIMIT 1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = id.ToString() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        var detail = JsonSerializer.Deserialize<Dictionary<string, string>>(reader.GetString(5))!;
        var error = detail.GetValueOrDefault("error", "");
        _ = int.TryParse(error.Replace("AADSTS", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        var known = Vedette.Identity.Protocol.ErrorCatalogue.Numbers.Contains(number) ? Vedette.Identity.Protocol.ErrorCatalogue.Create(number) : null;
        var actor = reader.GetString(3);
        return new RefusalStory(
            id.ToString(), reader.GetFieldValue<DateTimeOffset>(0), $"{reader.GetString(1)} ({detail.GetValueOrDefault("grant", "")})", $"{known?.Status} {known?.Error}".Trim(),
            detail.GetValueOrDefault("text", error), $"{error}{(detail.TryGetValue("address", out var address) ? $", from {address}" : "")}",
            reader.IsDBNull(2) ? null : TenantName(reader.GetGuid(2)), Guid.TryParse(actor, out var application) ? ApplicationName(application) : actor, null, [], [],
            Advice.For(number) is { } advice ? [advice] : []);
    }

    private string? TenantName(Guid? id) => id is not { } value ? null : directory.Current.TryGetTenant(value, out var tenant) ? $"{tenant.DisplayName} ({value})" : value.ToString();

    private string? ApplicationName(Guid? id) => id is not { } value ? null : directory.Current.Application(value) is { } application ? $"{application.DisplayName} ({value})" : value.ToString();

    private static string ResourceUri(Guid? appId) => appId is { } id && ResourceCatalogue.Default.TryGet(id, out var resource) ? resource.ResourceUri : appId?.ToString() ?? "";

    private static string ResourceOption(Guid? appId) => appId is not { } id ? ""
        : id == ResourceCatalogue.EndpointAppId ? " --resource endpoint"
        : id == ResourceCatalogue.ThreatProtectionAppId ? " --resource threat-protection"
        : id == ResourceCatalogue.GraphAppId ? " --resource graph" : $" --resource {id}";
}
