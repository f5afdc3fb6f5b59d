using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>pivot: the values of a column become columns that hold an aggregate of their rows.</summary>
internal sealed class PivotStep(PluginCall call) : ILocalStep
{
    /// <summary>Values that become columns at most.</summary>
    private const int MaxColumns = 10_000;

    public string Name => "pivot";

    public bool FindsColumns => true;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var pivot = call.Arguments[0].Column;
        var aggregate = call.Arguments.FirstOrDefault(a => a.Operands is not null);
        var operands = aggregate?.Operands ?? [];
        var operandColumns = operands.Select(o => o).ToHashSet();
        var chosen = call.Arguments.Skip(1).Where(a => a.Operands is null && a.Column >= 0).Select(a => a.Column).ToList();
        // Columns that are not pivoted group the rows.
        var keys = chosen.Count > 0
            ? chosen
            : Enumerable.Range(0, call.Width).Where(i => i != pivot && call.Columns.Any(c => c.Name == input.Columns[i].Name)).ToList();
        var name = aggregate?.Constant as string ?? "count";
        var groups = new Dictionary<RowKey, Dictionary<string, LocalAggregate>>();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var row in input.Rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = RowKey.Of(row, keys);
            var column = LocalValues.ToText(row[pivot], input.Columns[pivot].Type);
            if (names.Add(column) && names.Count > MaxColumns)
                throw new HuntingException(HuntingFailure.ExcessiveResources, $"evaluate pivot(): the column has more than {MaxColumns} values. Reduce them first.");
            if (!groups.TryGetValue(key, out var cells))
                groups.Add(key, cells = new Dictionary<string, LocalAggregate>(StringComparer.Ordinal));
            if (!cells.TryGetValue(column, out var cell))
                cells.Add(column, cell = LocalAggregate.Create(name, operands.Select(o => input.Columns[o].Type).ToList()));
            cell.Add([.. operands.Select(o => row[o])]);
        }

        var type = LocalAggregate.TypeOf(name, operands.Select(o => input.Columns[o].Type).ToList());
        var columns = keys.Select(k => input.Columns[k]).Concat(names.Select(n => new LocalColumn(n, type))).ToList();
        var rows = new List<object?[]>();
        var budget = new RowBudget(Name);
        foreach (var (key, cells) in groups)
        {
            var values = new object?[columns.Count];
            key.Values.CopyTo(values, 0);
            var at = keys.Count;
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var column in names)
                values[at++] = cells.TryGetValue(column, out var cell) ? cell.Result() : LocalAggregate.Create(name, operands.Select(o => input.Columns[o].Type).ToList()).Result();
            budget.Add(values);
            rows.Add(values);
        }

        return new LocalTable(columns, rows);
    }
}

/// <summary>narrow: every cell becomes a row.</summary>
internal sealed class NarrowStep(PluginCall call) : ILocalStep
{
    public string Name => "narrow";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>();
        var budget = new RowBudget(Name);
        for (var r = 0; r < input.Rows.Count; r++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var c = 0; c < call.Width; c++)
            {
                object?[] row = [(long)r, input.Columns[c].Name, LocalValues.ToText(input.Rows[r][c], input.Columns[c].Type)];
                budget.Add(row);
                rows.Add(row);
            }
        }

        return new LocalTable([new("Row", KqlType.Long), new("Column", KqlType.String), new("Value", KqlType.String)], rows);
    }
}
