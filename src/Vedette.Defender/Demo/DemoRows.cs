using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Demo;

/// <summary>Makes event rows of one device. Columns that a table lacks are left out silently, because tables share most of their columns.</summary>
internal sealed class DemoRows(DemoDevice device, ICollection<HuntingRow> rows)
{
    private long _report = 1000;

    /// <summary>Starts a row of a table with what all rows of the device share.</summary>
    public HuntingRow Begin(string table, DateTime time, string? actionType)
    {
        var row = HuntingRow.For(table);
        row["Timestamp"] = time;
        Put(row, "DeviceId", device.Id);
        Put(row, "DeviceName", device.DnsName);
        Put(row, "ReportId", ++_report);
        if (actionType is not null) Put(row, "ActionType", actionType);
        rows.Add(row);
        return row;
    }

    /// <summary>Fills the columns of the process that acts.</summary>
    public static void PutInitiating(HuntingRow row, DemoProcess? process)
    {
        if (process is null) return;
        PutImage(row, "InitiatingProcess", "InitiatingProcess", process.Image);
        Put(row, "InitiatingProcessId", process.Id);
        Put(row, "InitiatingProcessCommandLine", process.CommandLine);
        Put(row, "InitiatingProcessCreationTime", process.Created);
        Put(row, "InitiatingProcessIntegrityLevel", process.Integrity);
        Put(row, "InitiatingProcessTokenElevation", process.Elevation);
        Put(row, "InitiatingProcessLogonId", process.LogonId);
        PutAccount(row, "InitiatingProcessAccount", process.Account);
        Put(row, "IsInitiatingProcessRemoteSession", false);
        Put(row, "InitiatingProcessSessionId", process.Account.Sid.StartsWith("S-1-5-21", StringComparison.Ordinal) ? 1L : 0L);
        Put(row, "InitiatingProcessUniqueId", UniqueId(process));
        if (process.Parent is not { } parent) return;
        Put(row, "InitiatingProcessParentId", parent.Id);
        Put(row, "InitiatingProcessParentFileName", parent.Image.FileName);
        Put(row, "InitiatingProcessParentCreationTime", parent.Created);
    }

    /// <summary>Fills the columns of the process that was created.</summary>
    public static void PutCreated(HuntingRow row, DemoProcess process)
    {
        PutImage(row, "", "Process", process.Image);
        Put(row, "ProcessId", process.Id);
        Put(row, "ProcessCommandLine", process.CommandLine);
        Put(row, "ProcessCreationTime", process.Created);
        Put(row, "ProcessIntegrityLevel", process.Integrity);
        Put(row, "ProcessTokenElevation", process.Elevation);
        Put(row, "LogonId", process.LogonId);
        PutAccount(row, "Account", process.Account);
        Put(row, "IsProcessRemoteSession", false);
        Put(row, "CreatedProcessSessionId", process.Account.Sid.StartsWith("S-1-5-21", StringComparison.Ordinal) ? 1L : 0L);
        Put(row, "ProcessUniqueId", UniqueId(process));
    }

    /// <summary>Fills the columns of a file.</summary>
    public static void PutFile(HuntingRow row, string path, DemoHashes hashes, long size)
    {
        var cut = path.LastIndexOfAny(['\\', '/']);
        Put(row, "FileName", path[(cut + 1)..]);
        Put(row, "FolderPath", path);
        Put(row, "SHA1", hashes.Sha1);
        Put(row, "SHA256", hashes.Sha256);
        Put(row, "MD5", hashes.Md5);
        Put(row, "FileSize", size);
    }

    public static void PutAccount(HuntingRow row, string prefix, DemoAccount account)
    {
        Put(row, prefix + "Domain", account.Domain);
        Put(row, prefix + "Name", account.Name);
        Put(row, prefix + "Sid", account.Sid);
        Put(row, prefix + "Upn", account.Upn);
        Put(row, prefix + "ObjectId", account.ObjectId);
    }

    /// <summary>Sets a column if the table has it, as a value of the column's type.</summary>
    public static void Put(HuntingRow row, string column, object value)
    {
        var ordinal = row.Table.OrdinalOf(column);
        if (ordinal < 0) return;
        row.Values[ordinal] = (row.Table.Columns[ordinal].Type, value) switch
        {
            (KqlType.Int, long number) => (int)number,
            (KqlType.Long, int number) => (long)number,
            (KqlType.String, long number) => number.ToString(CultureInfo.InvariantCulture),
            (KqlType.Guid, string text) => Guid.Parse(text),
            (KqlType.String, Guid id) => id.ToString(),
            _ => value,
        };
    }

    private static void PutImage(HuntingRow row, string prefix, string versionPrefix, DemoImage image)
    {
        Put(row, prefix + "FileName", image.FileName);
        Put(row, prefix + "FolderPath", image.Path);
        Put(row, prefix + "SHA1", image.Hashes.Sha1);
        Put(row, prefix + "SHA256", image.Hashes.Sha256);
        Put(row, prefix + "MD5", image.Hashes.Md5);
        Put(row, prefix + "FileSize", image.Size);
        Put(row, versionPrefix + "VersionInfoCompanyName", image.Company);
        Put(row, versionPrefix + "VersionInfoProductName", image.Product);
        Put(row, versionPrefix + "VersionInfoProductVersion", image.Version);
        Put(row, versionPrefix + "VersionInfoFileDescription", image.Description);
        if (image.Description.Length == 0) return;
        Put(row, versionPrefix + "VersionInfoInternalFileName", image.FileName);
        Put(row, versionPrefix + "VersionInfoOriginalFileName", image.FileName);
    }

    private static string UniqueId(DemoProcess process) => (process.Created.Ticks ^ (process.Id << 40)).ToString(CultureInfo.InvariantCulture);
}
