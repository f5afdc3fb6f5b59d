using Vedette.Kql.Bound;
using Vedette.Kql.Symbols;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>How well arguments fit parameters.</summary>
internal static class Overloads
{
    /// <summary>0 for an exact fit, more for a looser one, -1 for none.</summary>
    public static int Fit(FunctionParameterSymbol[] layout, BoundScalar[] arguments, int index, Expr syntax)
    {
        var parameter = layout[index];
        var type = arguments[index].Type;
        if (parameter.Class == ParameterClass.TypeLiteral)
            return syntax is TypeOfExpr ? 0 : -1;
        if (syntax is TypeOfExpr)
            return -1;
        if (type == KqlType.Unknown)
            return 1;
        // A tilde stands for the default of an optional plug-in argument.
        if (parameter.Min == 0 && arguments[index] is BoundLiteral { Value: "~" })
            return 0;
        if (parameter.Form == ArgumentForm.Star)
            return -1;
        return parameter.Class switch
        {
            ParameterClass.Any => 3,
            ParameterClass.Declared => FitDeclared(parameter.Types, type),
            ParameterClass.Scalar => 4,
            ParameterClass.Integer => type.IsInteger() || type == KqlType.Dynamic ? 2 : -1,
            ParameterClass.RealOrDecimal => type is KqlType.Real or KqlType.Decimal ? 1 : -1,
            ParameterClass.StringOrDynamic => ScalarTypes.IsText(type) ? 1 : -1,
            ParameterClass.StringOrArray => ScalarTypes.IsText(type) ? 1 : -1,
            ParameterClass.IntegerOrArray => type.IsInteger() || type == KqlType.Dynamic ? 1 : -1,
            ParameterClass.Array or ParameterClass.Bag => type == KqlType.Dynamic ? 1 : -1,
            ParameterClass.Number => type.IsNumeric() ? 2 : type == KqlType.Dynamic ? 5 : -1,
            ParameterClass.NumberOrBool => type.IsNumeric() || type == KqlType.Bool ? 2 : type == KqlType.Dynamic ? 5 : -1,
            ParameterClass.Summable => type.IsSummable() ? 2 : type == KqlType.Dynamic ? 5 : -1,
            ParameterClass.Orderable => type.IsOrderable() ? 3 : type is KqlType.Dynamic or KqlType.Guid ? 5 : -1,
            ParameterClass.NotBool => type != KqlType.Bool ? 3 : -1,
            ParameterClass.NotRealOrBool => type is not (KqlType.Real or KqlType.Bool) ? 3 : -1,
            ParameterClass.NotDynamic => type != KqlType.Dynamic ? 3 : 5,
            ParameterClass.Same0 => index > 0 ? Fit(layout, arguments, 0, syntax) : -1,
            ParameterClass.Table => -1,
            ParameterClass.CommonNumber => type.IsNumeric() ? 2 : -1,
            ParameterClass.CommonSummable => type.IsSummable() ? 2 : -1,
            _ => 2,
        };
    }

    /// <summary>Code and message for an argument that does not fit.</summary>
    public static (string Code, string Message) Expectation(FunctionParameterSymbol parameter) => parameter.Class switch
    {
        ParameterClass.Declared when parameter.Types.Count == 1 => ("KS107", $"A value of type {parameter.Types[0].Name()} expected."),
        ParameterClass.Declared => ("KS141", $"The expression must have one of the types: {string.Join(" or ", parameter.Types.Select(t => t.Name()))}."),
        ParameterClass.TypeLiteral => ("KS006", "Missing typeof literal"),
        ParameterClass.Integer => ("KS134", "The expression value must be an integer."),
        ParameterClass.RealOrDecimal => ("KS135", "The expression value must be an real or decimal number."),
        ParameterClass.StringOrDynamic => ("KS141", "The expression must have one of the types: string or dynamic."),
        ParameterClass.StringOrArray => ("KS233", "The expression value must be a string or a dynamic array of strings."),
        ParameterClass.IntegerOrArray => ("KS136", "The expression value must be an integer or a dynamic array of integers."),
        ParameterClass.Array => ("KS234", "The expression value must be a dynamic array."),
        ParameterClass.Bag => ("KS235", "The expression must be a dynamic bag."),
        ParameterClass.Number or ParameterClass.CommonNumber => ("KS137", "The expression value must be a number."),
        ParameterClass.NumberOrBool => ("KS137", "The expression value must be a number or boolean true/false."),
        ParameterClass.Summable or ParameterClass.CommonSummable => ("KS138", "The argument value must be summable: a number, timespan or datetime."),
        ParameterClass.Orderable or ParameterClass.CommonOrderable =>
            ("KS206", "The argument value must be orderable: a number, timespan, datetime, string or boolean."),
        _ => ("KS116", "The value is not allowed in this context."),
    };

    private static int FitDeclared(IReadOnlyList<KqlType> declared, KqlType type)
    {
        foreach (var candidate in declared)
        {
            if (candidate == type)
                return declared.Count == 1 ? 0 : 1;
        }

        foreach (var candidate in declared)
        {
            if (KqlTypes.IsPromotable(type, candidate))
                return 2;
        }

        // A dynamic value converts to whatever is asked for; numbers convert among themselves.
        foreach (var candidate in declared)
        {
            if (type == KqlType.Dynamic)
                return 5;
            if (candidate == KqlType.Dynamic && type == KqlType.String)
                return 6;
            if (candidate.IsInteger() && type.IsInteger())
                return 3;
        }

        return -1;
    }
}
