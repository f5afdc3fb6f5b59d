using System.Globalization;
using System.Text.RegularExpressions;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Demo;

/// <summary>
/// One device through the days: plays activities, keeps the processes that are alive, gives process and log-on numbers, and writes the event
/// rows that a sensor would have sent.
/// </summary>
internal sealed partial class DemoDeviceLife
{
    private readonly DemoWorld _world;
    private readonly DemoRows _rows;
    private readonly Dictionary<string, DemoProcess> _kept = new(StringComparer.Ordinal);
    private long _nextProcess = 400;
    private long _nextLogon = 0x3E7 + 5000;
    private long _session;

    public DemoDeviceLife(DemoWorld world, DemoDevice device, ICollection<HuntingRow> rows)
    {
        _world = world;
        Device = device;
        _rows = new DemoRows(device, rows);
    }

    public DemoDevice Device { get; }

    public DemoRows Rows => _rows;

    /// <summary>Whether any process is alive.</summary>
    public bool IsUp => _kept.Count > 0;

    /// <summary>Forgets all processes, as a restart does.</summary>
    public void PowerOff() => _kept.Clear();

    /// <summary>Plays steps from a time on.</summary>
    /// <param name="steps">What happens.</param>
    /// <param name="start">When it begins.</param>
    /// <param name="random">What chance decides.</param>
    /// <param name="user">The person at the device.</param>
    /// <param name="actor">The account that acts when a step names none; null means the person.</param>
    /// <param name="exact">Whether waits last as long as written rather than a random part of it, so that devices can act in concert.</param>
    public void Play(IReadOnlyList<ActivityStep> steps, DateTime start, Random random, DemoUser? user, DemoAccount? actor = null, bool exact = false)
    {
        var scene = new Scene(random, user, actor, Document(random), start);
        var time = start;
        foreach (var step in steps)
        {
            if (step.Chance is { } chance && random.NextDouble() >= chance) continue;
            if (step.Only is { } role && !Device.Has(role)) continue;
            if (step.Requires is { } needed && Find(scene, needed) is null) continue;
            var times = Repetitions(step.Repeat, random);
            for (var turn = 0; turn < times; turn++)
            {
                if (turn > 0) scene.Document = Document(random);
                time += Wait(step.After, exact ? null : random);
                Perform(step, time, scene);
            }
        }
    }

    private void Perform(ActivityStep step, DateTime time, Scene scene)
    {
        var by = step.By is { Length: > 0 } name ? Find(scene, name) : null;
        if (step.By is { Length: > 0 } && by is null) return;
        if (step.Start is { } program) Start(step, program, time, scene);
        else if (step.Connect is { } endpoints) Connect(endpoints, time, by, scene.Random);
        else if (step.Accept is { } from) Accept(from, step.Port ?? 0, time, by, scene.Random);
        else if (step.File is { } file) TouchFile(step, file, time, by, scene);
        else if (step.Registry is { } key) SetRegistry(step, key, time, by, scene);
        else if (step.Image is { } library) LoadImage(library, time, by, scene);
        else if (step.Event is { } action) Event(step, action, time, by, scene);
        else if (step.Logon is { } type) LogOn(step, type, time, by, scene);
    }

    private void Start(ActivityStep step, string program, DateTime time, Scene scene)
    {
        var account = scene.Actor is { } actor && step.Account is null ? actor : _world.Account(step.Account ?? "user", Device, scene.User, scene.Random);
        var image = Image(program, account.Name, scene);
        var parent = step.Parent is { Length: > 0 } name ? Find(scene, name) : null;
        var service = !account.Sid.StartsWith("S-1-5-21", StringComparison.Ordinal);
        var process = new DemoProcess
        {
            Image = image,
            Id = _nextProcess += Device.IsWindows ? 4 * (1 + scene.Random.Next(40)) : 1 + scene.Random.Next(30),
            Created = time,
            CommandLine = Expand(step.Command ?? "{path}", scene, account, image.Path),
            Account = account,
            Parent = parent,
            Integrity = !Device.IsWindows ? "" : service ? "System" : step.Elevated ? "High" : "Medium",
            Elevation = !Device.IsWindows ? "" : service || !step.Elevated ? "TokenElevationTypeDefault" : "TokenElevationTypeFull",
            LogonId = service ? 0x3E7 : account == scene.Actor && scene.Logon is { } remote ? remote : _session,
        };
        scene.Local[step.As ?? "it"] = process;
        if (step.Keep && step.As is { } kept) _kept[kept] = process;
        var row = _rows.Begin("DeviceProcessEvents", time, "ProcessCreated");
        DemoRows.PutCreated(row, process);
        DemoRows.PutInitiating(row, parent);
        if (Device.IsWindows && parent is { Image.Company: "Microsoft Corporation" })
        {
            DemoRows.Put(row, "InitiatingProcessSignerType", "OsVendor");
            DemoRows.Put(row, "InitiatingProcessSignatureStatus", "Valid");
        }
    }

