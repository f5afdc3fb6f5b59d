using System.Reflection;
using System.Text.RegularExpressions;

namespace Vedette.Foundation.Migrations;

/// <summary>One step of a room's schema.</summary>
/// <param name="Id">The script's name without ending, for instance <c>0001_machines</c>; the order is that of the names.</param>
/// <param name="ReadScript">Gives the SQL text, read only when the step is applied.</param>
public sealed record Migration(string Id, Func<string> ReadScript);

/// <summary>The steps that bring one schema of the state database to the present form.</summary>
public sealed partial class MigrationSet
{
    /// <summary>A set of steps for a schema.</summary>
    public MigrationSet(string schema, IEnumerable<Migration> migrations)
    {
        if (!SchemaName().IsMatch(schema)) throw new ArgumentException($"'{schema}' is not a plain schema name.", nameof(schema));
        Schema = schema;
        Migrations = [.. migrations.OrderBy(m => m.Id, StringComparer.Ordinal)];
    }

    /// <summary>The schema, for instance <c>defender</c>.</summary>
    public string Schema { get; }

    /// <summary>The steps in order.</summary>
    public IReadOnlyList<Migration> Migrations { get; }

    /// <summary>
    /// The scripts embedded in an assembly as <c>Migrations/0001_name.sql</c> (any folder before it). Scripts should not name their schema:
    /// they run with it first on the search path.
    /// </summary>
    public static MigrationSet FromResources(Assembly assembly, string schema)
    {
        var migrations = assembly.GetManifestResourceNames()
            .Select(name => (Name: name, Match: ScriptName().Match(name)))
            .Where(found => found.Match.Success)
            .Select(found => new Migration(found.Match.Groups[1].Value, () => Read(assembly, found.Name)))
            .ToArray();
        if (migrations.Length == 0) throw new InvalidOperationException($"{assembly.GetName().Name} embeds no migration scripts.");
        return new MigrationSet(schema, migrations);
    }

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"(?:^|[./\\])(\d{4}_[A-Za-z0-9_]+)\.sql$")]
    private static partial Regex ScriptName();

    [GeneratedRegex("^[a-z][a-z0-9_]{0,40}$")]
    private static partial Regex SchemaName();
}
