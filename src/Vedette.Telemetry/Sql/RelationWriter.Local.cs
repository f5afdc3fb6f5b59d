using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>What runs in this process, and what is still missing.</summary>
internal sealed partial class RelationWriter
{
    private Select LocalCall(Select scope, BoundCall call) => scope;

    private Select Local(BoundRelation relation) =>
        throw ScalarWriter.Unsupported($"The operator {Words(relation)} is not supported");

    private Select MakeSeries(MakeSeriesRelation node) => Local(node);

    private Select TopNested(TopNestedRelation node) => Local(node);

    private Select ParseKv(ParseKvRelation node) => Local(node);

    private Select Evaluate(EvaluateRelation node) =>
        throw ScalarWriter.Unsupported($"The plug-in {node.Plugin.Name} is not supported");

    private Select TableFunction(TableFunctionRelation node) =>
        throw ScalarWriter.Unsupported($"The function {node.Function.Name}() is not supported");

    private static string Words(BoundRelation relation) => relation switch
    {
        ExternalDataRelation => "externaldata",
        MakeSeriesRelation => "make-series",
        TopNestedRelation => "top-nested",
        ReduceRelation => "reduce",
        ScanRelation => "scan",
        ParseKvRelation => "parse-kv",
        GraphMatchRelation => "graph-match",
        GraphToTableRelation => "graph-to-table",
        GraphComponentsRelation => "graph-mark-components",
        _ => relation.GetType().Name,
    };
}