    private void Connect(string endpoints, DateTime time, DemoProcess? by, Random random)
    {
        var choices = endpoints.Split('|');
        var endpoint = _world.Facts.Software.Endpoints[choices[random.Next(choices.Length)]];
        var target = endpoint.Device is { } name ? _world.ByName[name] : null;
        var row = _rows.Begin("DeviceNetworkEvents", time, "ConnectionSuccess");
        DemoRows.Put(row, "RemoteIP", target?.Ip ?? endpoint.Ips![random.Next(endpoint.Ips.Length)]);
        DemoRows.Put(row, "RemotePort", (long)endpoint.Port);
        DemoRows.Put(row, "RemoteUrl", target?.DnsName ?? endpoint.Url ?? "");
        DemoRows.Put(row, "RemoteIPType", target is null ? "Public" : "Private");
        PutLocal(row, 49152 + random.Next(16000));
        DemoRows.PutInitiating(row, by);
    }

    private void Accept(string from, int port, DateTime time, DemoProcess? by, Random random)
    {
        var remote = Remote(from, random);
        var row = _rows.Begin("DeviceNetworkEvents", time, "InboundConnectionAccepted");
        DemoRows.Put(row, "RemoteIP", remote.Address);
        DemoRows.Put(row, "RemotePort", 49152L + random.Next(16000));
        DemoRows.Put(row, "RemoteIPType", remote.Device is null ? "Public" : "Private");
        PutLocal(row, port);
        DemoRows.PutInitiating(row, by);
    }

    private void PutLocal(HuntingRow row, int port)
    {
        DemoRows.Put(row, "LocalIP", Device.Ip);
        DemoRows.Put(row, "LocalPort", (long)port);
        DemoRows.Put(row, "LocalIPType", "Private");
        DemoRows.Put(row, "Protocol", "Tcp");
    }

    private (string Address, DemoDevice? Device) Remote(string from, Random random)
    {
        if (from == "internet") return ($"{random.Next(31, 109)}.{random.Next(256)}.{random.Next(256)}.{random.Next(1, 255)}", null);
        if (_world.ByName.TryGetValue(from, out var named)) return (named.Ip, named);
        if (char.IsAsciiDigit(from[0])) return (from, null);
        var candidates = from switch
        {
            "admin" => _world.Devices.Where(d => d.Department == "IT" && d.Has("client")),
            "linux" => _world.Devices.Where(d => d.Has("web") || d.Has("app") && d.Has("linux")),
            _ => _world.Devices.Where(d => d.Has(from)),
        };
        var devices = candidates.ToArray();
        var device = devices[random.Next(devices.Length)];
        return (device.Ip, device);
    }

