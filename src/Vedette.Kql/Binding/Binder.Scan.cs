using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>scan.</summary>
internal sealed partial class Binder
{
    private TableValue BindScan(ScanOperator op, TableValue input)
    {
        var builder = new ColumnBuilder(input.Columns.Count + op.Declared.Count);
        foreach (var column in input.Columns)
            builder.Add(column);
        var order = BindSortKeys(op.Order);
        var partition = op.Partition.Select(BindScalar).ToList();
        var declared = new List<(KqlColumn Column, BoundScalar? Default)>();
        foreach (var declaration in op.Declared)
        {
            var fallback = declaration.Default is null ? null : Coerce(BindScalar(declaration.Default), declaration.Type);
            if (!builder.Declare(NewColumn(declaration.Name.Name, declaration.Type), replace: true, out var column))
                Error("KS171", Of($"A column with the name '{declaration.Name.Name}' is already declared."), declaration.Name.Span);
            declared.Add((column, fallback));
        }

        var state = new TableValue(new ContextRelation([.. builder.Columns]), input.Late);
        var matchIdName = op.Parameter("with_match_id")?.Word;
        KqlColumn? matchId = null;
        if (matchIdName is not null)
            matchId = builder.Add(NewColumn(matchIdName, KqlType.Long));
        var steps = op.Steps.Select(s => s.Name.Name).ToHashSet();
        var saved = _row;
        _row = new Row(state)
        {
            SpecialMember = (step, column, span) => steps.Contains(step) && state.Find(column) is { } found ? new BoundScanState(step, found, span) : null,
        };
        var bound = op.Steps.Select(s => BindScanStep(s, state)).ToList();
        _row = saved;
        return new TableValue(new ScanRelation(input.Node, declared, bound, matchId, partition, order, builder.Columns), input.Late);
    }

    private ScanStep BindScanStep(ScanStepSyntax step, TableValue state)
    {
        var condition = BindPredicate(step.Condition);
        var assignments = new List<NamedScalar>();
        foreach (var assignment in step.Assignments)
        {
            if (assignment is not NamedExpr { Names: [var name], Value: var expression })
            {
                Error("KS110", Of("An assignment to a declared column is expected."), assignment.Span);
                continue;
            }

            // Of several results the first is assigned.
            var value = TryBindTuple(expression, ProjectionStyle.Project)?[0].Value ?? BindScalar(expression);
            if (state.Find(name.Name) is not { } column)
                UnknownName(name.Name, name.Span);
            else
                assignments.Add(new NamedScalar(column, Coerce(value, column.Type)));
        }

        var output = step.Output switch { "last" => ScanOutput.Last, "none" => ScanOutput.None, _ => ScanOutput.All };
        return new ScanStep(step.Name.Name, step.Optional, output, condition, assignments);
    }
}
