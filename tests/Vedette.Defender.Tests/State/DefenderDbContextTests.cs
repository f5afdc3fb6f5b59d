using Microsoft.EntityFrameworkCore;
using Vedette.Defender.State;
using Vedette.Testing;

namespace Vedette.Defender.Tests.State;

public sealed class DefenderDbContextTests
{
    private static readonly Guid Tenant = Guid.Parse("11111111-2222-4333-8444-555555555555");

    [Fact]
    public async Task Every_column_of_the_model_exists_with_its_nullability_and_no_other()
    {
        await using var database = await TestPostgres.CreateAsync(DefenderState.Migrations);
        await using var state = Open(database);
        var columns = new HashSet<string>(StringComparer.Ordinal);

        // Which transaction changed a row last is written by the database itself.
        await using (var command = database.DataSource.CreateCommand(
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'defender' AND is_generated = 'NEVER' AND column_name <> 'changed_in'"))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync()) columns.Add($"{reader.GetString(0)}.{reader.GetString(1)} {reader.GetString(2)}");
        }

        var mapped = state.Model.GetEntityTypes()
            .SelectMany(e => e.GetProperties().Select(p => $"{e.GetTableName()}.{p.GetColumnName()} {(p.IsNullable ? "YES" : "NO")}"))
            .ToHashSet(StringComparer.Ordinal);
        var tables = state.Model.GetEntityTypes().Select(e => e.GetTableName()).ToHashSet();
        mapped.Except(columns).ShouldBeEmpty();
        columns.Where(c => tables.Contains(c.Split('.')[0])).Except(mapped).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_written_is_read_back()
    {
        await using var database = await TestPostgres.CreateAsync(DefenderState.Migrations);
        var now = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        await using (var state = Open(database))
        {
            state.Machines.Add(new Machine
            {
                TenantId = Tenant,
                Id = new string('a', 40),
                ComputerDnsName = "pc-1.example.test",
                FirstSeen = now,
                LastSeen = now,
                MachineTags = ["lab", "two words"],
                IpAddresses = [new MachineIpAddress("192.0.2.1", "02AABBCCDD01", "Ethernet", "Up")],
                RiskScore = RiskScore.High,
            });
            state.Alerts.Add(new Alert
            {
                TenantId = Tenant,
                Id = "da1_2",
                Title = "T",
                AlertCreationTime = now,
                FirstEventTime = now,
                LastEventTime = now,
                LastUpdateTime = now,
                MachineId = new string('a', 40),
                Comments = [new AlertComment("seen", "me", now)],
                RelatedUser = new RelatedUser("dana", "EXAMPLE"),
                Evidence = { new AlertEvidence { TenantId = Tenant, AlertId = "da1_2", EntityType = EvidenceKind.Ip, IpAddress = "192.0.2.7", EvidenceCreationTime = now } },
            });
            state.MachineActions.Add(new MachineAction
            {
                TenantId = Tenant,
                Id = Guid.NewGuid(),
                Type = MachineActionType.LiveResponse,
                MachineId = new string('a', 40),
                Commands = [new LiveResponseCommandStatus { Command = new LiveResponseCommand("RunScript", [new LiveResponseParameter("ScriptName", "a.ps1")]) }],
            });
            state.TenantSettings.Add(new TenantSettings { TenantId = Tenant, ActionTiming = ActionTiming.AtOnce });
            state.Incidents.Add(new Incident { TenantId = Tenant, Name = "I", Tags = ["t"] });
            await state.SaveChangesAsync();
        }

        await using (var state = Open(database))
        {
            var machine = await state.Machines.AsNoTracking().SingleAsync(m => m.TenantId == Tenant && m.RiskScore == RiskScore.High && m.MachineTags.Contains("two words"));
            machine.IpAddresses.ShouldBe([new MachineIpAddress("192.0.2.1", "02AABBCCDD01", "Ethernet", "Up")]);
            machine.FirstSeen.ShouldBe(now);
            machine.VmMetadata.ShouldBeNull();
            var alert = await state.Alerts.AsNoTracking().Include(a => a.Evidence).SingleAsync();
            alert.RelatedUser.ShouldBe(new RelatedUser("dana", "EXAMPLE"));
            alert.Comments.Single().CreatedTime.ShouldBe(now);
            alert.Evidence.Single().IpAddress.ShouldBe("192.0.2.7");
            (await state.MachineActions.AsNoTracking().SingleAsync()).Commands.Single().Command.Params.Single().Value.ShouldBe("a.ps1");
            (await state.TenantSettings.AsNoTracking().SingleAsync()).ActionTiming.ShouldBe(ActionTiming.AtOnce);
            (await state.Incidents.AsNoTracking().SingleAsync()).Id.ShouldBeGreaterThan(0);
        }
    }

    [Fact]
    public async Task Comments_are_tracked()
    {
        await using var database = await TestPostgres.CreateAsync(DefenderState.Migrations);
        await using (var state = Open(database))
        {
            var now = DateTime.UtcNow;
            state.Alerts.Add(new Alert { TenantId = Tenant, Id = "da1_2", AlertCreationTime = now, FirstEventTime = now, LastEventTime = now, LastUpdateTime = now });
            await state.SaveChangesAsync();
            (await state.Alerts.SingleAsync()).Comments.Add(new AlertComment("late", "me", DateTime.UnixEpoch));
            await state.SaveChangesAsync();
        }

        await using var again = Open(database);
        (await again.Alerts.SingleAsync()).Comments.Single().Comment.ShouldBe("late");
    }

    private static DefenderDbContext Open(TestDatabase database) =>
        new(new DbContextOptionsBuilder<DefenderDbContext>().UseNpgsql(database.DataSource).Options);
}
