using Microsoft.AspNetCore.Http.Features;
using Vedette.Defender.LiveResponse;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Library;

/// <summary>The live response library: listing, uploading and deleting files.</summary>
internal sealed class LibraryHandlers(LibraryService library, EntityReader reader) : IEndpointHandlers
{
    // Room for the largest file and what surrounds it in the form.
    private const long MaxFormBytes = LibraryService.MaxFileBytes + (64 * 1024);

    private static readonly FormOptions Form = new()
    {
        BufferBody = false, MultipartBodyLengthLimit = MaxFormBytes, ValueCountLimit = 32, ValueLengthLimit = 16 * 1024, MultipartHeadersLengthLimit = 8 * 1024,
    };

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/libraryfiles", call => reader.CollectionAsync(call, LibraryFileTable.Files)),
        new("POST /api/libraryfiles", UploadAsync),
        new("DELETE /api/libraryfiles/{fileName}", DeleteAsync),
    ];

    private async ValueTask<ApiResult> UploadAsync(ApiCall call)
    {
        var request = call.Http.Request;
        if (!request.HasFormContentType) return Malformed(call, "the body is not multipart/form-data");
        if (request.ContentLength > MaxFormBytes) return TooLarge(call);
        IFormCollection form;
        try
        {
            form = await new FormFeature(request, Form).ReadFormAsync(call.Aborted);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            return exception.Message.Contains("limit", StringComparison.Ordinal) ? TooLarge(call) : Malformed(call, exception.Message);
        }

        // The page calls the part 'File', its sample 'file'.
        if (form.Files.FirstOrDefault(f => f.Name.Equals("file", StringComparison.OrdinalIgnoreCase)) is not { } file) return call.Error("MissingRequiredParameter", "File");
        if (file.Length > LibraryService.MaxFileBytes) return TooLarge(call);
        if (!TryFlag(form, "OverrideIfExists", out var overrides)) return call.Error("InvalidInput", "OverrideIfExists");
        if (!TryFlag(form, "HasParameters", out var hasParameters)) return call.Error("InvalidInput", "HasParameters");
        using var content = new MemoryStream((int)file.Length);
        await file.CopyToAsync(content, call.Aborted);
        var outcome = await library.UploadAsync(
            call.Asker(),
            new LibraryUpload(Path.GetFileName(file.FileName), content.ToArray())
            {
                Description = Text(form, "Description"),
                ParametersDescription = Text(form, "ParametersDescription"),
                HasParameters = hasParameters,
                OverrideIfExists = overrides ?? false,
            },
            call.Aborted);
        if (outcome.Error is { } error) return call.Refused(error);
        return await reader.EntityAsync(call, LibraryFileTable.Files, Where.Equals("l.file_key", outcome.Value.ToLowerInvariant()))
            ?? (ApiResult)call.Error("ResourceNotFound", "Library file", outcome.Value);
    }

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call) =>
        (await library.DeleteAsync(call.Asker(), call.Route["fileName"], call.Aborted)).Error is { } error ? call.Refused(error) : EmptyResult.Instance;

    private static string? Text(IFormCollection form, string name) => form.TryGetValue(name, out var values) ? values.ToString() : null;

    // Absent and empty mean nothing was said: the documented default of the flags is the empty text.
    private static bool TryFlag(IFormCollection form, string name, out bool? flag)
    {
        flag = null;
        if (Text(form, name) is not { Length: > 0 } text) return true;
        if (!bool.TryParse(text, out var value)) return false;
        flag = value;
        return true;
    }

    private static ApiError Malformed(ApiCall call, string why) => call.Error("InvalidRequestBody") with { Explanation = why };

    private static ApiError TooLarge(ApiCall call) => call.Error("BadRequest", $"The file is larger than {LibraryService.MaxFileBytes} bytes.");
}
