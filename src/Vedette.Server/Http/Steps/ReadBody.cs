using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Vedette.Server.Http.Steps;

/// <summary>
/// Reads the JSON body of a row that has one and checks its keys: required ones must be there in the exact case, and values must have the
/// type and be among those allowed. Keys that the row does not know are ignored, so newer clients are served.
/// </summary>
internal sealed class ReadBody(IOptionsMonitor<HttpSettings> settings) : IRequestStep
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32 };

    /// <inheritdoc/>
    public async ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        var fields = call.Endpoint.Body;
        if (fields.Count == 0) return null;
        var request = call.Http.Request;
        var limit = settings.CurrentValue.MaximumBodyBytes;
        if (request.ContentLength > limit) return call.Error("BodyTooLarge", limit);
        var bytes = await ReadAsync(request, limit, call.Aborted);
        if (bytes is null) return call.Error("BodyTooLarge", limit);
        // No store of ours holds a null character, so it is refused before anything is begun.
        if (bytes.AsSpan().IndexOf("\\u0000"u8) >= 0) return call.Error("InvalidRequestBody") with { Explanation = "the body holds a null character" };
        JsonElement root = default;
        if (bytes.Length > 0)
        {
            try
            {
                using var document = JsonDocument.Parse(bytes, Options);
                root = document.RootElement.Clone();
            }
            catch (JsonException error)
            {
                return call.Error("InvalidRequestBody") with { Explanation = $"the body is not JSON: {error.Message}" };
            }

            if (root.ValueKind != JsonValueKind.Object)
                return call.Error("InvalidRequestBody") with { Explanation = $"the body is {root.ValueKind}, an object is needed" };
        }

        call.Body = new RequestBody(root, call.Endpoint.AnyCase);
        return Check(call, fields);
    }

    private static ApiError? Check(ApiCall call, IReadOnlyList<InputField> fields)
    {
        foreach (var field in fields)
        {
            var value = call.Body.Value(field.Name);
            if (value is null or { ValueKind: JsonValueKind.Null })
            {
                if (field.Required) return call.Error("MissingRequiredParameter", field.Name) with { Explanation = $"the body lacks '{field.Name}' in this exact case" };
                continue;
            }

            if (field.Required && value is { ValueKind: JsonValueKind.String } text && string.IsNullOrWhiteSpace(text.GetString()))
                return call.Error("MissingRequiredParameter", field.Name) with { Explanation = $"'{field.Name}' is empty" };
            if (!RequestBody.Fits(field, value.Value))
            {
                var allowed = field.Values is { } values ? $", one of {string.Join(", ", values)}" : "";
                return call.Error("InvalidRequestBody") with { Explanation = $"'{field.Name}' must be {field.Type}{allowed}" };
            }
        }

        return null;
    }

    private static async ValueTask<byte[]?> ReadAsync(HttpRequest request, int limit, CancellationToken cancel)
    {
        if (request.ContentLength == 0) return [];
        using var memory = new MemoryStream((int)Math.Min(request.ContentLength ?? 256, limit));
        var buffer = new byte[8192];
        while (await request.Body.ReadAsync(buffer, cancel) is var read and > 0)
        {
            if (memory.Length + read > limit) return null;
            memory.Write(buffer, 0, read);
        }

        return memory.ToArray();
    }
}
