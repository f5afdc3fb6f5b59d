using System.Globalization;
using Vedette.Kql;

namespace Vedette.Telemetry.Local;

/// <summary>Runs a step over each group of rows. In front of the step's columns stand those that follow its inputs, with the values that the group has.</summary>
/// <param name="step">The step.</param>
/// <param name="width">How many columns it takes; those behind them are the group's.</param>
/// <param name="group">Positions of the columns that tell groups apart.</param>
internal sealed class GroupedStep(ILocalStep step, int width, IReadOnlyList<int> group) : ILocalStep
{
    public string Name { get; } = step.Name + " per group";

    public bool FindsColumns => step.FindsColumns;

    /// <summary>The name of a group's column among those of the step, which cannot be one of theirs.</summary>
    public static string NameOf(int id) => string.Create(CultureInfo.InvariantCulture, $"\u0001{id}");

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) => throw new InvalidOperationException($"{Name} may have to wait.");

    public async ValueTask<LocalTable> RunAsync(LocalTable input, CancellationToken cancellationToken)
    {
        var own = input.Columns.Take(width).ToList();
        var columns = new List<LocalColumn>();
        var parts = new List<(object?[] Outer, LocalTable Rows)>();
        foreach (var rows in input.Rows.GroupBy(row => RowKey.Of(row, group)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var result = await step.RunAsync(new LocalTable(own, [.. rows.Select(row => row[..width])]), cancellationToken);
            parts.Add((rows.First()[width..], result));
            Note(columns, result.Columns);
        }

        var all = new List<object?[]>();
        foreach (var (outer, result) in parts)
        {
            var places = columns.ConvertAll(c => step.FindsColumns ? result.Columns.ToList().FindIndex(r => r.Name == c.Name) : columns.IndexOf(c));
            foreach (var row in result.Rows)
            {
                all.Add([.. outer, .. columns.Select((c, i) => places[i] < 0
                    ? LocalValues.To(null, KqlType.String, c.Type)
                    : LocalValues.To(row[places[i]], result.Columns[places[i]].Type, c.Type))]);
            }
        }

        return new LocalTable([.. input.Columns.Skip(width), .. columns], all);
    }

    // Groups may find columns of other names and types.
    private void Note(List<LocalColumn> columns, IReadOnlyList<LocalColumn> found)
    {
        if (!step.FindsColumns)
        {
            if (columns.Count == 0)
                columns.AddRange(found);
            return;
        }

        foreach (var column in found)
        {
            var known = columns.FindIndex(c => c.Name == column.Name);
            if (known < 0)
                columns.Add(column);
            else if (columns[known].Type != column.Type)
                columns[known] = column with { Type = BagTypes.Common(columns[known].Type, column.Type)!.Value };
        }
    }
}
