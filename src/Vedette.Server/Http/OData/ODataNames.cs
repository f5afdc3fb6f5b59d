using Microsoft.OData.UriParser;

namespace Vedette.Server.Http.OData;

/// <summary>Visits every property that an OData expression names.</summary>
internal static class ODataNames
{
    /// <summary>Calls back for each property name in the expression.</summary>
    public static void Check(QueryNode? node, Action<string> visit)
    {
        switch (node)
        {
            case SingleValuePropertyAccessNode property:
                visit(property.Property.Name);
                break;
            case CollectionPropertyAccessNode collection:
                visit(collection.Property.Name);
                break;
            case SingleValueOpenPropertyAccessNode open:
                visit(open.Name);
                break;
            case BinaryOperatorNode binary:
                Check(binary.Left, visit);
                Check(binary.Right, visit);
                break;
            case UnaryOperatorNode unary:
                Check(unary.Operand, visit);
                break;
            case ConvertNode convert:
                Check(convert.Source, visit);
                break;
            case InNode contained:
                Check(contained.Left, visit);
                Check(contained.Right, visit);
                break;
            case LambdaNode lambda:
                Check(lambda.Source, visit);
                Check(lambda.Body, visit);
                break;
            case CountNode count:
                Check(count.Source, visit);
                break;
            case SingleValueFunctionCallNode function:
                foreach (var parameter in function.Parameters) Check(parameter, visit);
                break;
        }
    }
}
