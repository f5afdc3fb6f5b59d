using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Outbox;

/// <summary>Writes to the outbox.</summary>
public static class OutboxRows
{
    /// <summary>Adds rows to the unit of work: they are stored with it or not at all. Raise <see cref="OutboxSignal"/> after the commit.</summary>
    public static void AddHuntingRows(this DefenderDbContext state, Guid tenantId, DateTime now, IReadOnlyCollection<HuntingRow> rows)
    {
        if (rows.Count == 0) return;
        state.Outbox.Add(new OutboxEntry { TenantId = tenantId, CreatedAt = now, Rows = HuntingRowText.Write(rows), RowCount = rows.Count });
    }
}
