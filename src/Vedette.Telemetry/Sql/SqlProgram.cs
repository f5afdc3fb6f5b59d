using System.Text;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Local;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Sql;

/// <summary>What a compilation collects besides the main select: parameters, shared plans and local steps.</summary>
internal sealed class SqlProgram(BoundRelation root)
{
    private readonly Dictionary<int, int> _references = BoundTree.References(root);
    private readonly Lazy<TextColumns> _texts = new(() => new TextColumns(root));
    private readonly Dictionary<string, ClickHouseParameter> _parameters = new(StringComparer.Ordinal);
    private readonly Dictionary<int, (string Name, Select Select)> _shared = [];
    private readonly List<(string Name, Select Select)> _order = [];
    private readonly List<LocalStage> _stages = [];

    // Of two projections that both fit the engine does not take the smaller one by itself, and with a second thread it would merge a few hundred names twice.
    private static readonly IReadOnlyDictionary<string, string> TotalsSettings = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["max_threads"] = "1",
        ["preferred_optimize_projection_name"] = PhysicalTable.TotalsProjection,
    };

    /// <summary>Ids from here downwards number the rows of steps.</summary>
    private const int FirstNumber = -2_000_000_000;

    /// <summary>The engine that local steps may ask, once the query runs.</summary>
    public StepEngine? Engine { get; set; }

    public IReadOnlyList<ClickHouseParameter> Parameters => [.. _parameters.Values];

    public IReadOnlyList<LocalStage> Stages => _stages;

    /// <summary>Whether shared plans whose rows differ from run to run are read once and kept in this process.</summary>
    public bool KeepsVolatile { get; init; }

    /// <summary>Whether there is a shared plan whose rows differ from run to run, by new_guid() or rand().</summary>
    public bool SharesVolatile { get; private set; }

    /// <summary>Whether a plan has to be kept; notes it otherwise.</summary>
    public bool Keeps(SharedPlan plan)
    {
        if (!BoundTree.IsVolatile(plan.Plan))
            return false;
        SharesVolatile = true;
        return KeepsVolatile;
    }

    /// <summary>Settings that suit what this program reads, beside those that all rely on.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; private set; } = new Dictionary<string, string>();

    /// <summary>Notes that of this table no more is asked than its totals by day.</summary>
    public void ReadsTotals(TableScan scan)
    {
        if (BoundTree.All(root).OfType<TableScan>().SequenceEqual([scan]))
            Settings = TotalsSettings;
    }

    /// <summary>How many places read a shared plan.</summary>
    public int References(SharedPlan plan) => _references.GetValueOrDefault(plan.Id, 1);

    /// <summary>Whether nothing but its text is asked of a dynamic column.</summary>
    public bool IsText(int column) => _texts.Value.Contains(column);

    /// <summary>The plan's table expression, written on first use.</summary>
    public (string Name, Select Select) Shared(SharedPlan plan, Func<Select> write)
    {
        if (_shared.TryGetValue(plan.Id, out var known))
            return known;
        var select = write();
        var entry = (Name: $"m{_order.Count + 1}", Select: select);
        _shared.Add(plan.Id, entry);
        _order.Add(entry);
        return entry;
    }

    /// <summary>Rows that are read in several places, and have to be the same in all of them, become a table expression of their own.</summary>
    public Select Once(Select select)
    {
        var entry = (Name: $"m{_order.Count + 1}", Select: select);
        _order.Add(entry);
        return new Select(new SharedSource(entry.Name, select, null));
    }

    /// <summary>A query parameter, as it stands in the text.</summary>
    public string Parameter(string name, string type, object value)
    {
        _parameters[name] = new ClickHouseParameter(name, value);
        return $"{{{name}:{type}}}";
    }

    /// <summary>Notes a local step between the given select and what is written above it.</summary>
    public Select AddStage(ILocalStep step, Select input, IReadOnlyList<KqlColumn> inputs, IReadOnlyList<KqlColumn> outputs, bool passesThrough)
    {
        var stage = new LocalStage($"p{_stages.Count + 1}", step, input, inputs, outputs, passesThrough, FirstNumber - _stages.Count);
        _stages.Add(stage);
        var select = new Select(new StageSource(stage));
        if (passesThrough)
        {
            input.KeepOrder = input.Order.Count > 0;
            select.Order = input.Order;
            select.IsNumbered = input.IsNumbered;
            select.IngestTime = input.IngestTime;
        }
        else if (!step.FindsColumns)
        {
            select.Order = [new SqlOrder(stage.Number, false, false)];
            select.IsNumbered = true;
        }

        return select;
    }

    /// <summary>
    /// Puts what a body reads in front of it: shared plans, last to first as later ones read earlier ones, and the rows of stages that have run.
    /// </summary>
    public string Compose(string body)
    {
        var tables = new List<(string Name, string Sql, bool Materialized)>();
        var texts = new List<string> { body };
        for (var i = _order.Count - 1; i >= 0; i--)
        {
            var (name, select) = _order[i];
            if (!texts.Exists(t => Mentions(t, name)))
                continue;
            var sql = select.Render(ordered: false);
            texts.Add(sql);
            tables.Insert(0, (name, sql, true));
        }

        foreach (var stage in _stages.Where(s => texts.Exists(t => Mentions(t, s.Name))).Reverse())
            tables.Insert(0, (stage.Name, $"SELECT * FROM {stage.Rows ?? throw new InvalidOperationException("A local step has not run yet.")}", false));
        if (tables.Count == 0)
            return body;
        var text = new StringBuilder("WITH ");
        for (var i = 0; i < tables.Count; i++)
        {
            if (i > 0)
                text.Append(", ");
            text.Append(tables[i].Name).Append(tables[i].Materialized ? " AS MATERIALIZED (" : " AS (").Append(tables[i].Sql).Append(')');
        }

        // The body may begin with definitions of its own.
        return body.StartsWith("WITH ", StringComparison.Ordinal) ? text.Append(", ").Append(body, 5, body.Length - 5).ToString() : text.Append(' ').Append(body).ToString();
    }

    private static bool Mentions(string text, string name)
    {
        for (var at = text.IndexOf(name, StringComparison.Ordinal); at >= 0; at = text.IndexOf(name, at + 1, StringComparison.Ordinal))
        {
            var end = at + name.Length;
            if ((at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsAsciiLetterOrDigit(text[end])))
                return true;
        }

        return false;
    }
}

/// <summary>The rows that a local step gave.</summary>
internal sealed class StageSource(LocalStage stage) : SqlSource
{
    public override SqlValue? Resolve(int id)
    {
        if (id == stage.Number)
            return new SqlValue(StepRows.Number, KqlType.Long, false);
        if (stage.OutputOf(id) is { } column)
            return new SqlValue(Select.Name(id), column.Type, column.Type is not (KqlType.String or KqlType.Dynamic));
        if (!stage.PassesThrough || stage.Input.TryResolve(id) is not { } value)
            return null;
        if (value.IsConstant)
            return value;
        stage.Pass(id, value.Type);
        return new SqlValue(Select.Name(id), value.Type, value.Type is not (KqlType.String or KqlType.Dynamic));
    }

    public override string Render() => stage.Name;
}
