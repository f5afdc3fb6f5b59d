using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Local;
using Vedette.Telemetry.Local.Functions;
using Vedette.Telemetry.Sql.Functions;

namespace Vedette.Telemetry.Sql;

/// <summary>What runs in this process, and what is still missing.</summary>
internal sealed partial class RelationWriter
{
    /// <summary>A function that only this process knows becomes a step over the rows; its value is a column from then on.</summary>
    private Select LocalCall(Select scope, BoundCall call)
    {
        var name = call.Function.Name;
        if (FunctionTable.Find(name) is not null || LocalFunctionTable.Find(name) is not { } function)
            return scope;
        var values = call.Arguments.Select(a => _scalars.Write(a, scope)).ToList();
        if (values.All(v => v.IsConstant))
            return scope;
        var below = scope.HasWindow ? scope.Wrap() : scope;
        var types = values.Select(v => v.Type).ToList();
        var inputs = values.Select(v => new KqlColumn(Hide(below, v), "", v.Type)).ToList();
        var output = new KqlColumn(NewHidden(), name, call.Type);
        var step = new RowStep(name + "()", inputs.Count, [new LocalColumn(name, call.Type)], arguments =>
            [LocalFunctionTable.Compute(function, name, types, [.. arguments], call.Type)]);
        var above = _program.AddStage(step, below, inputs, [output], passesThrough: true);
        _scalars.Hoist(call, output.Id);
        return above;
    }

    private Select Local(BoundRelation relation) =>
        throw ScalarWriter.Unsupported($"The operator {Words(relation)} is not supported");

    private static string Words(BoundRelation relation) => relation switch
    {
        ExternalDataRelation => "externaldata",
        MakeSeriesRelation => "make-series",
        TopNestedRelation => "top-nested",
        ScanRelation => "scan",
        ParseKvRelation => "parse-kv",
        GraphMatchRelation => "graph-match",
        _ => relation.GetType().Name,
    };
}
