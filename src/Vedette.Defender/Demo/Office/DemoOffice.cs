using System.Globalization;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Demo.Office;

/// <summary>
/// Everything of the demo organisation's history that does not happen on a device: mail, chat, sign-ins, directory, cloud services, the exposure
/// graph. People, addresses, devices, sessions and identifiers are those of the devices' history, so that queries across tables find one world.
/// </summary>
internal sealed class DemoOffice
{
    private readonly Dictionary<DemoUser, DemoDevice> _devices;
    private readonly Dictionary<string, DateTime> _firstDays = new(StringComparer.Ordinal);

    public DemoOffice(DemoWorld world, DateTime begin, DateTime end)
    {
        World = world;
        Begin = begin;
        End = end;
        Places = Facts.Places.ToDictionary(place => place.Name, StringComparer.Ordinal);
        _devices = world.Devices.Where(device => device.User is not null).ToDictionary(device => device.User!);
        Intrusion = new DemoIntrusion(this);
    }

    public DemoWorld World { get; }

    public DateTime Begin { get; }

    public DateTime End { get; }

    public OfficeFacts Facts => World.Facts.Office;

    public IReadOnlyDictionary<string, PlaceFacts> Places { get; }

    /// <summary>Whether the attack happens.</summary>
    public bool TellsStories { get; init; } = true;

    /// <summary>The attack that comes by mail and goes through a mailbox.</summary>
    public DemoIntrusion Intrusion { get; }

    /// <summary>The administrator's everyday account.</summary>
    public DemoUser Administrator => World.Users.First(user => user.Department == "IT");

    /// <summary>Rows of every part; parts do not depend on each other, so they are made side by side.</summary>
    /// <param name="devices">Rows of the devices, which mail and directory refer to.</param>
    public IReadOnlyList<HuntingRow> Rows(IReadOnlyList<HuntingRow> devices)
    {
        if (devices.FirstOrDefault(row => row.Table.Name == "DeviceFileEvents" && row["FileName"] as string == Intrusion.Document) is { } document)
            Intrusion.Found((string)document["SHA256"]!, (long)document["FileSize"]!);
        (string Name, Action<DemoSheet> Write)[] parts =
        [
            ("certificates", sheet => new DemoCertificates(this, sheet).Write(devices)),
            ("sensors", sheet => new DemoSensorEvents(this, sheet).Write(devices)),
            ("mail", sheet => new DemoMail(this, sheet).Write(devices)),
            ("sign-ins", sheet => new DemoSignIns(this, sheet).Write()),
            ("identities", sheet => new DemoIdentities(this, sheet).Write()),
            ("directory", sheet => new DemoDirectory(this, sheet).Write(devices)),
            ("cloud-apps", sheet => new DemoCloudApps(this, sheet).Write()),
            ("administration", sheet => new DemoAdministration(this, sheet).Write()),
            ("teams", sheet => new DemoTeams(this, sheet).Write()),
            ("workloads", sheet => new DemoWorkloads(this, sheet).Write()),
            ("agents", sheet => new DemoAgents(this, sheet).Write()),
            ("data-security", sheet => new DemoDataSecurity(this, sheet).Write(devices)),
            ("exposure", sheet => new DemoExposure(this, sheet).Write()),
            ("intrusion", sheet =>
            {
                if (TellsStories) Intrusion.Write(sheet);
            }),
        ];
        var sheets = parts.Select(part => new DemoSheet(World, part.Name, Begin, End)).ToArray();
        Parallel.For(0, parts.Length, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount) }, index => parts[index].Write(sheets[index]));
        return [.. sheets.SelectMany(sheet => sheet.Rows)];
    }

    /// <summary>The days of the history, or its last ones.</summary>
    public IEnumerable<DateTime> Days(int last = DemoGenerator.Days + 1) =>
        Enumerable.Range(0, (int)(End.Date - Begin.Date).TotalDays + 1).Select(day => Begin.Date.AddDays(day)).Where(day => day > End.Date.AddDays(-last));

    public static bool IsWeekend(DateTime day) => day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;

    /// <summary>The device that a person works at; null for people without one of their own.</summary>
    public DemoDevice? DeviceOf(DemoUser user) => _devices.GetValueOrDefault(user);

    /// <summary>A moment of a working day.</summary>
    public static DateTime WorkTime(DateTime day, Random random) => day.AddHours(7.5 + random.NextDouble() * 9.3);

    /// <summary>An address of a person at a place.</summary>
    public string AddressAt(string place, DemoUser? user, Random random) => Places[place].Addresses
        .Replace("{user}", (10 + IndexOf(user) % 200).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("{any}", random.Next(2, 250).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <summary>The session under which a person's browser or apps were signed in on a day, the same in sign-ins and in what the session does.</summary>
    public string Session(DemoUser user, DateTime day) => World.GuidFor(string.Create(CultureInfo.InvariantCulture, $"session/{user.Account.Name}/{day:yyyyMMdd}")).ToString();

    /// <summary>Fills numbers and random letters into a text.</summary>
    public static string Fill(string template, Random random) => template
        .Replace("{n}", random.Next(1000, 9999).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("{hex}", random.NextInt64().ToString("x16", CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <summary>The day on which something of that name began, somewhere in the two years before the history.</summary>
    public DateTime Since(string name)
    {
        lock (_firstDays)
        {
            if (!_firstDays.TryGetValue(name, out var day)) _firstDays[name] = day = Begin.Date.AddDays(-30 - World.RandomFor("since/" + name).Next(700)).AddHours(9.25);
            return day;
        }
    }

    private int IndexOf(DemoUser? user)
    {
        for (var index = 0; index < World.Users.Count; index++)
            if (World.Users[index] == user) return index;
        return 0;
    }
}
