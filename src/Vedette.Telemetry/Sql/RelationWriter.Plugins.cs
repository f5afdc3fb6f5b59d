using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Local;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Sql;

/// <summary>Operators and plug-ins that run as steps over rows.</summary>
internal sealed partial class RelationWriter
{
    private Select Evaluate(EvaluateRelation node)
    {
        if (PluginSteps.Find(node.Plugin.Name) is not { } plugin)
            throw ScalarWriter.Unsupported($"The plug-in {node.Plugin.Name} is not supported");
        var scope = node.Input is null ? Print(new PrintRelation([])) : Open(Write(node.Input));
        scope = Prepare(scope, node.Arguments.Select(a => a.Scalar).OfType<BoundScalar>());
        if (scope.HasWindow)
            scope = scope.Wrap();
        var inputs = node.Input?.Columns.ToList() ?? [];
        var arguments = new List<PluginValue>();
        foreach (var argument in node.Arguments)
        {
            if (argument.Scalar is BoundColumnRef reference)
            {
                arguments.Add(new PluginValue(IndexOf(inputs, reference.Column.Id), null, reference.Type, null) with { Parameter = argument.Parameter });
            }
            else if (argument.Scalar is { } scalar)
            {
                var value = _scalars.Write(scalar, scope);
                if (value.IsConstant)
                {
                    arguments.Add(new PluginValue(-1, value.Constant, value.Type, null) with { Parameter = argument.Parameter });
                }
                else
                {
                    inputs.Add(new KqlColumn(Hide(scope, value), "", value.Type));
                    arguments.Add(new PluginValue(inputs.Count - 1, null, value.Type, null) with { Parameter = argument.Parameter });
                }
            }
            else if (argument.Aggregate is { } aggregate)
            {
                var positions = new List<int>();
                foreach (var operand in aggregate.Arguments)
                {
                    var value = _scalars.Write(operand, scope);
                    inputs.Add(new KqlColumn(Hide(scope, value), "", value.Type));
                    positions.Add(inputs.Count - 1);
                }

                arguments.Add(new PluginValue(-1, aggregate.Function.Name, KqlType.Unknown, positions) with { Parameter = argument.Parameter });
            }
            else
            {
                throw ScalarWriter.Unsupported($"The plug-in {node.Plugin.Name} with a lookup table is not supported");
            }
        }

        var outputs = node.Columns.Concat(node.LateColumns.Where(l => !node.Columns.Any(c => c.Id == l.Id))).ToList();
        var step = plugin(new PluginCall(node.Plugin.Name, node.Input?.Columns.Count ?? 0, arguments, node.Columns, outputs, node.IsOpen));
        return _program.AddStage(step, scope, inputs, outputs, passesThrough: false);
    }

    private Select External(ExternalDataRelation node)
    {
        var nothing = Print(new PrintRelation([]));
        var addresses = node.Uris.Select(u => _scalars.Write(u, nothing)).Select(v => v.Constant as string
            ?? throw ScalarWriter.Unsupported("externaldata needs constant addresses")).ToList();
        if (_context.OpenExternal is not { } open)
            throw ScalarWriter.Unsupported($"externaldata is switched off; it would read from {string.Join(", ", addresses.Select(ExternalDataStep.HostOf).Distinct())}");
        var step = new ExternalDataStep(addresses, [.. node.Columns.Select(c => new LocalColumn(c.Name, c.Type))], node.Properties, open);
        return _program.AddStage(step, nothing, [], node.Columns, passesThrough: false);
    }

    private static int IndexOf(List<KqlColumn> columns, int id)
    {
        var index = columns.FindIndex(c => c.Id == id);
        return index >= 0 ? index : throw ScalarWriter.Unsupported("The plug-in's column is not part of its input");
    }

    private Select ParseKv(ParseKvRelation node)
    {
        var scope = Prepare(Open(Write(node.Input)), [node.Source]);
        if (scope.HasWindow)
            scope = scope.Wrap();
        var source = new KqlColumn(Hide(scope, SqlConvert.ToText(_scalars.Write(node.Source, scope))), "", KqlType.String);
        var parser = new KeyValueParser(node);
        var step = new RowStep("parse-kv", 1, [.. node.Keys.Select(k => new LocalColumn(k.Name, k.Type))], row =>
        {
            var found = parser.Parse((string)row[0]!);
            return [.. node.Keys.Select(k => found.TryGetValue(k.Name, out var text) ? LocalValues.To(text, KqlType.String, k.Type) : LocalValues.To(null, KqlType.String, k.Type))];
        });
        return _program.AddStage(step, scope, [source], node.Keys, passesThrough: true);
    }
}
