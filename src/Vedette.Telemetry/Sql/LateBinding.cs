using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Sql;

/// <summary>
/// Queries over plug-ins whose columns depend on the rows (bag_unpack, pivot): what is below the plug-in runs first, and the query is bound again with the
/// columns that came. A query that only hands such columns on needs none of this: the statement finds them on its one run.
/// </summary>
internal static class LateBinding
{
    /// <summary>Plug-ins of one query whose columns are looked for, at most.</summary>
    private const int MaxPlugins = 16;

    /// <summary>Code of what is said of a dynamic column where values are compared.</summary>
    private const string DynamicKey = "KS116";

    /// <summary>Whether something above a plug-in depends on columns that only running reveals.</summary>
    public static bool IsNeeded(BoundRelation root) =>
        Open(root).Any(open => open.Plugin.LateColumns.Count > 0 || !OpenColumns.Reach(root)) || Open(root).Skip(1).Any();

    /// <summary>
    /// Binds a query as far as its text goes. Where it does with columns that only running reveals what their assumed type, dynamic, does not allow, they have
    /// no type until <see cref="CompleteAsync"/> has found it.
    /// </summary>
    public static KqlCompilation Bind(string query, KqlOptions? options, Func<KqlOptions?, KqlCompilation> bind)
    {
        var compilation = bind(options);
        if (compilation.Succeeded || options is { LateSchemas.Count: > 0 } || !query.Contains("evaluate", StringComparison.Ordinal))
            return compilation;
        var untyped = bind((options ?? KqlOptions.Default) with { LateUntyped = true });
        return untyped.Root is { } root && IsUntyped(root) ? untyped : compilation;
    }

    /// <summary>Binds a query with all its columns.</summary>
    /// <param name="compilation">The query, bound as far as its text goes.</param>
    /// <param name="bind">Binds it again.</param>
    /// <param name="context">Whose rows are read.</param>
    /// <param name="engine">Where the parts below plug-ins run.</param>
    /// <param name="settings">Further settings for them.</param>
    /// <param name="ran">Hears of each of them that has run.</param>
    /// <param name="cancellationToken">Stops them.</param>
    /// <returns>
    /// The query with all columns; as it was where a name does not occur in the rows: such a column is then null in every row.
    /// </returns>
    /// <exception cref="HuntingException">The query does not fit the columns that came.</exception>
    public static async Task<KqlCompilation> CompleteAsync(
        KqlCompilation compilation,
        Func<KqlOptions, KqlCompilation> bind,
        SqlContext context,
        IClickHouse engine,
        IReadOnlyDictionary<string, string>? settings,
        Action<HuntingStage>? ran,
        CancellationToken cancellationToken)
    {
        if (compilation.Root is not { } root || !IsNeeded(root))
            return compilation;
        var untyped = IsUntyped(root);
        var schemas = new Dictionary<KqlPluginCall, IReadOnlyList<KqlColumnDefinition>>();
        for (var i = 0; i < MaxPlugins; i++)
        {
            // The lowest first: those above may stand on its columns.
            if (Open(compilation.Root!).FirstOrDefault(p => !schemas.ContainsKey(p.Plugin.Call)) is not { Plugin: not null } open)
                break;
            var plugin = open.Plugin;
            var alone = new EvaluateRelation(plugin.Input, plugin.Plugin, plugin.Arguments, plugin.Columns, true, [], plugin.Span, plugin.Call.Occurrence);
            await using var statement = SqlCompiler.Compile(open.Around(alone), context);
            var query = await statement.PrepareAsync(engine, settings, ran, cancellationToken);
            schemas[plugin.Call] = [.. query.Columns.Skip(plugin.Columns.Count).Select(c => new KqlColumnDefinition(c.Name, c.Type))];
            var again = bind(new KqlOptions { LateSchemas = schemas, LateUntyped = untyped });
            if (!again.Succeeded)
                return untyped || again.Diagnostics.All(d => d.Severity != KqlSeverity.Error || d.Code == DynamicKey) ? throw HuntingWords.Translate(again) : compilation;
            compilation = again;
        }

        if (!untyped)
            return compilation;
        var typed = bind(new KqlOptions { LateSchemas = schemas });
        return typed.Succeeded ? typed : throw HuntingWords.Translate(typed);
    }

    private static bool IsUntyped(BoundRelation root) => Open(root).Any(open => open.Plugin.LateColumns.Any(c => c.Type == KqlType.Unknown));

    /// <summary>
    /// Open plug-ins, those below others first, each with what makes a relation inside the same bodies of partition and mv-apply one that can run on its own.
    /// </summary>
    private static IEnumerable<(EvaluateRelation Plugin, Func<BoundRelation, BoundRelation> Around)> Open(BoundRelation root)
    {
        var found = new List<(EvaluateRelation, Func<BoundRelation, BoundRelation>)>();
        var seen = new HashSet<int>();
        Visit(root, static relation => relation);
        return found;

        void Visit(BoundRelation relation, Func<BoundRelation, BoundRelation> around)
        {
            if (relation is SharedScan scan)
            {
                if (seen.Add(scan.Shared.Id))
                    Visit(scan.Shared.Plan, around);
                return;
            }

            var (scalars, relations) = BoundTree.Parts(relation);
            foreach (var scalar in scalars)
                VisitScalar(scalar);
            foreach (var input in relations)
            {
                Visit(input, relation switch
                {
                    PartitionRelation partition when input == partition.Body => body => around(new PartitionRelation(partition.Input, partition.Key, partition.Context, body, partition.Strategy)),
                    MvApplyRelation apply when input == apply.Body => body => around(
                        new MvApplyRelation(apply.Input, apply.Items, apply.ItemIndex, apply.RowLimit, apply.Context, body, body.Columns)),
                    _ => around,
                });
            }

            if (relation is EvaluateRelation { IsOpen: true } plugin)
                found.Add((plugin, around));
        }

        void VisitScalar(BoundScalar scalar)
        {
            if (scalar is BoundScalarSubquery subquery)
                Visit(subquery.Query, static relation => relation);
            else if (scalar is BoundIn { Subquery: { } query })
                Visit(query, static relation => relation);
            foreach (var child in BoundTree.Children(scalar))
                VisitScalar(child);
        }
    }
}
