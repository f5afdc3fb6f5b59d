namespace Vedette.Telemetry.Import.Mapping;

/// <summary>Paths as logs write them.</summary>
internal static class LogPaths
{
    private const string DevicePrefix = @"\device\harddiskvolume";

    /// <summary>
    /// A path with a drive letter where the log gives a device or NT path. Logs do not say which letter a volume has; it is taken for the
    /// system drive, which it nearly always is.
    /// </summary>
    public static string? Normalise(string? path)
    {
        if (path is not { Length: > 1 } || path[0] != '\\') return path;
        if (path.StartsWith(@"\??\", StringComparison.Ordinal)) return path[4..];
        if (path.StartsWith(@"\SystemRoot\", StringComparison.OrdinalIgnoreCase)) return @"C:\Windows\" + path[12..];
        if (!path.StartsWith(DevicePrefix, StringComparison.OrdinalIgnoreCase)) return path;
        var slash = path.IndexOf('\\', DevicePrefix.Length);
        return slash < 0 ? path : "C:" + path[slash..];
    }

    /// <summary>What follows the last separator.</summary>
    public static string FileName(string path)
    {
        var slash = path.AsSpan().LastIndexOfAny('\\', '/');
        return slash < 0 ? path : path[(slash + 1)..];
    }

    /// <summary>Whether two images have the same file name, whatever the case and folder.</summary>
    public static bool SameFile(string first, string second)
    {
        var left = first.AsSpan();
        var right = second.AsSpan();
        return left[(left.LastIndexOfAny('\\', '/') + 1)..].Equals(right[(right.LastIndexOfAny('\\', '/') + 1)..], StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The program that a command line begins with.</summary>
    public static string? ProgramOf(string commandLine)
    {
        var text = commandLine.TrimStart();
        if (text.StartsWith('"'))
        {
            var close = text.IndexOf('"', 1);
            return Normalise(close > 1 ? text[1..close] : text[1..]);
        }

        var end = text.IndexOf(' ', StringComparison.Ordinal);

        // An unquoted path may hold blanks; it ends with its extension then.
        var extension = text.IndexOf(".exe", StringComparison.OrdinalIgnoreCase);
        if (extension > end && end > 0 && text.Length > 2 && text[1] == ':' && !text.AsSpan(0, extension).ContainsAny('"', '/')) end = extension + 4;
        var program = end < 0 ? text : text[..end];
        return program.Length == 0 ? null : Normalise(program);
    }
}

/// <summary>Small vocabularies of Windows logs in the service's words.</summary>
internal static class LogTexts
{
    private static readonly Dictionary<string, string> IntegrityLevels = new(StringComparer.OrdinalIgnoreCase)
    {
        ["S-1-16-0"] = "Untrusted", ["S-1-16-4096"] = "Low", ["S-1-16-8192"] = "Medium", ["S-1-16-8448"] = "Medium", ["S-1-16-12288"] = "High",
        ["S-1-16-16384"] = "System", ["S-1-16-20480"] = "Protected", ["no level"] = "",
    };

    private static readonly Dictionary<string, string> Elevations = new(StringComparer.OrdinalIgnoreCase)
    {
        ["%%1936"] = "TokenElevationTypeDefault", ["%%1937"] = "TokenElevationTypeFull", ["%%1938"] = "TokenElevationTypeLimited",
        ["1"] = "TokenElevationTypeDefault", ["2"] = "TokenElevationTypeFull", ["3"] = "TokenElevationTypeLimited",
    };

    /// <summary>Integrity level by its name or its security identifier.</summary>
    public static string? Integrity(string? text) => text is null ? null : IntegrityLevels.GetValueOrDefault(text, text);

    /// <summary>Token elevation by its message number or its name.</summary>
    public static string? Elevation(string? text) =>
        text is null
            ? null
            : Elevations.GetValueOrDefault(text)
                ?? Elevations.Values.FirstOrDefault(name => text.StartsWith(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>One hash out of Sysmon's list <c>SHA1=…,MD5=…</c>, in lower case; null when it is absent or all zeros.</summary>
    public static string? Hash(string hashes, string algorithm)
    {
        var rest = hashes.AsSpan();
        while (!rest.IsEmpty)
        {
            var comma = rest.IndexOf(',');
            var item = comma < 0 ? rest : rest[..comma];
            rest = comma < 0 ? default : rest[(comma + 1)..];
            var equals = item.IndexOf('=');
            if (equals < 0 || !item[..equals].Trim().Equals(algorithm, StringComparison.OrdinalIgnoreCase)) continue;
            var value = item[(equals + 1)..].Trim();
            return value.Length is 32 or 40 or 64 && value.ContainsAnyExcept('0') ? value.ToString().ToLowerInvariant() : null;
        }

        return null;
    }
}
