using Vedette.Server.Http.OData;

namespace Vedette.Server.Http.Steps;

/// <summary>Reads <c>$filter</c>, <c>$orderby</c>, <c>$top</c> and their kin against the abilities of the row.</summary>
internal sealed class ParseOData : IRequestStep
{
    /// <inheritdoc/>
    public ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        if (call.Http.Request.QueryString.HasValue)
            call.Query = ODataParser.Parse(call, call.Surface.Entities.GetValueOrDefault(call.Endpoint.Entity));
        return default;
    }
}
