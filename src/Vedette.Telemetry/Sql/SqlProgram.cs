using Vedette.Kql.Bound;
using Vedette.Telemetry.Engine;

namespace Vedette.Telemetry.Sql;

/// <summary>What a compilation collects besides the main select: parameters, shared plans and local steps.</summary>
internal sealed class SqlProgram(BoundRelation root)
{
    private readonly Dictionary<int, int> _references = BoundTree.References(root);
    private readonly Dictionary<string, ClickHouseParameter> _parameters = new(StringComparer.Ordinal);
    private readonly Dictionary<int, (string Name, Select Select)> _shared = [];
    private readonly List<(string Name, Select Select)> _order = [];
    private readonly List<StagePlan> _stages = [];

    public IReadOnlyList<ClickHouseParameter> Parameters => [.. _parameters.Values];

    public IReadOnlyList<StagePlan> Stages => _stages;

    /// <summary>How many places read a shared plan.</summary>
    public int References(SharedPlan plan) => _references.GetValueOrDefault(plan.Id, 1);

    /// <summary>The plan's table expression, written on first use.</summary>
    public (string Name, Select Select) Shared(SharedPlan plan, Func<Select> write)
    {
        if (_shared.TryGetValue(plan.Id, out var known))
            return known;
        var select = write();
        var entry = (Name: $"m{_shared.Count + 1}", Select: select);
        _shared.Add(plan.Id, entry);
        _order.Add(entry);
        return entry;
    }

    /// <summary>A query parameter, as it stands in the text.</summary>
    public string Parameter(string name, string type, object value)
    {
        _parameters[name] = new ClickHouseParameter(name, value);
        return $"{{{name}:{type}}}";
    }

    /// <summary>Notes a local step; later text reads its rows under the returned name.</summary>
    public StagePlan AddStage(StagePlan stage)
    {
        _stages.Add(stage);
        return stage;
    }

    /// <summary>Name of the next stage's rows.</summary>
    public string NextStageName() => $"p{_stages.Count + 1}";

    /// <summary>Text of a select with given output terms.</summary>
    public string Finish(Select select, IReadOnlyList<string> columns, bool ordered) => select.Assemble(columns, ordered);

    /// <summary>Puts the shared plans that a text needs in front of it. Plans are rendered last to first, as later ones read earlier ones.</summary>
    public IReadOnlyList<(string Name, string Sql)> RenderShared()
    {
        var texts = new List<(string, string)>();
        for (var i = _order.Count - 1; i >= 0; i--)
            texts.Insert(0, (_order[i].Name, _order[i].Select.Render(ordered: false)));
        return texts;
    }
}
