using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local;

/// <summary>Bounds what a step holds: its result may be larger than its input.</summary>
/// <param name="name">The step, for people.</param>
internal sealed class RowBudget(string name)
{
    private long _rows;
    private long _bytes;

    /// <summary>Counts a row that the step is about to keep.</summary>
    /// <exception cref="HuntingException">There are too many.</exception>
    public void Add(object?[] row)
    {
        var rows = Interlocked.Increment(ref _rows);
        if (rows > LocalStage.MaxRows || Interlocked.Add(ref _bytes, BytesOf(row)) > LocalStage.MaxBytes)
            throw new HuntingException(HuntingFailure.ExcessiveResources, $"{name} gives more than {LocalStage.MaxRows} rows or {LocalStage.MaxBytes / (1024 * 1024)} MB. Narrow what it looks for, or project fewer columns.");
    }

    /// <summary>About how many bytes a row holds.</summary>
    public static long BytesOf(object?[] row)
    {
        var bytes = 32L + (8 * row.Length);
        foreach (var value in row)
            bytes += value is string text ? 24 + (2 * text.Length) : 24;
        return bytes;
    }
}
