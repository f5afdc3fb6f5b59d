using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Sql;

/// <summary>Writes a bound query as ClickHouse SQL.</summary>
public static class SqlCompiler
{
    /// <summary>Compiles a plan.</summary>
    /// <param name="root">The plan, as the binder gives it.</param>
    /// <param name="context">Whose rows are read, and when.</param>
    /// <exception cref="HuntingException">The query uses something that cannot be had; the message names it.</exception>
    public static SqlStatement Compile(BoundRelation root, SqlContext context)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(context);
        var program = new SqlProgram(root);
        var main = new RelationWriter(context, program).Write(root);
        if (program is { SharesVolatile: true, Stages.Count: > 0 })
        {
            // Several statements read a shared plan that gives other rows each time: it is read once, and kept.
            program = new SqlProgram(root) { KeepsVolatile = true };
            main = new RelationWriter(context, program).Write(root);
        }

        return new SqlStatement(program, main, root);
    }
}
