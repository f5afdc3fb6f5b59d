using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vedette.Telemetry.Import;

namespace Vedette.Defender.Demo;

/// <summary>An account as event rows show it.</summary>
internal sealed record DemoAccount(string Domain, string Name, string Sid, string Upn, string ObjectId);

/// <summary>A person of the demo organisation.</summary>
internal sealed record DemoUser(DemoAccount Account, string GivenName, string Surname, string Department, string Title, string Role)
{
    public string DisplayName => $"{GivenName} {Surname}";
}

/// <summary>A device of the demo organisation.</summary>
internal sealed record DemoDevice(
    int Index, string Id, string ShortName, string DnsName, string KindName, KindFacts Kind, SystemFacts System, string Ip, string Mac, Guid AadId, string Department, DemoUser? User)
{
    public bool IsWindows => Kind.Roles.Contains("windows");

    public bool Has(string role) => Kind.Roles.Contains(role);
}

/// <summary>
/// The demo organisation: people, accounts and devices with their lasting identities. Everything follows from the tenant's id and the seed,
/// so two worlds with the same seed are the same.
/// </summary>
internal sealed class DemoWorld
{
    private static readonly DemoAccount System = new("NT AUTHORITY", "SYSTEM", "S-1-5-18", "", "");
    private static readonly DemoAccount LocalService = new("NT AUTHORITY", "LOCAL SERVICE", "S-1-5-19", "", "");
    private static readonly DemoAccount NetworkService = new("NT AUTHORITY", "NETWORK SERVICE", "S-1-5-20", "", "");

    private readonly Dictionary<string, DemoAccount> _accounts = new(StringComparer.OrdinalIgnoreCase);
    private readonly string _domainSid;

    private DemoWorld(Guid tenantId, int seed, DemoFacts facts)
    {
        TenantId = tenantId;
        Seed = seed;
        Facts = facts;
        var random = new Random(seed);
        _domainSid = string.Create(CultureInfo.InvariantCulture, $"S-1-5-21-{random.Next(1 << 28, int.MaxValue)}-{random.Next(1 << 28, int.MaxValue)}-{random.Next(1 << 28, int.MaxValue)}");
        Users = MakeUsers();
        DomainAdmin = AddAccount("adm." + Users.First(user => user.Department == "IT").Surname.ToLowerInvariant(), 512 + 2000);
        AddAccount("svc-sql", 2601);
        AddAccount("svc-web", 2602);
        Devices = MakeDevices();
        ByName = Devices.ToDictionary(device => device.ShortName, StringComparer.Ordinal);
    }

    public Guid TenantId { get; }

    public int Seed { get; }

    public DemoFacts Facts { get; }

    public IReadOnlyList<DemoUser> Users { get; }

    public IReadOnlyList<DemoDevice> Devices { get; }

    public IReadOnlyDictionary<string, DemoDevice> ByName { get; }

    /// <summary>An administrator's second account.</summary>
    public DemoAccount DomainAdmin { get; }

    /// <summary>The address that the organisation shows to the world.</summary>
    public string PublicIp => "192.0.2.200";

    public static DemoWorld Create(Guid tenantId, int seed) => new(tenantId, seed, DemoFacts.Load());

    /// <summary>An account by the words that activities use.</summary>
    public DemoAccount Account(string name, DemoDevice device, DemoUser? user, Random random) => name switch
    {
        "system" => System,
        "local" => LocalService,
        "network" => NetworkService,
        "user" => user?.Account ?? Account(device.IsWindows ? "system" : "root", device, null, random),
        "any" => Users[random.Next(Users.Count)].Account,
        _ when _accounts.TryGetValue(name, out var known) => known,
        _ => new DemoAccount(device.IsWindows ? Facts.Organisation.Netbios : device.ShortName, name, "", "", ""),
    };

    /// <summary>A GUID that follows from the tenant, the seed and a name.</summary>
    public Guid GuidFor(string name)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{TenantId:D}/{Seed}/{name}"), hash);
        hash[7] = (byte)((hash[7] & 0x0F) | 0x40);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16]);
    }

    /// <summary>A random sequence of its own for one purpose, so that no part of the world depends on the order of the others.</summary>
    public Random RandomFor(string purpose)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{Seed}/{purpose}"), hash);
        return new Random(BinaryPrimitives.ReadInt32LittleEndian(hash));
    }

    private List<DemoUser> MakeUsers()
    {
        var organisation = Facts.Organisation;
        var users = new List<DemoUser>();
        foreach (var department in organisation.Departments)
        {
            for (var person = 0; person < department.People; person++)
            {
                var number = users.Count;
                var given = organisation.GivenNames[number % organisation.GivenNames.Length];
                // A different stride makes pairs of names unique for 900 people.
                var surname = organisation.Surnames[(number * 7 + number / organisation.GivenNames.Length) % organisation.Surnames.Length];
                var account = AddAccount($"{given[0]}{surname}".ToLowerInvariant(), 1104 + number, $"{given}.{surname}".ToLowerInvariant());
                users.Add(new DemoUser(account, given, surname, department.Name, department.Titles[person % department.Titles.Length], department.Role));
            }
        }

        return users;
    }

    private DemoAccount AddAccount(string name, int relativeId, string? upnName = null)
    {
        while (_accounts.ContainsKey(name)) name += "2";
        var organisation = Facts.Organisation;
        return _accounts[name] = new DemoAccount(
            organisation.Netbios, name, $"{_domainSid}-{relativeId}", $"{upnName ?? name}@{organisation.Domain}", GuidFor("user/" + name).ToString());
    }

    private List<DemoDevice> MakeDevices()
    {
        var organisation = Facts.Organisation;
        var devices = new List<DemoDevice>();
        var free = Users.GroupBy(user => user.Department).ToDictionary(group => group.Key, group => new Queue<DemoUser>(group));
        foreach (var facts in organisation.Devices)
        {
            for (var number = 1; number <= facts.Count; number++)
            {
                var name = string.Format(CultureInfo.InvariantCulture, facts.Name, number);
                var dns = $"{name}.{organisation.Domain}";
                var kind = organisation.Kinds[facts.Kind];
                var index = devices.Count;
                devices.Add(new DemoDevice(
                    index, DeviceIdentity.FromHostName(TenantId, dns), name, dns, facts.Kind, kind, organisation.Systems[facts.Os],
                    $"{kind.Subnet}.{20 + index}", $"02{GuidFor("mac/" + name):N}"[..12].ToUpperInvariant(), GuidFor("device/" + name), facts.Department,
                    kind.Session is null ? null : free[facts.Department].Dequeue()));
            }
        }

        return devices;
    }
}
