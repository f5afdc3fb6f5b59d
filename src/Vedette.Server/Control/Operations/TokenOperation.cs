using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Server.Hosting;

namespace Vedette.Server.Control.Operations;

/// <summary><c>token</c>: asks the token endpoint for an application's token, by the same steps as a request over HTTP.</summary>
internal sealed class TokenOperation(TokenEndpoint endpoint, DirectoryService directory, ServerState state) : DirectoryOperation<TokenOperation.Input>("token")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken)
    {
        var (clientId, secret) = (input.ClientId, input.ClientSecret);
        if (string.IsNullOrEmpty(clientId))
        {
            var demo = state.Demo ?? throw new OperationException("bad_input", "There is no demo application: name one with --client-id.");
            (clientId, secret) = (demo.ClientId.ToString(), secret ?? demo.ClientSecret);
        }

        if (string.IsNullOrEmpty(secret))
        {
            throw new OperationException("bad_input", "The application's secret is missing: give --client-secret or set VEDETTE_CLIENT_SECRET.");
        }

        var tenant = directory.FindTenant(input.Tenant);
        var answer = await endpoint.HandleAsync(
            new AuthorityCall
            {
                Authority = state.Address?.Https ?? "https://localhost",
                TenantSegment = tenant.Id.ToString(),
                Version = 2,
                Method = "POST",
                TraceId = Guid.NewGuid(),
                CorrelationId = Guid.NewGuid(),
                Form = new Dictionary<string, string>
                {
                    ["grant_type"] = "client_credentials",
                    ["client_id"] = clientId,
                    ["client_secret"] = secret,
                    ["scope"] = Scope(input.Resource),
                },
            },
            cancellationToken);
        var body = JsonNode.Parse(answer.Body.Span)!;
        return answer.Status == StatusCodes.Status200OK
            ? body
            : throw new OperationException((string)body["error"]!, (string)body["error_description"]!);
    }

    // A short name becomes the API's URI; anything else is taken as the audience that the caller wants.
    private static string Scope(string resource) => resource switch
    {
        "endpoint" => "https://api.securitycenter.microsoft.com/.default",
        "threat-protection" => "https://api.security.microsoft.com/.default",
        "graph" => "https://graph.microsoft.com/.default",
        _ when resource.EndsWith("/.default", StringComparison.Ordinal) => resource,
        _ => resource + "/.default",
    };

    internal sealed record Input(string ClientId, string? ClientSecret, string Resource, string? Tenant);
}
