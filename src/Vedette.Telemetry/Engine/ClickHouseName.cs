namespace Vedette.Telemetry.Engine;

/// <summary>Names in SQL text.</summary>
internal static class ClickHouseName
{
    /// <summary>A name between back quotes, with what would end it escaped.</summary>
    public static string Quote(string name) =>
        "`" + name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("`", "\\`", StringComparison.Ordinal) + "`";
}
