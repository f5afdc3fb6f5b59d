using System.Text.Json;
using System.Text.Json.Serialization;
using Vedette.Defender.Demo.Office;

namespace Vedette.Defender.Demo;

/// <summary>The demo's facts: an organisation, its software, what people and machines do all day, and the attacks. Read from embedded JSON.</summary>
internal sealed class DemoFacts
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    public required OrganisationFacts Organisation { get; init; }

    public required SoftwareFacts Software { get; init; }

    public required Dictionary<string, Activity> Activities { get; init; }

    public required List<Story> Stories { get; init; }

    public required OfficeFacts Office { get; init; }

    public static DemoFacts Load() => new()
    {
        Organisation = Read<OrganisationFacts>("organisation"),
        Software = Read<SoftwareFacts>("programs"),
        Activities = Read<Dictionary<string, Activity>>("activities"),
        Stories = Read<List<Story>>("stories"),
        Office = Read<OfficeFacts>("office"),
    };

    private static T Read<T>(string name)
    {
        using var stream = typeof(DemoFacts).Assembly.GetManifestResourceStream($"demo/{name}.json")
            ?? throw new InvalidOperationException($"The demo's {name} are missing from the assembly.");
        return JsonSerializer.Deserialize<T>(stream, Options)!;
    }
}

/// <summary>The organisation, and what its computers are like.</summary>
internal sealed record OrganisationFacts(
    string Name,
    string Domain,
    string Netbios,
    string City,
    string Country,
    string[] GivenNames,
    string[] Surnames,
    string[] Documents,
    DepartmentFacts[] Departments,
    DeviceFacts[] Devices,
    Dictionary<string, SystemFacts> Systems,
    Dictionary<string, KindFacts> Kinds);

internal sealed record DepartmentFacts(string Name, string Role, string[] Titles, int People);

internal sealed record DeviceFacts(string Name, int Count, string Kind, string Department, string Os);

internal sealed record SystemFacts(
    string Platform, string Version, string VersionInfo, long Build, string Revision, string Client, string Type, string Vendor, string Model, string Category, string Group)
{
    public string? Distribution { get; init; }
}

/// <summary>A kind of device: its subnet, what it does at start and log-on, and how many activities fill one of its days.</summary>
internal sealed record KindFacts(string Subnet, string Boot, int Background, int Foreground, int Weekend, string[] Roles)
{
    public string? Session { get; init; }
}

/// <summary>Programs, the other ends of connections, and short names for folders.</summary>
internal sealed record SoftwareFacts(Dictionary<string, string> Macros, Dictionary<string, ProgramFacts> Programs, Dictionary<string, EndpointFacts> Endpoints);

internal sealed record ProgramFacts(string File, string Folder, long Size)
{
    public string? Company { get; init; }

    public string? Product { get; init; }

    public string? Version { get; init; }

    public string? Description { get; init; }
}

internal sealed record EndpointFacts(int Port)
{
    public string? Url { get; init; }

    public string[]? Ips { get; init; }

    public string? Device { get; init; }
}

/// <summary>Something that happens often: a list of steps, how often against others, and where.</summary>
internal sealed record Activity(ActivityStep[] Steps)
{
    public int Weight { get; init; }

    /// <summary><c>foreground</c>: a person does it in working hours; <c>background</c>: the device does it by itself; null: only by name.</summary>
    public string? When { get; init; }

    public string[] Roles { get; init; } = [];

    public string[] Departments { get; init; } = [];
}

internal sealed record Story(string Name, ActivityStep[] Steps);

/// <summary>One step: exactly one of start, connect, accept, file, registry, image, event, logon or at says what it is.</summary>
internal sealed record ActivityStep
{
    /// <summary>Stories only: jumps to a time (<c>workday-3 10:12</c>, <c>-5h</c>, <c>+4s</c>) and a device.</summary>
    public string? At { get; init; }

    public string? On { get; init; }

    public string? User { get; init; }

    /// <summary>For people who read the story.</summary>
    public string? Note { get; init; }

    /// <summary>Program to start.</summary>
    public string? Start { get; init; }

    /// <summary>Name under which later steps find the process.</summary>
    public string? As { get; init; }

    /// <summary>Name of the parent process; empty for none.</summary>
    public string? Parent { get; init; }

    public string? Command { get; init; }

    /// <summary><c>user</c>, <c>system</c>, <c>network</c>, <c>local</c>, <c>any</c> or an account's own name; processes default to their device's user.</summary>
    public string? Account { get; init; }

    /// <summary>Whether the process stays known to the device's later activities.</summary>
    public bool Keep { get; init; }

    public bool Elevated { get; init; }

    /// <summary>Name of the process that acts; empty for none.</summary>
    public string? By { get; init; }

    /// <summary>Outbound connection: names of endpoints separated by bars, one of which is taken.</summary>
    public string? Connect { get; init; }

    /// <summary>Inbound connection: client, server, linux, admin, internet or an address.</summary>
    public string? Accept { get; init; }

    public int? Port { get; init; }

    public string? File { get; init; }

    public string? Action { get; init; }

    public string? Previous { get; init; }

    public string? Origin { get; init; }

    public string? Share { get; init; }

    public string? Registry { get; init; }

    public string? ValueName { get; init; }

    public string? Data { get; init; }

    /// <summary>Program file that is loaded as a library.</summary>
    public string? Image { get; init; }

    /// <summary>Action type of a row in DeviceEvents.</summary>
    public string? Event { get; init; }

    public Dictionary<string, string>? Fields { get; init; }

    /// <summary>Log-on type.</summary>
    public string? Logon { get; init; }

    public string? From { get; init; }

    public string? Protocol { get; init; }

    public string? Result { get; init; }

    /// <summary>Longest wait before the step; the wait is a random part of it.</summary>
    public string? After { get; init; }

    /// <summary>Least and most times, such as <c>1-3</c>.</summary>
    public string? Repeat { get; init; }

    public double? Chance { get; init; }

    /// <summary>Name that must exist, or the step is left out.</summary>
    public string? Requires { get; init; }

    /// <summary>Role that the device must have.</summary>
    public string? Only { get; init; }
}
