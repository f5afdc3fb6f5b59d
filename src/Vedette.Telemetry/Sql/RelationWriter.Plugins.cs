using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local;
using Vedette.Telemetry.Local.External;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Sql;

/// <summary>Operators and plug-ins that run as steps over rows.</summary>
internal sealed partial class RelationWriter
{
    /// <summary>A plug-in.</summary>
    /// <param name="node">The call.</param>
    /// <param name="input">Writes the rows before it.</param>
    /// <param name="outer">Columns of those rows that stay: their group, and what the group has one value of.</param>
    /// <param name="group">Columns that part the rows: the plug-in runs over each group.</param>
    private Select Evaluate(EvaluateRelation node, Func<Select> input, IReadOnlyList<int> outer, IReadOnlyList<int> group)
    {
        try
        {
            var result = Plugin(node, input, outer, group);
            _program.Stages[^1].Place = node.Span;
            return result;
        }
        catch (HuntingException refused) when (refused.Place is null)
        {
            refused.Place = node.Span;
            throw;
        }
    }

    private Select Plugin(EvaluateRelation node, Func<Select> input, IReadOnlyList<int> outer, IReadOnlyList<int> group)
    {
        if (node.Arguments.Any(a => a.Table is not null) && node.Plugin.Name is "ipv4_lookup" or "ipv6_lookup" or "geo_line_lookup" or "geo_polygon_lookup")
            return Lookup(node, input, outer, group);
        var plugin = PluginSteps.Find(node.Plugin.Name);
        // What calls a service has no use for the rows before it.
        var source = node.Input;
        if (plugin is null && ExternalStep.Find(node.Plugin.Name) is { } external)
        {
            if (_context.External is not { } session)
                throw ScalarWriter.Unsupported($"The plug-in {node.Plugin.Name} is switched off: no host is named that it may call");
            source = null;
            plugin = call => external(call, session, () => _program.Engine);
        }

        if (plugin is null)
            throw ScalarWriter.Unsupported($"The plug-in {node.Plugin.Name} is not supported");
        var scope = source is null ? Print(new PrintRelation([])) : Open(input());
        scope = Prepare(scope, node.Arguments.Select(a => a.Scalar).OfType<BoundScalar>());
        if (scope.HasWindow)
            scope = scope.Wrap();
        var inputs = source?.Columns.ToList() ?? [];
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
            else if (argument.Table is { } table)
            {
                var collect = new CollectStep();
                _program.AddStage(collect, Open(Write(table).Unordered()), table.Columns, [], passesThrough: false);
                var first = node.Arguments[0].Scalar is BoundColumnRef id ? table.Columns.ToList().FindIndex(c => c.Name == id.Column.Name) : -1;
                arguments.Add(new PluginValue(Math.Max(first, 0), null, KqlType.Unknown, null) { Parameter = argument.Parameter, Table = collect });
            }
        }

