using System.Globalization;
using System.Text.Json;
using Vedette.Defender.Demo.Office;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Demo;

/// <summary>Rows that are stored in one step. The same world and end always give the same batches.</summary>
/// <param name="Token">Names the batch for deduplication.</param>
/// <param name="Rows">The rows.</param>
internal sealed record DemoBatch(string Token, IReadOnlyList<HuntingRow> Rows);

/// <summary>
/// Thirty days of the demo organisation up to a given moment: ordinary noise in the rhythm of working hours, and the attack stories. No alert
/// is made here: alerts come from the detection rules.
/// </summary>
internal sealed class DemoGenerator(DemoWorld world, DateTime end)
{
    /// <summary>Days that the history covers.</summary>
    public const int Days = 30;

    private const int BatchRows = 40_000;

    /// <summary>Whether the attacks happen; without them the days are ordinary ones.</summary>
    public bool TellsStories { get; init; } = true;

    // The oldest day would be partly past the retention, so the history begins a little later than 30 days ago.
    private DateTime Begin => end.AddDays(-Days).AddHours(1);

    /// <summary>The history, device by device, cut into batches.</summary>
    public IReadOnlyList<DemoBatch> Generate()
    {
        var perDevice = new List<HuntingRow>[world.Devices.Count];
        Parallel.For(0, world.Devices.Count, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount) }, index => perDevice[index] = Device(world.Devices[index]));
        // Rows of one table together, in order of time, so that each batch touches few tables.
        var devices = perDevice.SelectMany(list => list).Where(row => Time(row) >= Begin && Time(row) <= end).ToList();
        var rows = devices.Concat(new DemoOffice(world, Begin, end) { TellsStories = TellsStories }.Rows(devices)).OrderBy(row => row.Table.Name, StringComparer.Ordinal).ThenBy(Time);
        return [.. rows.Chunk(BatchRows).Select((chunk, index) => new DemoBatch(
            string.Create(CultureInfo.InvariantCulture, $"demo/{world.Seed}/{end.Ticks}/{index}"), chunk))];
    }

    private static DateTime Time(HuntingRow row) => PhysicalTable.All[row.Table.Name].TimeColumn is { } column ? (DateTime)row[column]! : default;

    private List<HuntingRow> Device(DemoDevice device)
    {
        var rows = new List<HuntingRow>(4000);
        var life = new DemoDeviceLife(world, device, rows);
        var scenes = Stories(device);
        for (var day = Begin.Date; day <= end.Date; day = day.AddDays(1))
        {
            var random = world.RandomFor(string.Create(CultureInfo.InvariantCulture, $"{device.ShortName}/{day:yyyyMMdd}"));
            var today = scenes.Where(scene => scene.Start.Date == day).ToList();
            Day(life, day, random, today);
            foreach (var scene in today) Tell(life, scene);
        }

        return rows;
    }

    private void Day(DemoDeviceLife life, DateTime day, Random random, List<StoryScene> scenes)
    {
        var device = life.Device;
        var facts = world.Facts;
        var first = day == Begin.Date;
        // Notebooks sleep at night and restart now and then; servers are restarted on the second Sunday of a month.
        var restarts = first || (device.Kind.Session is not null ? !life.IsUp || random.NextDouble() < 0.2 : day.DayOfWeek == DayOfWeek.Sunday && day.Day is > 7 and <= 14);
        var weekend = day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
        var person = device.Kind.Session is not null;
        var present = !person || (weekend ? random.NextDouble() < 0.12 : random.NextDouble() < 0.93);
        if (!present && scenes.Count == 0) return;

        var on = day.AddHours(person ? 7.4 + random.NextDouble() * 1.6 : 0.05);
        var off = person ? day.AddHours(16 + random.NextDouble() * 2.2) : day.AddHours(23.9);
        // Whoever acts at night has switched the device on before.
        if (scenes.Count > 0 && scenes[0].Start.AddMinutes(-20) < on) on = Later(day.AddMinutes(4), scenes[0].Start.AddMinutes(-20));
        if (restarts) life.PowerOff();
        if (restarts)
            life.Play(facts.Activities[device.Kind.Boot].Steps, person ? on.AddMinutes(-3) : day.AddHours(0.02), random, device.User);
        Snapshot(life, on.AddMinutes(random.Next(30)), random);
        if (device.Kind.Session is { } session) life.Play(facts.Activities[session].Steps, on, random, device.User);

        var foreground = weekend ? device.Kind.Foreground / 3 : device.Kind.Foreground;
        var background = weekend ? device.Kind.Weekend : device.Kind.Background;
        foreach (var (activity, time) in Plan(device, on, off, Around(foreground, random), Around(background, random), random).OrderBy(entry => entry.Time))
            life.Play(activity.Steps, time, random, device.User);
    }

    private static DateTime Later(DateTime one, DateTime other) => one > other ? one : other;

    private static int Around(int count, Random random) => (int)Math.Round(count * (0.7 + 0.6 * random.NextDouble()));

    private List<(Activity Activity, DateTime Time)> Plan(DemoDevice device, DateTime on, DateTime off, int foreground, int background, Random random)
    {
        var plan = new List<(Activity, DateTime)>(foreground + background);
        var length = off - on;
        foreach (var (when, count) in new[] { ("foreground", foreground), ("background", background) })
        {
            var choices = world.Facts.Activities.Values
                .Where(a => a.When == when && a.Roles.Any(device.Has) && (a.Departments.Length == 0 || a.Departments.Contains(device.Department))).ToArray();
            var total = choices.Sum(choice => choice.Weight);
            for (var number = 0; number < count; number++)
            {
                var ticket = random.Next(total);
                var chosen = choices.First(choice => (ticket -= choice.Weight) < 0);
                plan.Add((chosen, on + length * Moment(device, when, random)));
            }
        }

        return plan;
    }

    // People pause at noon; servers are busier while people work.
    private static double Moment(DemoDevice device, string when, Random random)
    {
        var moment = random.NextDouble();
        if (when == "foreground") return moment is > 0.46 and < 0.56 && random.NextDouble() < 0.7 ? random.NextDouble() * 0.45 : 0.02 + moment * 0.96;
        return device.Kind.Session is null && random.NextDouble() < 0.55 ? 0.31 + moment * 0.42 : moment;
    }

    private void Snapshot(DemoDeviceLife life, DateTime time, Random random)
    {
        var device = life.Device;
        var system = device.System;
        var row = life.Rows.Begin("DeviceInfo", time, null);
        (string Column, object Value)[] values =
        [
            ("ClientVersion", system.Client), ("PublicIP", world.PublicIp), ("OSArchitecture", "64-bit"), ("OSPlatform", system.Platform),
            ("OSBuild", system.Build), ("OSVersion", system.Version), ("OSVersionInfo", system.VersionInfo), ("OSDistribution", system.Distribution ?? ""),
            ("IsAzureADJoined", device.IsWindows && device.User is not null), ("JoinType", device.User is not null && device.IsWindows ? "Hybrid Azure AD Join" : ""),
            ("AadDeviceId", device.AadId.ToString()), ("MachineGroup", system.Group), ("OnboardingStatus", "Onboarded"),
            ("DeviceCategory", system.Category), ("DeviceType", system.Type), ("Vendor", system.Vendor), ("Model", system.Model),
            ("SensorHealthState", "Active"), ("ExposureLevel", device.Has("web") ? "High" : device.Index % 3 == 0 ? "Medium" : "Low"),
            ("DeviceSubtype", device.System.Type), ("HardwareUuid", world.GuidFor("hardware/" + device.ShortName).ToString()), ("OsBuildRevision", device.System.Revision.Split('.')[^1]), ("IsTransient", false),
            ("RegistryDeviceTag", device.Has("web") ? "Internet facing" : ""), ("DeviceManualTags", device.Has("dc") ? "[\"Tier 0\"]" : "[]"), ("DeviceDynamicTags", device.Has("web") ? "[\"Internet facing\"]" : "[]"),
            ("DiscoverySources", "[\"MDE\"]"), ("DeviceRoles", device.Has("dc") ? "[\"DomainController\"]" : "[]"), ("Site", world.Facts.Organisation.City), ("MitigationStatus", "{}"), ("AdditionalFields", "{}"),
            ("IsInternetFacing", device.Has("web")), ("IsExcluded", false), ("AssetValue", device.Has("dc") ? "High" : "Normal"), ("ConnectivityType", "Direct"),
            ("LoggedOnUsers", device.User is { } user
                ? JsonSerializer.Serialize(new[] { new { UserName = user.Account.Name, DomainName = user.Account.Domain, user.Account.Sid } })
                : "[]"),
        ];
        foreach (var (column, value) in values) DemoRows.Put(row, column, value);

        var network = life.Rows.Begin("DeviceNetworkInfo", time.AddSeconds(random.Next(1, 20)), null);
        var gateway = device.Kind.Subnet + ".1";
        (string Column, object Value)[] adapter =
        [
            ("NetworkAdapterName", device.IsWindows ? $"{{{device.AadId.ToString().ToUpperInvariant()}}}" : "ens18"), ("MacAddress", device.Mac), ("NetworkAdapterType", "Ethernet"),
            ("NetworkAdapterStatus", "Up"), ("TunnelType", "None"), ("NetworkAdapterVendor", "Intel(R) Ethernet"), ("OnboardingStatus", "Onboarded"),
            ("DnsAddresses", JsonSerializer.Serialize(new[] { world.ByName["srv-dc01"].Ip })), ("DefaultGateways", JsonSerializer.Serialize(new[] { gateway })),
            ("IPv4Dhcp", device.User is null ? "" : gateway),
            ("IPAddresses", JsonSerializer.Serialize(new[] { new { IPAddress = device.Ip, SubnetPrefix = 24, AddressType = "Private" } })),
            ("ConnectedNetworks", JsonSerializer.Serialize(new[] { new { Name = world.Facts.Organisation.Domain, Description = world.Facts.Organisation.Domain, IsConnectedToInternet = true, Category = "DomainAuthenticated" } })),
            ("NetworkAdapterDnsSuffix", world.Facts.Organisation.Domain),
        ];
        foreach (var (column, value) in adapter) DemoRows.Put(network, column, value);
    }

    /// <summary>The scenes of all stories that happen on a device, with the times they begin.</summary>
    private List<StoryScene> Stories(DemoDevice device)
    {
        var result = new List<StoryScene>();
        if (!TellsStories) return result;
        foreach (var story in world.Facts.Stories)
        {
            foreach (var (index, time, steps) in Scenes(story, end))
            {
                var step = story.Steps[index];
                if (step.On == device.ShortName)
                    result.Add(new StoryScene(time, steps, step.User is null ? null : world.DomainAdmin, world.RandomFor($"story/{story.Name}/{index}"), step.Account));
            }
        }

        return result;
    }

    /// <summary>When a scene of a story begins.</summary>
    internal static DateTime SceneTime(Story story, int scene, DateTime end) => Scenes(story, end).ElementAt(scene).Time;

    // Waits in stories are exact, so the end of each scene is known and the next may follow it on another device.
    private static IEnumerable<(int Index, DateTime Time, ActivityStep[] Steps)> Scenes(Story story, DateTime end)
    {
        var time = end;
        for (var index = 0; index < story.Steps.Length; index++)
        {
            if (story.Steps[index].At is not { } at) continue;
            var steps = story.Steps.Skip(index + 1).TakeWhile(next => next.At is null).ToArray();
            time = At(at, time, end);
            yield return (index, time, steps);
            time += Length(steps);
        }
    }

    private static TimeSpan Length(IEnumerable<ActivityStep> steps) => steps.Aggregate(TimeSpan.Zero, (sum, step) =>
        sum + (step.After is null ? TimeSpan.Zero : DemoDeviceLife.ParseTime(step.After) * int.Parse(step.Repeat?.Split('-')[1] ?? "1", CultureInfo.InvariantCulture)));

    private static DateTime At(string text, DateTime previous, DateTime end)
    {
        if (text[0] == '+') return previous + DemoDeviceLife.ParseTime(text[1..]);
        if (text[0] == '-') return end - DemoDeviceLife.ParseTime(text[1..]);
        // "workday-3 10:12": that time of the last working day that lies at least three days back.
        var parts = text.Split(' ');
        var day = end.Date.AddDays(-int.Parse(parts[0].Split('-')[1], CultureInfo.InvariantCulture));
        while (day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday) day = day.AddDays(-1);
        return day + TimeSpan.Parse(parts[1], CultureInfo.InvariantCulture);
    }

    private static void Tell(DemoDeviceLife life, StoryScene scene)
    {
        var actor = scene.Actor ?? (scene.Account is { } name ? new DemoAccount(life.Device.ShortName, name, "", "", "") : null);
        life.Play(scene.Steps, scene.Start, scene.Random, life.Device.User, actor, exact: true);
    }

    private sealed record StoryScene(DateTime Start, ActivityStep[] Steps, DemoAccount? Actor, Random Random, string? Account);
}
