namespace Vedette.Defender.Vulnerabilities.Exports;

/// <summary>How a value of an export is written.</summary>
public enum ExportValue
{
    /// <summary>Text.</summary>
    Text,

    /// <summary>Whole number.</summary>
    Number,

    /// <summary>Floating point number.</summary>
    Real,

    /// <summary>Truth value.</summary>
    Flag,

    /// <summary>List of texts.</summary>
    Texts,

    /// <summary>JSON, copied.</summary>
    Json,

    /// <summary>Moment without zone and T: <c>2026-01-31 08:15:00.123</c>.</summary>
    Stamp,

    /// <summary>Moment in ISO form with Z.</summary>
    Time,
}

/// <summary>A column of an export.</summary>
/// <param name="Name">Name in the JSON form.</param>
/// <param name="Value">How its value is written.</param>
/// <param name="Sql">Where the value comes from.</param>
public sealed record ExportColumn(string Name, ExportValue Value, string Sql)
{
    /// <summary>Name in files: the same in Pascal case, but for abbreviations.</summary>
    public string FileName { get; init; } = Name switch
    {
        "osPlatform" => "OSPlatform",
        "osVersion" => "OSVersion",
        "osArchitecture" => "OSArchitecture",
        _ => char.ToUpperInvariant(Name[0]) + Name[1..],
    };
}

/// <summary>A kind of export: what its rows are and where they come from.</summary>
/// <param name="Name">Folder of its files, as the service names it.</param>
/// <param name="Columns">Columns in the order of the JSON form.</param>
/// <param name="Source">
/// SQL <c>FROM</c> and further joins and conditions. Devices are called m; <c>$1</c> is the tenant, <c>$2</c> the device group, <c>$3</c> the
/// group name of devices in none, <c>$4</c> the begin of changes.
/// </param>
public sealed record ExportKind(string Name, IReadOnlyList<ExportColumn> Columns, string Source)
{
    /// <summary>The statement that reads the rows of one device group.</summary>
    public string Select { get; } = $"SELECT {string.Join(", ", Columns.Select(c => c.Sql))} FROM {Source}";
}