        var outputs = node.Columns.Concat(node.LateColumns.Where(l => !node.Columns.Any(c => c.Id == l.Id))).ToList();
        var step = plugin(new PluginCall(node.Plugin.Name, source?.Columns.Count ?? 0, arguments, node.Columns, outputs, node.IsOpen));
        return PerGroup(step, scope, inputs, outputs, outer, group);
    }

    /// <summary>Notes a step that runs over each group of rows; without groups over all of them.</summary>
    private Select PerGroup(ILocalStep step, Select scope, IReadOnlyList<KqlColumn> inputs, IReadOnlyList<KqlColumn> outputs, IReadOnlyList<int> outer, IReadOnlyList<int> group)
    {
        if (outer.Count == 0)
            return _program.AddStage(step, scope, inputs, outputs, passesThrough: false);
        // What the step hands on comes with its rows.
        outer = [.. outer.Where(id => !outputs.Any(o => o.Id == id))];
        var columns = outer.Select(id => new KqlColumn(id, GroupedStep.NameOf(id), scope.Resolve(id).Type)).ToList();
        // Which rows are a group's is known by the first of its columns; the order of the others within it stays.
        scope.Order = [.. group.Select(g => new SqlOrder(g, false, true)), .. scope.Order];
        scope.KeepOrder = true;
        var places = group.Select(g => inputs.Count + outer.ToList().IndexOf(g)).ToList();
        return _program.AddStage(new GroupedStep(step, inputs.Count, places), scope, [.. inputs, .. columns], [.. columns, .. outputs], passesThrough: false);
    }

    /// <summary>A plug-in that joins rows to those of a table: the table is read first, then the rows are compared with it.</summary>
    private Select Lookup(EvaluateRelation node, Func<Select> rows, IReadOnlyList<int> outer, IReadOnlyList<int> group)
    {
        var table = node.Arguments.First(a => a.Table is not null).Table!;
        var collect = new CollectStep();
        _program.AddStage(collect, Open(Write(table).Unordered()), table.Columns, [], passesThrough: false);
        var input = node.Input!;
        var scope = Open(rows());
        var arguments = new List<PluginValue>();
        foreach (var argument in node.Arguments.Where(a => a.Scalar is not null))
        {
            if (argument.Scalar is BoundColumnRef reference)
            {
                var position = input.Columns.ToList().FindIndex(c => c.Id == reference.Column.Id);
                if (position < 0)
                    position = IndexOf([.. table.Columns], reference.Column.Id);
                arguments.Add(new PluginValue(position, null, reference.Type, null) { Parameter = argument.Parameter });
            }
            else
            {
                var value = _scalars.Write(argument.Scalar!, scope);
                arguments.Add(new PluginValue(-1, value.IsConstant ? value.Constant : throw ScalarWriter.Unsupported($"{node.Plugin.Name} needs constants"), value.Type, null) { Parameter = argument.Parameter });
            }
        }

        var outputs = node.Columns.Select(column =>
        {
            var own = input.Columns.ToList().FindIndex(c => c.Id == column.Id);
            if (own >= 0)
                return (false, own);
            var other = table.Columns.ToList().FindIndex(c => c.Id == column.Id);
            if (other < 0)
                other = table.Columns.ToList().FindIndex(c => c.Name == column.Name || c.Name + "1" == column.Name);
            return other >= 0 ? (true, other) : throw ScalarWriter.Unsupported($"The column {column.Name} of {node.Plugin.Name} is not known");
        }).ToList();
        var call = new PluginCall(node.Plugin.Name, input.Columns.Count, arguments, node.Columns, node.Columns, false) { InputNames = [.. input.Columns.Select(c => c.Name)] };
        return PerGroup(new LookupStep(call, collect, outputs), scope, input.Columns, node.Columns, outer, group);
    }

    /// <summary>scan, over all rows or over each group of them.</summary>
    private Select Sequences(ScanRelation node, Select input, IReadOnlyList<int> outer, IReadOnlyList<int> group)
    {
        // What depends on the row alone, SQL computes.
        var own = node.Input.Columns.Select(c => c.Id).ToHashSet();
        var computed = node.Steps.SelectMany(s => s.Assignments.Select(a => a.Value).Prepend(s.Condition)).SelectMany(s => BoundTree.RowParts(s, own)).ToList();
        var scope = Prepare(Open(input), node.PartitionKeys.Concat(node.OrderKeys.Select(k => k.Value)).Concat(computed));
        if (scope.HasWindow)
            scope = scope.Wrap();
        // What a group has one value of parts no rows that the group does not.
        var fixedParts = group.Concat(outer.Where(id => !group.Contains(id) && !own.Contains(id))).ToList();
        var parts = fixedParts.ConvertAll(g => new KqlColumn(g, "", scope.Resolve(g).Type));
        parts.AddRange(node.PartitionKeys.Select(k => new KqlColumn(Hide(scope, _scalars.Write(k, scope)), "", k.Type)));
        if (node.OrderKeys.Count > 0)
            scope.Order = [.. node.OrderKeys.Select(k => new SqlOrder(Hide(scope, _scalars.Write(k.Value, scope)), k.Descending, k.NullsFirst))];
        scope.KeepOrder = true;
        var inputs = computed.ConvertAll(s => new KqlColumn(Hide(scope, _scalars.Write(s, scope)), "", s.Type));
        var outputs = parts.Select((p, i) => i < fixedParts.Count ? p : new KqlColumn(NewHidden(), "", p.Type)).Concat(node.Columns).ToList();
        return _program.AddStage(new SequenceScanStep(node, parts.Count, group.Count, computed, _context, () => _program.Engine), scope, [.. parts, .. node.Input.Columns, .. inputs], outputs, passesThrough: false);
    }

    private Select External(ExternalDataRelation node)
    {
        var nothing = Print(new PrintRelation([]));
        var addresses = node.Uris.Select(u => _scalars.Write(u, nothing)).Select(v => v.Constant as string
            ?? throw ScalarWriter.Unsupported($"{(node.Table is null ? "externaldata" : "inline_external_table")} needs constant addresses", node.Uris[0].Span)).ToList();
        if (node.Table is not null)
        {
            return _context.External is { } session
                ? _program.AddStage(new ExternalTableStep(addresses, node, session, () => _program.Engine), nothing, [], node.Columns, passesThrough: false)
                : throw ScalarWriter.Unsupported($"inline_external_table is switched off; it would read from {string.Join(", ", addresses.Select(ExternalDataStep.HostOf).Distinct())}", node.Uris[0].Span);
        }

        if (_context.OpenExternal is not { } open)
            throw ScalarWriter.Unsupported($"externaldata is switched off; it would read from {string.Join(", ", addresses.Select(ExternalDataStep.HostOf).Distinct())}", node.Uris[0].Span);
        var step = new ExternalDataStep(addresses, [.. node.Columns.Select(c => new LocalColumn(c.Name, c.Type))], node.Properties, open, _context.ExternalCharacters, () => _program.Engine);
        return _program.AddStage(step, nothing, [], node.Columns, passesThrough: false);
    }

    private static int IndexOf(List<KqlColumn> columns, int id)
    {
        var index = columns.FindIndex(c => c.Id == id);
        return index >= 0 ? index : throw ScalarWriter.Unsupported("The plug-in's column is not part of its input");
    }

    private Select Reduce(ReduceRelation node, Select input, IReadOnlyList<int> outer, IReadOnlyList<int> group)
    {
        var scope = Prepare(Open(input), [node.Value]);
        if (scope.HasWindow)
            scope = scope.Wrap();
        var text = new KqlColumn(Hide(scope, SqlConvert.ToText(_scalars.Write(node.Value, scope))), "", KqlType.String);
        var own = node.Columns.Skip(node.Columns.Count - 3).ToList();
        var step = new ReduceStep(node.Threshold, node.Characters, node.KeepsRows);
        if (outer.Count == 0)
            return _program.AddStage(step, scope, [text], own, passesThrough: node.KeepsRows);
        IReadOnlyList<KqlColumn> kept = node.KeepsRows ? node.Input.Columns : [];
        return PerGroup(step, scope, [text, .. kept], [.. own, .. kept], outer, group);
    }

    private Select ParseKv(ParseKvRelation node, Select input)
    {
        var scope = Prepare(Open(input), [node.Source]);
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
