using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Tests.Import;

/// <summary>Keeps rows in a list, for tests of the mapping alone; tests of storage use the real store.</summary>
internal sealed class CollectingStore : IHuntingStore
{
    public List<HuntingRow> Rows { get; } = [];

    public List<string?> Tokens { get; } = [];

    public DateTime CompleteUntil => DateTime.MaxValue;

    public Task AppendAsync(Guid tenantId, IReadOnlyList<HuntingRow> rows, string? deduplicationToken, CancellationToken cancellationToken)
    {
        Tokens.Add(deduplicationToken);
        Rows.AddRange(rows);
        return Task.CompletedTask;
    }

    public IEnumerable<HuntingRow> Of(string table) => Rows.Where(row => row.Table.Name == table);
}
