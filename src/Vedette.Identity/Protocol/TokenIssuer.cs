using System.Text.Json;
using Vedette.Identity.Directory;

namespace Vedette.Identity.Protocol;

/// <summary>Asks for a token in application context, as a command does.</summary>
/// <param name="ClientId">Application (client) id.</param>
/// <param name="ClientSecret">Its secret.</param>
/// <param name="Resource">The API: short name, name, URI or id.</param>
/// <param name="Tenant">Tenant: id or domain; the application's home tenant when null.</param>
public sealed record IssueTokenRequest(string ClientId, string ClientSecret, string Resource = "endpoint", string? Tenant = null);

/// <summary>Gets tokens for commands, through the same steps that a client's request takes.</summary>
public sealed class TokenIssuer(TokenEndpoint endpoint, DirectoryService directory)
{
    /// <summary>Gets a token. The answer is what the v1 token endpoint says: <c>access_token</c>, <c>expires_in</c>, <c>resource</c> and so on.</summary>
    /// <exception cref="DirectoryException">Refused; the message holds the AADSTS number.</exception>
    public async Task<JsonElement> IssueAsync(IssueTokenRequest request, CancellationToken cancellationToken = default)
    {
        var resource = directory.FindResource(request.Resource);
        var firstParty = Resources.ResourceCatalogue.Default.TryGet(resource.AppId, out var known) ? known.ResourceUri : resource.AppId.ToString();
        var spelledOut = directory.Directory.Resource(request.Resource) is not null ? request.Resource : firstParty;
        var answer = await endpoint.HandleAsync(
            new AuthorityCall
            {
                Authority = "https://localhost",
                TenantSegment = request.Tenant ?? directory.FindApplication(request.ClientId).TenantId.ToString(),
                Version = 1,
                Method = "POST",
                Form = new Dictionary<string, string>
                {
                    ["grant_type"] = "client_credentials",
                    ["client_id"] = request.ClientId,
                    ["client_secret"] = request.ClientSecret,
                    ["resource"] = spelledOut,
                },
                TraceId = Guid.NewGuid(),
                CorrelationId = Guid.NewGuid(),
            },
            cancellationToken);
        using var document = JsonDocument.Parse(answer.Body);
        if (answer.Status == 200) return document.RootElement.Clone();
        throw new DirectoryException(DirectoryProblem.BadInput, document.RootElement.GetProperty("error_description").GetString()!);
    }
}