    private void TouchFile(ActivityStep step, string file, DateTime time, DemoProcess? by, Scene scene)
    {
        var path = Expand(file, scene, by?.Account);
        var row = _rows.Begin("DeviceFileEvents", time, step.Action);
        DemoRows.PutFile(row, path, DemoHashes.Of($"{path}/{time.Ticks}"), 800 + scene.Random.Next(900_000));
        if (step.Previous is { } previous)
        {
            var cut = path.LastIndexOfAny(['\\', '/']);
            DemoRows.Put(row, "PreviousFileName", Expand(previous, scene, by?.Account));
            DemoRows.Put(row, "PreviousFolderPath", path[..cut]);
        }

        if (step.Origin is { } origin) DemoRows.Put(row, "FileOriginUrl", origin);
        if (step.Share is { } share)
        {
            var user = _world.Users[scene.Random.Next(_world.Users.Count)].Account;
            DemoRows.Put(row, "ShareName", share);
            DemoRows.Put(row, "RequestProtocol", "SMB");
            DemoRows.Put(row, "RequestSourceIP", Remote("client", scene.Random).Address);
            DemoRows.Put(row, "RequestSourcePort", 49152L + scene.Random.Next(16000));
            DemoRows.PutAccount(row, "RequestAccount", user);
        }

        DemoRows.PutInitiating(row, by);
    }

    private void SetRegistry(ActivityStep step, string key, DateTime time, DemoProcess? by, Scene scene)
    {
        var row = _rows.Begin("DeviceRegistryEvents", time, "RegistryValueSet");
        DemoRows.Put(row, "RegistryKey", Expand(key, scene, by?.Account));
        DemoRows.Put(row, "RegistryValueName", Expand(step.ValueName ?? "", scene, by?.Account));
        DemoRows.Put(row, "RegistryValueData", Expand(step.Data ?? "", scene, by?.Account));
        DemoRows.Put(row, "RegistryValueType", "String");
        DemoRows.PutInitiating(row, by);
    }

    private void LoadImage(string library, DateTime time, DemoProcess? by, Scene scene)
    {
        var image = Image(library, by?.Account.Name ?? "", scene);
        var row = _rows.Begin("DeviceImageLoadEvents", time, "ImageLoaded");
        DemoRows.PutFile(row, image.Path, image.Hashes, image.Size);
        DemoRows.PutInitiating(row, by);
    }

    private void Event(ActivityStep step, string action, DateTime time, DemoProcess? by, Scene scene)
    {
        var row = _rows.Begin("DeviceEvents", time, action);
        foreach (var (column, value) in step.Fields ?? []) DemoRows.Put(row, column, Expand(value, scene, scene.Actor ?? scene.User?.Account));
        if (by is not null)
        {
            DemoRows.PutInitiating(row, by);
        }
        else if (scene.Actor is { } actor)
        {
            DemoRows.PutAccount(row, "InitiatingProcessAccount", actor);
            if (scene.Logon is { } logon) DemoRows.Put(row, "InitiatingProcessLogonId", logon);
        }
    }

    private void LogOn(ActivityStep step, string type, DateTime time, DemoProcess? by, Scene scene)
    {
        var account = scene.Actor is { } actor && step.Account is "user" ? actor : _world.Account(step.Account ?? "user", Device, scene.User, scene.Random);
        var logon = ++_nextLogon;
        if (type == "Interactive") _session = logon;
        if (account == scene.Actor) scene.Logon = logon;
        var row = _rows.Begin("DeviceLogonEvents", time, step.Result ?? "LogonSuccess");
        DemoRows.Put(row, "LogonType", type);
        DemoRows.PutAccount(row, "Account", account);
        DemoRows.Put(row, "LogonId", logon);
        DemoRows.Put(row, "Protocol", step.Protocol ?? "");
        DemoRows.Put(row, "IsLocalAdmin", account == _world.DomainAdmin);
        if (step.Result == "LogonFailed") DemoRows.Put(row, "FailureReason", "InvalidUserNameOrPassword");
        if (step.From is { } from)
        {
            var remote = Remote(from, scene.Random);
            DemoRows.Put(row, "RemoteIP", remote.Address);
            DemoRows.Put(row, "RemoteIPType", remote.Device is null ? "Public" : "Private");
            DemoRows.Put(row, "RemotePort", 49152L + scene.Random.Next(16000));
            if (remote.Device is { } source) DemoRows.Put(row, "RemoteDeviceName", source.DnsName);
        }

        DemoRows.PutInitiating(row, by);
    }

    private DemoProcess? Find(Scene scene, string name) => scene.Local.GetValueOrDefault(name) ?? _kept.GetValueOrDefault(name);

