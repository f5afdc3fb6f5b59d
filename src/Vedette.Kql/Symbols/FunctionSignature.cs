namespace Vedette.Kql.Symbols;

/// <summary>One overload of a built-in: its parameters and how the result type comes about.</summary>
internal sealed class FunctionSignature
{
}
