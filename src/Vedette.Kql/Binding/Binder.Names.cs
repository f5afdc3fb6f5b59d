using System.Globalization;
using Vedette.Kql.Symbols;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>Names that result columns get by themselves.</summary>
internal sealed partial class Binder
{
    /// <summary>
    /// The name an expression suggests for its column: that of the column or property it reads, or what the function's naming rule says. Null or empty when it suggests none.
    /// </summary>
    private string? ResultName(Expr e)
    {
        switch (e)
        {
            case ParenExpr p:
                return ResultName(p.Inner);
            case NameExpr n:
                return n.Name;
            case NamedExpr named:
                return named.Names[0].Name;
            case OrderedExpr ordered:
                return ResultName(ordered.Value);
            case MemberExpr { Target: NameExpr { Name: "$left" or "$right" }, Selector: var selector }:
                return ResultName(selector);
            case MemberExpr m:
                return Join(IsDatabase(m.Target) ? null : ResultName(m.Target), ResultName(m.Selector));
            case IndexExpr i:
                var key = i.Index switch
                {
                    LiteralExpr { Type: KqlType.Long, Value: long and < 0 } => "",
                    LiteralExpr { Type: KqlType.String or KqlType.Long or KqlType.Int } l => Convert.ToString(l.Value, CultureInfo.InvariantCulture),
                    _ => null,
                };
                return Join(ResultName(i.Target), key);
            case CallExpr call:
                return FunctionResultName(call);
            default:
                return null;
        }

        static string? Join(string? left, string? right) => string.IsNullOrWhiteSpace(left) ? right : $"{left}_{right}";
    }

    private string? FunctionResultName(CallExpr call, FunctionSymbol? symbol = null)
    {
        if (symbol is null && _scope.Find(call.Name) is FunctionVariable)
            return null;
        if (symbol is null && _aggregates is not null)
            FunctionTable.Aggregates.TryGetValue(call.Name, out symbol);
        if (symbol is null && !FunctionTable.Scalars.TryGetValue(call.Name, out symbol) && !FunctionTable.Aggregates.TryGetValue(call.Name, out symbol))
            return null;
        var attributes = symbol.Attributes;
        var first = call.Arguments.Count > 0 ? call.Arguments[0] : null;
        switch (attributes.Naming)
        {
            case ResultNaming.Argument:
                return first is null ? null : ResultName(first);
            case ResultNaming.OnlyArgument:
                return call.Arguments.Count == 1 ? ResultName(first!) : null;
            case ResultNaming.Prefix:
                return attributes.Prefix + "_" + (first is null ? "" : ResultName(first));
            case ResultNaming.Fixed:
                return attributes.Prefix;
            default:
                return null;
        }
    }

}
