using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Vedette.Defender.State;

/// <summary>
/// The domain's state in the schema <c>defender</c>. Every entity belongs to a tenant: queries must name it. Columns are the properties' names
/// in snake case, enums are stored by name, lists of records as JSON.
/// </summary>
public sealed class DefenderDbContext(DbContextOptions<DefenderDbContext> options) : DbContext(options)
{
    /// <summary>The schema's name.</summary>
    public const string Schema = "defender";

    /// <summary>How lists of records are written.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Devices.</summary>
    public DbSet<Machine> Machines => Set<Machine>();

    /// <summary>Log-ons by device and account.</summary>
    public DbSet<LogonUser> LogonUsers => Set<LogonUser>();

    /// <summary>Device groups.</summary>
    public DbSet<DeviceGroup> DeviceGroups => Set<DeviceGroup>();

    /// <summary>Alerts.</summary>
    public DbSet<Alert> Alerts => Set<Alert>();

    /// <summary>Evidence of alerts.</summary>
    public DbSet<AlertEvidence> Evidence => Set<AlertEvidence>();

    /// <summary>Incidents.</summary>
    public DbSet<Incident> Incidents => Set<Incident>();

    /// <summary>Investigations.</summary>
    public DbSet<Investigation> Investigations => Set<Investigation>();

    /// <summary>Machine actions.</summary>
    public DbSet<MachineAction> MachineActions => Set<MachineAction>();

    /// <summary>Indicators.</summary>
    public DbSet<Indicator> Indicators => Set<Indicator>();

    /// <summary>Rows on their way into telemetry.</summary>
    public DbSet<OutboxEntry> Outbox => Set<OutboxEntry>();

    /// <summary>Progress of imports.</summary>
    public DbSet<ImportJournalEntry> ImportJournal => Set<ImportJournalEntry>();

    /// <summary>Settings of tenants.</summary>
    public DbSet<TenantSettings> TenantSettings => Set<TenantSettings>();

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configuration)
    {
        configuration.Properties<Enum>().HaveConversion<string>();
        configuration.Properties<DateTime>().HaveColumnType("timestamptz");
    }

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder model)
    {
        model.HasDefaultSchema(Schema);
        model.Entity<Machine>(machine =>
        {
            machine.HasKey(m => new { m.TenantId, m.Id });
            machine.Property(m => m.IpAddresses).AsJson();
            machine.Property(m => m.VmMetadata).AsJson();
        });
        model.Entity<LogonUser>().HasKey(u => new { u.TenantId, u.MachineId, u.AccountDomain, u.AccountName });
        model.Entity<DeviceGroup>().HasKey(g => new { g.TenantId, g.Id });
        model.Entity<Alert>(alert =>
        {
            alert.HasKey(a => new { a.TenantId, a.Id });
            alert.Property(a => a.RelatedUser).AsJson();
            alert.Property(a => a.LoggedOnUsers).AsJson();
            alert.Property(a => a.CustomDetails).AsJson();
            alert.Property(a => a.AdditionalData).HasColumnType("jsonb");
            alert.Property(a => a.Comments).AsJson();
            alert.HasMany(a => a.Evidence).WithOne().HasForeignKey(e => new { e.TenantId, e.AlertId });
        });
        model.Entity<AlertEvidence>(evidence =>
        {
            evidence.ToTable("alert_evidence").Property(e => e.Id).UseIdentityAlwaysColumn();
            evidence.Property(e => e.Details).HasColumnType("jsonb");
        });
        model.Entity<Incident>(incident =>
        {
            incident.Property(i => i.Id).UseIdentityByDefaultColumn();
            incident.Property(i => i.Comments).AsJson();
        });
        model.Entity<Investigation>().Property(i => i.Id).UseIdentityByDefaultColumn();
        model.Entity<MachineAction>(action =>
        {
            action.Property(a => a.Sequence).UseIdentityAlwaysColumn();
            action.Property(a => a.Commands).AsJson();
        });
        model.Entity<Indicator>(indicator =>
        {
            indicator.Property(i => i.Id).UseIdentityByDefaultColumn();
            indicator.Property(i => i.Graph).HasColumnType("jsonb");
        });
        model.Entity<OutboxEntry>(entry =>
        {
            entry.ToTable("outbox");
            entry.Property(e => e.Id).UseIdentityAlwaysColumn();
        });
        model.Entity<ImportJournalEntry>().ToTable("import_journal").HasKey(e => new { e.TenantId, e.ContentHash });
        model.Entity<TenantSettings>(settings =>
        {
            settings.HasKey(s => s.TenantId);
            settings.Property(s => s.ActionTiming).AsJson();
        });

        foreach (var entity in model.Model.GetEntityTypes())
        {
            entity.SetTableName(SnakeCase(entity.GetTableName()!));
            foreach (var property in entity.GetProperties()) property.SetColumnName(SnakeCase(property.Name));
        }
    }

    private static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        for (var at = 0; at < name.Length; at++)
        {
            if (at > 0 && char.IsUpper(name[at]) && !char.IsUpper(name[at - 1]) && name[at - 1] != '_') text.Append('_');
            text.Append(char.ToLowerInvariant(name[at]));
        }

        return text.ToString();
    }
}

/// <summary>Mapping of records and lists of records to JSON columns.</summary>
internal static class JsonMapping
{
    internal static void AsJson<T>(this Microsoft.EntityFrameworkCore.Metadata.Builders.PropertyBuilder<T> property)
    {
        property.HasColumnType("jsonb");
        property.HasConversion(
            new ValueConverter<T, string>(
                value => JsonSerializer.Serialize(value, DefenderDbContext.Json),
                text => JsonSerializer.Deserialize<T>(text, DefenderDbContext.Json)!),
            new ValueComparer<T>(
                (one, other) => JsonSerializer.Serialize(one, DefenderDbContext.Json) == JsonSerializer.Serialize(other, DefenderDbContext.Json),
                value => JsonSerializer.Serialize(value, DefenderDbContext.Json).GetHashCode(StringComparison.Ordinal),
                value => JsonSerializer.Deserialize<T>(JsonSerializer.Serialize(value, DefenderDbContext.Json), DefenderDbContext.Json)!));
    }
}
