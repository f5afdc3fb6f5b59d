using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Vedette.Defender.State;
using Vedette.Foundation.Snapshots;

namespace Vedette.Defender;

/// <summary>Settings of tenants, kept in memory for a few seconds because each action and read asks for them.</summary>
public sealed class TenantSettingsStore(IDbContextFactory<DefenderDbContext> states, TimeProvider clock) : IStateCache
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<Guid, (TenantSettings Settings, long Read)> _known = new();

    /// <summary>The settings of a tenant; the defaults when none were set. Do not change the object.</summary>
    public async ValueTask<TenantSettings> GetAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(tenantId, out var known) && clock.GetElapsedTime(known.Read) < Fresh) return known.Settings;
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var settings = await state.TenantSettings.AsNoTracking().FirstOrDefaultAsync(s => s.TenantId == tenantId, cancellationToken)
            ?? new TenantSettings { TenantId = tenantId };
        _known[tenantId] = (settings, clock.GetTimestamp());
        return settings;
    }

    /// <summary>Changes the settings of a tenant.</summary>
    public async Task SetAsync(Guid tenantId, Action<TenantSettings> change, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        var settings = await state.TenantSettings.FirstOrDefaultAsync(s => s.TenantId == tenantId, cancellationToken);
        if (settings is null) state.TenantSettings.Add(settings = new TenantSettings { TenantId = tenantId });
        change(settings);
        await state.SaveChangesAsync(cancellationToken);
        _known.TryRemove(tenantId, out _);
    }

    /// <inheritdoc/>
    public void Forget() => _known.Clear();
}
