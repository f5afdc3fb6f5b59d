using System.Collections.Concurrent;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>A process's values in the form that rows hold, made once and shared by all rows that speak of the process.</summary>
internal sealed class ProcessCells
{
    public object? Pid { get; init; }

    public object? Created { get; init; }

    public string? FileName { get; init; }

    public string? FolderPath { get; init; }

    public string? FolderPathLower { get; init; }

    public object? LogonId { get; init; }

    public object? SessionId { get; init; }

    public string? UniqueId { get; init; }

    public string? Domain { get; init; }

    public string? Sid { get; init; }

    public object? IsRemoteSession { get; init; }

    public string? RemoteDevice { get; init; }

    public string? RemoteAddress { get; init; }
}

/// <summary>Where a table keeps what every row has and what it says of processes; -1 for columns that it lacks.</summary>
internal sealed class RowLayout
{
    private static readonly ConcurrentDictionary<string, RowLayout> Known = new(StringComparer.Ordinal);
    private readonly Columns _actor;
    private readonly Columns _subject;

    private RowLayout(HuntingTable table)
    {
        Timestamp = table.OrdinalOf("Timestamp");
        ActionType = table.OrdinalOf("ActionType");
        DeviceId = table.OrdinalOf("DeviceId");
        DeviceName = DeviceId >= 0 ? table.OrdinalOf("DeviceName") : -1;
        ReportId = table.OrdinalOf("ReportId");
        AdditionalFields = table.OrdinalOf("AdditionalFields");
        ReportIdIsText = ReportId >= 0 && table.Columns[ReportId].Type == Kql.KqlType.String;
        _actor = new Columns(table, "InitiatingProcess", isActor: true);
        _subject = new Columns(table, "Process", isActor: false);
    }

    public int Timestamp { get; }

    public int ActionType { get; }

    public int DeviceId { get; }

    public int DeviceName { get; }

    public int ReportId { get; }

    public bool ReportIdIsText { get; }

    public int AdditionalFields { get; }

    /// <summary>The layout of a table.</summary>
    public static RowLayout For(HuntingTable table) => Known.GetOrAdd(table.Name, _ => new RowLayout(table));

    /// <summary>Fills the columns of the process that acted.</summary>
    public void WriteActor(object?[] values, ProcessInfo process, ProcessCells cells, ProcessCells? parent)
    {
        _actor.Write(values, process, cells);
        if (parent is null) return;
        Columns.Set(values, _actor.ParentId, parent.Pid);
        Columns.Set(values, _actor.ParentFileName, parent.FileName);
        Columns.Set(values, _actor.ParentCreated, parent.Created);
    }

    /// <summary>Fills the columns of the process that was acted on.</summary>
    public void WriteSubject(object?[] values, ProcessInfo process, ProcessCells cells) => _subject.Write(values, process, cells);

    private sealed class Columns
    {
        private readonly bool _isActor;
        private readonly int _id;
        private readonly int _created;
        private readonly int _commandLine;
        private readonly int _fileName;
        private readonly int _folderPath;
        private readonly int _sha1;
        private readonly int _sha256;
        private readonly int _md5;
        private readonly int _account;
        private readonly int _domain;
        private readonly int _sid;
        private readonly int _logonId;
        private readonly int _integrity;
        private readonly int _elevation;
        private readonly int _company;
        private readonly int _product;
        private readonly int _version;
        private readonly int _originalName;
        private readonly int _description;
        private readonly int _session;
        private readonly int _isRemote;
        private readonly int _remoteDevice;
        private readonly int _remoteAddress;
        private readonly int _uniqueId;

        public Columns(HuntingTable table, string prefix, bool isActor)
        {
            _isActor = isActor;
            var own = isActor ? prefix : "";
            _id = table.OrdinalOf(prefix + "Id");
            _created = table.OrdinalOf(prefix + "CreationTime");
            _commandLine = table.OrdinalOf(prefix + "CommandLine");
            _fileName = table.OrdinalOf(own + "FileName");
            _folderPath = table.OrdinalOf(own + "FolderPath");
            _sha1 = table.OrdinalOf(own + "SHA1");
            _sha256 = table.OrdinalOf(own + "SHA256");
            _md5 = table.OrdinalOf(own + "MD5");
            _account = table.OrdinalOf(own + "AccountName");
            _domain = table.OrdinalOf(own + "AccountDomain");
            _sid = table.OrdinalOf(own + "AccountSid");
            _logonId = table.OrdinalOf(own + "LogonId");
            _integrity = table.OrdinalOf(prefix + "IntegrityLevel");
            _elevation = table.OrdinalOf(prefix + "TokenElevation");
            _company = table.OrdinalOf(prefix + "VersionInfoCompanyName");
            _product = table.OrdinalOf(prefix + "VersionInfoProductName");
            _version = table.OrdinalOf(prefix + "VersionInfoProductVersion");
            _originalName = table.OrdinalOf(prefix + "VersionInfoOriginalFileName");
            _description = table.OrdinalOf(prefix + "VersionInfoFileDescription");
            _session = table.OrdinalOf(isActor ? prefix + "SessionId" : "CreatedProcessSessionId");
            _isRemote = table.OrdinalOf(isActor ? "IsInitiatingProcessRemoteSession" : "IsProcessRemoteSession");
            _remoteDevice = table.OrdinalOf(prefix + "RemoteSessionDeviceName");
            _remoteAddress = table.OrdinalOf(prefix + "RemoteSessionIP");
            _uniqueId = table.OrdinalOf(prefix + "UniqueId");
            ParentId = table.OrdinalOf(prefix + "ParentId");
            ParentFileName = table.OrdinalOf(prefix + "ParentFileName");
            ParentCreated = table.OrdinalOf(prefix + "ParentCreationTime");
        }

        public int ParentId { get; }

        public int ParentFileName { get; }

        public int ParentCreated { get; }

        public static void Set(object?[] values, int ordinal, object? value)
        {
            if (ordinal >= 0) values[ordinal] = value;
        }

        public void Write(object?[] values, ProcessInfo process, ProcessCells cells)
        {
            Set(values, _id, cells.Pid);
            Set(values, _created, cells.Created);
            Set(values, _commandLine, process.CommandLine);
            Set(values, _fileName, cells.FileName);
            Set(values, _folderPath, _isActor ? cells.FolderPathLower : cells.FolderPath);
            Set(values, _sha1, process.Sha1);
            Set(values, _sha256, process.Sha256);
            Set(values, _md5, process.Md5);
            Set(values, _account, process.Account);
            Set(values, _domain, cells.Domain);
            Set(values, _sid, cells.Sid);
            Set(values, _logonId, cells.LogonId);
            Set(values, _integrity, process.Integrity);
            Set(values, _elevation, process.Elevation);
            Set(values, _company, process.Company);
            Set(values, _product, process.Product);
            Set(values, _version, process.Version);
            Set(values, _originalName, process.OriginalName);
            Set(values, _description, process.Description);
            Set(values, _session, cells.SessionId);
            Set(values, _isRemote, cells.IsRemoteSession);
            Set(values, _remoteDevice, cells.RemoteDevice);
            Set(values, _remoteAddress, cells.RemoteAddress);
            Set(values, _uniqueId, cells.UniqueId);
        }
    }
}
