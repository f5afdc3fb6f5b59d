using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Telemetry.Import.Reading;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>What an event says of a process. Everything but the process id may be missing.</summary>
internal struct ProcessSighting
{
    /// <summary>Sysmon's identity of the process, in lower case without braces.</summary>
    public string? Guid;

    /// <summary>Process id; 0 when unknown.</summary>
    public long Pid;

    /// <summary>Full path of the image.</summary>
    public string? Image;

    /// <summary>Command line.</summary>
    public string? CommandLine;

    /// <summary>Account name as the log spells it.</summary>
    public string? Account;

    /// <summary>Domain of the account as the log spells it.</summary>
    public string? Domain;

    /// <summary>Security identifier of the account.</summary>
    public string? Sid;

    /// <summary>Logon session; null when unknown.</summary>
    public long? LogonId;
}

/// <summary>Which fields of an event speak of a process.</summary>
internal sealed class ProcessMapping
{
    private readonly Source _guid;
    private readonly Source _pid;
    private readonly Source _image;
    private readonly Source _commandLine;
    private readonly Source _user;
    private readonly Source _account;
    private readonly Source _domain;
    private readonly Source _sid;
    private readonly Source _logonId;
    private readonly Source _integrity;
    private readonly Source _elevation;
    private readonly Source _hashes;
    private readonly Source _company;
    private readonly Source _product;
    private readonly Source _version;
    private readonly Source _original;
    private readonly Source _description;
    private readonly Source _session;

    // The account's parts come from the same alternative: a name from one and an identifier from another would be two accounts.
    private readonly bool _isPaired;

    public ProcessMapping(JsonObject node, FieldNames names)
    {
        Source Read(string key) => new((string?)node[key], names);
        _guid = Read("guid");
        _pid = Read("pid");
        _image = Read("image");
        _commandLine = Read("commandLine");
        _user = Read("user");
        _account = Read("account");
        _domain = Read("domain");
        _sid = Read("sid");
        _logonId = Read("logonId");
        _integrity = Read("integrity");
        _elevation = Read("elevation");
        _hashes = Read("hashes");
        _company = Read("company");
        _product = Read("product");
        _version = Read("version");
        _original = Read("original");
        _description = Read("description");
        _session = Read("session");
        _isPaired = (bool?)node["paired"] ?? false;
    }

    /// <summary>What an event says.</summary>
    public ProcessSighting See(LogEvent source)
    {
        var sighting = new ProcessSighting
        {
            Guid = NormaliseGuid(_guid.Text(source)),
            Pid = LogNumbers.Parse(_pid.Text(source)) ?? 0,
            Image = LogPaths.Normalise(_image.Text(source)),
            CommandLine = _commandLine.Text(source),
        };
        var alternative = _isPaired ? _account.Alternative(source) : -1;
        sighting.Account = _account.Text(source, alternative);
        sighting.Domain = _domain.Text(source, alternative);
        sighting.Sid = _sid.Text(source, alternative);
        sighting.LogonId = LogNumbers.Parse(_logonId.Text(source, alternative));
        if (_user.Text(source) is { } user)
        {
            if (user.StartsWith("S-1-", StringComparison.Ordinal))
            {
                sighting.Sid ??= user;
            }
            else
            {
                var slash = user.IndexOf('\\', StringComparison.Ordinal);
                sighting.Account ??= user[(slash + 1)..];
                if (slash > 0) sighting.Domain ??= user[..slash];
            }
        }

        // The audit log gives numbers unless it was told to resolve them; one number means the same everywhere.
        if (sighting.Account == "0") sighting.Account = "root";

        // A process that names no image but its command line: the program is the first word.
        if (sighting.Image is null && sighting.Pid == 0 && sighting.CommandLine is { } line) sighting.Image = LogPaths.ProgramOf(line);
        return sighting;
    }

    /// <summary>Notes what only the creation of a process tells.</summary>
    public void Describe(LogEvent source, ProcessInfo process)
    {
        process.Cells = null;
        process.Integrity ??= LogTexts.Integrity(_integrity.Text(source));
        process.Elevation ??= LogTexts.Elevation(_elevation.Text(source));
        process.Company ??= _company.Text(source);
        process.Product ??= _product.Text(source);
        process.Version ??= _version.Text(source);
        process.OriginalName ??= _original.Text(source);
        process.Description ??= _description.Text(source);
        if (LogNumbers.Parse(_session.Text(source)) is { } session and >= 0 and < uint.MaxValue) process.SessionId ??= session;
        if (_hashes.Text(source) is not { } hashes) return;
        process.Sha1 ??= LogTexts.Hash(hashes, "SHA1");
        process.Sha256 ??= LogTexts.Hash(hashes, "SHA256");
        process.Md5 ??= LogTexts.Hash(hashes, "MD5");
    }

    private static string? NormaliseGuid(string? text)
    {
        if (text is null) return null;
        var bare = text.Trim('{', '}').ToLowerInvariant();
        return bare.Length != 36 || bare == "00000000-0000-0000-0000-000000000000" ? null : bare;
    }

    private readonly struct Source
    {
        private readonly int[]? _fields;
        private readonly string? _constant;

        public Source(string? text, FieldNames names)
        {
            if (text is null) return;
            if (text.StartsWith('\'')) _constant = text.Trim('\'');
            else _fields = text.Split('|').Select(names.Add).ToArray();
        }

        /// <summary>The first alternative that is present; -1 when none is.</summary>
        public int Alternative(LogEvent source)
        {
            if (_fields is null) return -1;
            for (var index = 0; index < _fields.Length; index++)
            {
                if (One(source, _fields[index]) is not null) return index;
            }

            return -1;
        }

        /// <summary>The text of one alternative, or of the first that is present.</summary>
        public string? Text(LogEvent source, int alternative = -1)
        {
            if (_fields is null) return _constant;
            if (alternative >= 0) return alternative < _fields.Length ? One(source, _fields[alternative]) : null;
            foreach (var field in _fields)
            {
                if (One(source, field) is { } text) return text;
            }

            return null;
        }

        // Leaves out what Windows and the audit log write for nobody and for no session.
        private static string? One(LogEvent source, int field) =>
            source.Text(field) is { } text and not ("S-1-0-0" or "0x0" or "unset" or "4294967295") ? text : null;
    }
}

/// <summary>Numbers as logs write them.</summary>
internal static class LogNumbers
{
    /// <summary>A decimal or 0x-prefixed hexadecimal number; null when the text is neither.</summary>
    public static long? Parse(string? text)
    {
        if (text is null) return null;
        var span = text.AsSpan().Trim();
        if (span.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return ulong.TryParse(span[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? unchecked((long)hex) : null;
        }

        return long.TryParse(span, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