    private DemoImage Image(string program, string userName, Scene scene)
    {
        var facts = _world.Facts.Software.Programs[program];
        var folder = Expand(facts.Folder, scene, null, userName: userName);
        var windows = Device.IsWindows;
        var path = folder + (windows ? "\\" : "/") + facts.File;
        var version = facts.Version ?? (windows && facts.Company is null ? "10.0." + Device.System.Revision : "");
        // A system file differs between releases of the system; other programs are the same file everywhere.
        return new DemoImage(
            facts.File, path, DemoHashes.OfProgram($"{program}/{version}/{(windows ? "windows" : Device.System.Platform)}"), facts.Size,
            facts.Company ?? (windows ? "Microsoft Corporation" : ""),
            facts.Product ?? (windows ? "Microsoft® Windows® Operating System" : ""), version, facts.Description ?? "");
    }

    private string Expand(string template, Scene scene, DemoAccount? account, string path = "", string? userName = null)
    {
        if (!template.Contains('{', StringComparison.Ordinal)) return template;
        account ??= scene.Actor ?? scene.User?.Account;
        var text = template;
        for (var pass = 0; pass < 2 && text.Contains('{', StringComparison.Ordinal); pass++)
        {
            text = Placeholder().Replace(text, match => match.Groups[1].Value switch
            {
                "path" => path,
                // A person's folders stay the person's, even when a service acts in them.
                "user" => userName ?? scene.User?.Account.Name ?? account?.Name ?? "Public",
                "upn" => scene.User?.Account.Upn ?? "",
                "sid" => scene.User?.Account.Sid ?? account?.Sid ?? "",
                "domainadmin" => _world.DomainAdmin.Name,
                "doc" => scene.Document,
                "dept" => _world.Facts.Organisation.Departments[scene.Random.Next(_world.Facts.Organisation.Departments.Length)].Name,
                "n" => scene.Random.Next(1000, 9999).ToString(CultureInfo.InvariantCulture),
                "hex8" => scene.Random.Next().ToString("x8", CultureInfo.InvariantCulture),
                "guid" => $"{scene.Random.Next():x8}-{scene.Random.Next(65536):x4}-4{scene.Random.Next(4096):x3}-8{scene.Random.Next(4096):x3}-{scene.Random.NextInt64(1L << 48):x12}",
                "date" => scene.Day,
                var name => _world.Facts.Software.Macros.GetValueOrDefault(name) ?? match.Value,
            });
        }

        return text;
    }

    private string Document(Random random)
    {
        var names = _world.Facts.Organisation.Documents;
        return string.Create(CultureInfo.InvariantCulture, $"{names[random.Next(names.Length)]} {random.Next(1, 400)}");
    }

    private static int Repetitions(string? range, Random random)
    {
        if (range is null) return 1;
        var parts = range.Split('-');
        return random.Next(int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture) + 1);
    }

    private static TimeSpan Wait(string? longest, Random? random) =>
        longest is null ? TimeSpan.Zero : ParseTime(longest) * (0.2 + 0.8 * (random?.NextDouble() ?? 1));

    /// <summary>Reads a time such as <c>4s</c>, <c>10m</c>, <c>5h</c> or <c>2d</c>.</summary>
    internal static TimeSpan ParseTime(string text)
    {
        var number = double.Parse(text.AsSpan(0, text.Length - 1), CultureInfo.InvariantCulture);
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            _ => TimeSpan.FromDays(number),
        };
    }

    [GeneratedRegex(@"\{([a-z][a-z0-9]*)\}")]
    private static partial Regex Placeholder();

    /// <summary>What one run through an activity shares.</summary>
    private sealed class Scene(Random random, DemoUser? user, DemoAccount? actor, string document, DateTime start)
    {
        public Random Random => random;

        public DemoUser? User => user;

        public DemoAccount? Actor => actor;

        public string Document { get; set; } = document;

        public string Day { get; } = start.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

        /// <summary>The log-on under which the actor acts, once there was one.</summary>
        public long? Logon { get; set; }

        public Dictionary<string, DemoProcess> Local { get; } = new(StringComparer.Ordinal);
    }
}
