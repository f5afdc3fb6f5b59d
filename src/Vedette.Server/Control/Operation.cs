using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Vedette.Server.Control;

/// <summary>
/// One administrative operation. The command line and the control socket both run it, so there is one code path whether or not a server
/// is running.
/// </summary>
internal interface IOperation
{
    /// <summary>Dotted name, for instance <c>app.create</c>.</summary>
    string Name { get; }

    /// <summary>Runs the operation.</summary>
    /// <param name="input">Arguments as one JSON object.</param>
    /// <param name="progress">Called as work proceeds.</param>
    /// <param name="cancellationToken">Set when the caller leaves.</param>
    /// <returns>The result, ready to be written as JSON.</returns>
    /// <exception cref="OperationException">The operation refused or failed in a way the caller can act on.</exception>
    Task<JsonNode?> RunAsync(JsonElement input, IProgress<OperationProgress> progress, CancellationToken cancellationToken);

    /// <summary>Looks whether the arguments have the right names and types, without running anything.</summary>
    /// <exception cref="OperationException">They have not.</exception>
    void Check(JsonElement input);
}

/// <summary>How far a long operation is.</summary>
/// <param name="Text">What is being done.</param>
/// <param name="Done">Units finished.</param>
/// <param name="Total">Units in all; null when unknown.</param>
internal sealed record OperationProgress(string Text, long Done, long? Total);

/// <summary>Takes the text of an answer that may be long, piece by piece, while the operation works: the progress of an operation that writes one is this too.</summary>
internal interface IAnswerText
{
    /// <summary>Takes the next piece.</summary>
    ValueTask WriteAsync(string text, CancellationToken cancellationToken);
}

/// <summary>An operation refused or failed; the message is for the person who asked.</summary>
internal sealed class OperationException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>A short word that scripts can test, for instance <c>not_found</c>.</summary>
    public string Code { get; } = code;
}

/// <summary>An operation with typed arguments.</summary>
/// <typeparam name="TInput">The arguments; unknown members are refused, so that a misspelt option is noticed.</typeparam>
internal abstract class Operation<TInput>(string name) : IOperation
    where TInput : class
{
    private static readonly HashSet<string> Known = new(
        typeof(TInput).GetProperties().Where(property => property.CanWrite).Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)),
        StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public async Task<JsonNode?> RunAsync(JsonElement input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var result = await RunAsync(Read(input), progress, cancellationToken);
        return result is null ? null : JsonSerializer.SerializeToNode(result, result.GetType(), OperationJson.Options);
    }

    /// <inheritdoc/>
    public void Check(JsonElement input) => Read(input);

    /// <summary>Runs the operation with its typed arguments.</summary>
    protected abstract Task<object?> RunAsync(TInput input, IProgress<OperationProgress> progress, CancellationToken cancellationToken);

    private TInput Read(JsonElement input)
    {
        if (input.ValueKind is JsonValueKind.Object)
        {
            foreach (var member in input.EnumerateObject())
            {
                if (!Known.Contains(member.Name))
                    throw new OperationException("bad_input", $"{Name} does not know '{member.Name}'; it takes {(Known.Count == 0 ? "no arguments" : string.Join(", ", Known))}.");
            }
        }

        try
        {
            return input.Deserialize<TInput>(OperationJson.Options)
                ?? throw new OperationException("bad_input", $"{Name} needs a JSON object of arguments.");
        }
        catch (JsonException exception)
        {
            throw new OperationException("bad_input", $"{Name}: {exception.Message}", exception);
        }
    }
}

/// <summary>How arguments and results are written.</summary>
internal static class OperationJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter() },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
