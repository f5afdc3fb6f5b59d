using System.Globalization;
using Vedette.Telemetry.Import.Reading;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>
/// Finds the operating system from what events mention in passing: the build in the version of a system file or of PowerShell, roles that
/// only servers have, paths that only Linux has.
/// </summary>
internal sealed class PlatformGuess
{
    // Client and server name of a Windows build, oldest first. Source: Windows release information.
    private static readonly (int Build, string Client, string Server)[] Builds =
    [
        (6002, "WindowsVista", "WindowsServer2008"), (7600, "Windows7", "WindowsServer2008R2"), (9200, "Windows8", "WindowsServer2012"),
        (9600, "Windows8.1", "WindowsServer2012R2"), (10240, "Windows10", "WindowsServer2016"), (17763, "Windows10", "WindowsServer2019"),
        (20348, "Windows10", "WindowsServer2022"), (22000, "Windows11", "WindowsServer2022"), (26100, "Windows11", "WindowsServer2025"),
    ];

    // Programs that run on servers only.
    private static readonly string[] ServerPrograms =
        ["Microsoft.ActiveDirectory.WebServices.exe", "dfsrs.exe", "dns.exe", "ismserv.exe", "ntfrs.exe", "dfssvc.exe", "ServerManager.exe", "certsrv.exe"];

    // Files whose version is that of the system.
    private static readonly string[] SystemFiles =
        ["ntdll.dll", "kernel32.dll", "kernelbase.dll", "svchost.exe", "cmd.exe", "services.exe", "ntoskrnl.exe", "lsasrv.dll", "combase.dll"];

    private bool _isLinux;
    private bool _isServer;
    private bool _isWindows;

    /// <summary>Build number; null when no event told it.</summary>
    public int? Build { get; private set; }

    /// <summary>Revision of the build; null when no event told it.</summary>
    public int? Revision { get; private set; }

    /// <summary>Platform in the service's words.</summary>
    public string Platform
    {
        get
        {
            if (_isLinux) return "Linux";
            if (!_isWindows) return "Unknown";
            var name = (Client: "Windows10", Server: "WindowsServer2019");
            foreach (var (build, client, server) in Builds)
            {
                if (Build >= build) name = (client, server);
            }

            return _isServer ? name.Server : name.Client;
        }
    }

    /// <summary>Version of the system; empty when unknown.</summary>
    public string Version => !_isWindows ? "" : Build is null or >= 10240 ? "10.0" : Build >= 9600 ? "6.3" : Build >= 9200 ? "6.2" : "6.1";

    /// <summary>Hears of a program that runs or a file that was loaded.</summary>
    public void HearImage(string? image, string? version)
    {
        if (image is null) return;
        if (image.StartsWith('/')) _isLinux = true;
        else if (image.Length > 2 && image[1] == ':') _isWindows = true;
        if (Build is not null && _isServer) return;
        var name = LogPaths.FileName(image);
        if (!_isServer && IsOneOf(ServerPrograms, name)) _isServer = true;
        if (Build is null && version is not null && IsOneOf(SystemFiles, name)) HearVersion(version);
    }

    private static bool IsOneOf(string[] files, string name) => Array.Exists(files, file => file.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Hears what family an event belongs to.</summary>
    public void HearFamily(LogEvent heard)
    {
        if (heard.Family == "auditd") _isLinux = true;
        else if (heard.Family is "security" or "powershell" or "powershell-classic" or "wmi" or "taskscheduler" or "services") _isWindows = true;
    }

    /// <summary>Hears a version such as <c>10.0.18362.1 (WinBuild.160101.0800)</c> or PowerShell's <c>5.1.18362.752</c>.</summary>
    public void HearVersion(string version)
    {
        var parts = version.Split([' ', '.'], 5);
        if (parts.Length < 4 || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var build)) return;
        if (build is < 6000 or > 99999) return;
        Build = build;
        if (int.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var revision) && revision > 1) Revision = revision;
    }
}
