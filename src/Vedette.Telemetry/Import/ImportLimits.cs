namespace Vedette.Telemetry.Import;

/// <summary>What bounds the readers, so that a hostile or broken file costs no more than a warning.</summary>
public sealed record ImportLimits
{
    /// <summary>Bytes of one record (a line, a JSON value, an XML event), at most; longer ones are skipped and reported.</summary>
    public int MaxRecordBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Nesting of one JSON value, at most.</summary>
    public int MaxJsonDepth { get; init; } = 32;

    /// <summary>Nesting of one row of a hunting table, at most: its dynamic columns hold objects of their own.</summary>
    public int MaxTableJsonDepth { get; init; } = 64;

    /// <summary>Fields of one event, at most; the rest of its fields are ignored.</summary>
    public int MaxFields { get; init; } = 512;

    /// <summary>Bytes that one file may unfold to, at most: what stops an archive made to explode.</summary>
    public long MaxExpandedBytes { get; init; } = 1L << 40;

    /// <summary>Problems that the report lists one by one; the ones after are only counted.</summary>
    public int MaxListedProblems { get; init; } = 1000;
}
