namespace Vedette.Telemetry.Hunting;

/// <summary>What becomes of queries that use columns which were renamed or retired.</summary>
public enum RetiredColumns
{
    /// <summary>They run, with a warning: such a column is read from the one that took its place, or is null.</summary>
    Warn,

    /// <summary>They are refused like those that use a column that never was, as the service does.</summary>
    Reject,
}
