using System.Collections.Frozen;

namespace Vedette.Server.Control;

/// <summary>The operations by name.</summary>
internal sealed class OperationRegistry(IEnumerable<IOperation> operations)
{
    private readonly FrozenDictionary<string, IOperation> _operations =
        operations.ToFrozenDictionary(operation => operation.Name, StringComparer.Ordinal);

    /// <summary>Finds an operation.</summary>
    /// <exception cref="OperationException">There is none of that name.</exception>
    public IOperation Get(string name) =>
        _operations.TryGetValue(name, out var operation)
            ? operation
            : throw new OperationException("unknown_operation", $"There is no operation named '{name}'.");
}
