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
        if (LocalFunctionTable.Find(name) is not { } function)
            return scope;
        var constant = FunctionTable.ConstantArgument(name);
        if (FunctionTable.Find(name) is not null && constant < 0)
            return scope;
        var values = call.Arguments.Select(a => _scalars.Write(a, scope)).ToList();
        if (constant >= 0 ? values[constant].IsConstant : values.All(v => v.IsConstant))
            return scope;
        var below = scope.HasWindow ? scope.Wrap() : scope;
        var inputs = values.Select(v => new KqlColumn(Hide(below, v), "", v.Type)).ToList();
        var above = LocalColumn(below, name, function, inputs, new KqlColumn(NewHidden(), name, call.Type), out var id);
        _scalars.Hoist(call, id);
        return above;
    }

    /// <summary>Adds a column that a function of this process makes out of others.</summary>
    private Select LocalColumn(Select below, string name, LocalFunction function, IReadOnlyList<KqlColumn> inputs, KqlColumn output, out int id)
    {
        var types = inputs.Select(v => v.Type).ToList();
        var step = new RowStep(name + "()", inputs.Count, [new LocalColumn(name, output.Type)], arguments =>
            [LocalFunctionTable.Compute(function, name, types, [.. arguments], output.Type)]);
        id = output.Id;
        return _program.AddStage(step, below, inputs, [output], passesThrough: true);
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
