namespace Vedette.Telemetry.Local;

/// <summary>Computes values from values, row by row.</summary>
/// <param name="name">What it does, for people.</param>
/// <param name="inputs">How many columns the computation takes; those behind them pass through.</param>
/// <param name="outputs">The columns it gives.</param>
/// <param name="compute">The outputs for one row's inputs.</param>
internal sealed class RowStep(string name, int inputs, IReadOnlyList<LocalColumn> outputs, Func<object?[], object?[]> compute) : ILocalStep
{
    public string Name { get; } = name;

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>(input.Rows.Count);
        var arguments = new object?[inputs];
        foreach (var row in input.Rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Array.Copy(row, arguments, inputs);
            var values = compute(arguments);
            var result = new object?[values.Length + row.Length - inputs];
            values.CopyTo(result, 0);
            Array.Copy(row, inputs, result, values.Length, row.Length - inputs);
            rows.Add(result);
        }

        return new LocalTable([.. outputs, .. input.Columns.Skip(inputs)], rows);
    }
}
