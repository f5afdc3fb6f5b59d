namespace Vedette.Defender.Detections.Custom;

/// <summary>The rules that tenants made for themselves, beside those that lie in files.</summary>
public interface ITenantRules
{
    /// <summary>
    /// A tenant's own rules, ready to run, switched-off ones included. The same list is given until they change; asking costs one small query.
    /// </summary>
    ValueTask<IReadOnlyList<DetectionRule>> RulesAsync(Guid tenantId, CancellationToken cancellationToken);

    /// <summary>Raised on this server after a tenant's rules changed: who runs them at once need not wait for the next turn.</summary>
    event Action<Guid>? Changed;
}
