using Vedette.Foundation.Migrations;

namespace Vedette.Defender.State;

/// <summary>The schema of the domain's state.</summary>
public static class DefenderState
{
    /// <summary>The steps that make it.</summary>
    public static MigrationSet Migrations => MigrationSet.FromResources(typeof(DefenderState).Assembly, DefenderDbContext.Schema);
}
