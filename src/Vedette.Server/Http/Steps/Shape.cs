using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Http.Steps;

/// <summary>Writes the answer, or the error in the envelope of the service, and notes every refusal under its id.</summary>
internal sealed class Shape(RefusalLog refusals, TimeProvider clock, ILogger<Shape> log)
{
    private const string JsonType = "application/json; charset=utf-8";
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Writes the answer of a call.</summary>
    public async ValueTask WriteAsync(ApiCall call, ApiError? error)
    {
        var response = call.Http.Response;
        call.Surface.Dialect.WriteHeaders(call.Http, call.Id);
        if (error is not null)
        {
            Note(call, error);
            WriteError(call.Http, call.Surface, call.Id, error);
            return;
        }

        response.StatusCode = call.Status ?? call.Endpoint.Success;
        switch (call.Result)
        {
            case NumberResult number:
                response.StatusCode = call.Status ?? StatusCodes.Status200OK;
                response.ContentType = call.Surface.Dialect.NumberType;
                response.Headers["OData-Version"] = "4.0";
                await response.WriteAsync(number.Value.ToString(CultureInfo.InvariantCulture), call.Aborted);
                break;
            case PlainResult plain:
                response.ContentType = plain.ContentType;
                response.Headers["OData-Version"] = "4.0";
                await response.WriteAsync(plain.Text, call.Aborted);
                break;
            case TextResult text:
                await WriteJsonAsync(call, new JsonResult((json, _) =>
                {
                    json.WriteStartObject();
                    json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
                    json.WriteString("value"u8, text.Value);
                    json.WriteEndObject();
                    return ValueTask.CompletedTask;
                }));
                break;
            case JsonResult json:
                await WriteJsonAsync(call, json);
                break;
            case KeptResult kept:
                response.ContentType = call.Surface.Dialect.ODataType;
                response.Headers["OData-Version"] = "4.0";
                response.ContentLength = kept.Answer.Length;
                await response.BodyWriter.WriteAsync(kept.Answer, call.Aborted);
                break;
            case FileResult file:
                response.ContentType = file.ContentType;
                response.Headers.ContentDisposition = $"attachment; filename=\"{file.FileName}\"";
                await file.WriteAsync(response.Body, call.Aborted);
                break;
        }
    }

    private static async ValueTask WriteJsonAsync(ApiCall call, JsonResult result)
    {
        var response = call.Http.Response;
        response.ContentType = result.OData ? call.Surface.Dialect.ODataType : JsonType;
        if (result.OData) response.Headers["OData-Version"] = "4.0";
        var recorder = result.Keep is null ? null : new RecordingWriter(response.BodyWriter, PageCache.MostBytes);
        await using var json = new Utf8JsonWriter((IBufferWriter<byte>?)recorder ?? response.BodyWriter, Json);
        try
        {
            await result.WriteAsync(json, new AnswerFlow(json, response.BodyWriter, call.Aborted));
            await json.FlushAsync(call.Aborted);
            if (recorder?.Record is { } answer) result.Keep!(answer);
        }
        catch (Exception) when (!response.HasStarted && json.BytesCommitted == 0)
        {
            // Nothing has left the writer, so an error can still be answered in its place.
            json.Reset();
            response.Headers.Remove("OData-Version");
            throw;
        }
        catch (Exception)
        {
            // The status is gone already: a broken connection is the only honest sign that the answer is not whole.
            json.Reset();
            call.Http.Abort();
            throw new OperationCanceledException("The answer broke off.");
        }
        finally
        {
            if (result.Source is { } source) await source.DisposeAsync();
        }
    }

    /// <summary>Writes the answer for a path or verb that no row has.</summary>
    public void WriteUnrouted(HttpContext http, ApiSurface surface, ApiError error, Guid id)
    {
        surface.Dialect.WriteHeaders(http, id);
        WriteError(http, surface, id, error);
    }

    private void WriteError(HttpContext http, ApiSurface surface, Guid id, ApiError error)
    {
        var response = http.Response;
        var template = error.Template;
        response.StatusCode = template.Status;
        if (error.RetryAfter is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (error.Challenge is { } challenge) response.Headers.WWWAuthenticate = challenge;
        response.ContentType = JsonType;
        var buffer = new ArrayBufferWriter<byte>(256);
        if (error.RawBody is { } raw)
        {
            Encoding.UTF8.GetBytes(raw, buffer);
            response.ContentLength = buffer.WrittenCount;
            response.BodyWriter.Write(buffer.WrittenSpan);
            return;
        }

        using (var json = new Utf8JsonWriter(buffer, Json)) surface.Dialect.WriteError(json, http, id, error, clock.GetUtcNow());
        response.ContentLength = buffer.WrittenCount;
        response.BodyWriter.Write(buffer.WrittenSpan);
    }

    private void Note(ApiCall call, ApiError error)
    {
        var caller = call.Caller as ApiCaller;
        var explanation = error.Explanation ?? error.Message;
        refusals.Add(new RefusedCall(
            call.Id, clock.GetUtcNow().UtcDateTime, call.Endpoint.Key, error.Template.Status, error.Template.Code, error.Message, explanation,
            caller?.ApplicationId)
        {
            TenantId = caller?.TenantId,
            UserId = caller is { IsUser: true } ? caller.ObjectId : null,
            ResourceAppId = call.Endpoint.Resource ?? call.Surface.Resource,
            Needed = error.Needed,
            Had = caller is null ? [] : [.. caller.Permissions.Order(StringComparer.Ordinal)],
        });
        log.LogInformation(
            "{Id}: {Call} answered {Status} {Code} to application {Application}: {Explanation}",
            call.Id, call.Endpoint.Key, error.Template.Status, error.Template.Code, caller?.ApplicationId, explanation);
    }
}
