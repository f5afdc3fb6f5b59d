namespace Vedette.Server.Http.Steps;

/// <summary>Notes the address under which the client reached the surface: contexts and next links repeat it, whatever host name it was.</summary>
internal sealed class ResolveHost : IRequestStep
{
    /// <inheritdoc/>
    public ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        var request = call.Http.Request;
        var segments = (request.Path.Value ?? "/").Split('/', StringSplitOptions.RemoveEmptyEntries);
        var roots = segments.Length > 1 && segments[1].Equals("v1.0", StringComparison.OrdinalIgnoreCase) ? 2 : 1;
        call.ServiceRoot = $"{request.Scheme}://{request.Host.Value}/{string.Join('/', segments.Take(roots))}";
        call.RelativePath = string.Join('/', segments.Skip(roots));
        return default;
    }
}
