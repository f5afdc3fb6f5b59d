using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;
using Vedette.Server.Tests.Access;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph;

/// <summary>Registering applications over Graph: the way of a script from nothing to a working client.</summary>
public sealed class ApplicationTests(GraphFixture graph) : IClassFixture<GraphFixture>
{
    private const string Graph = GraphFixture.Resource;
    private static readonly (string, string) Eventual = ("ConsistencyLevel", "eventual");
    private readonly DirectoryHost _host = graph.Host;
    private readonly string _token = graph.Token;

    [Fact]
    public async Task A_script_registers_an_application_and_calls_an_api_with_it()
    {
        var application = await PostAsync("/v1.0/applications", new
        {
            displayName = "Script's own",
            requiredResourceAccess = new[] { new { resourceAppId = ResourceCatalogue.EndpointAppId, resourceAccess = new[] { new { id = "71fe6b80-7034-4028-9ed8-0f316df9c3ff", type = "Role" } } } },
            web = new { redirectUris = new[] { "https://app.example/callback" } },
        });
        application.GetProperty("@odata.context").GetString().ShouldEndWith("/v1.0/$metadata#applications/$entity");
        application.GetProperty("publisherDomain").GetString().ShouldBe("contoso.example");
        application.GetProperty("web").GetProperty("redirectUris")[0].GetString().ShouldBe("https://app.example/callback");
        application.GetProperty("requiredResourceAccess")[0].GetProperty("resourceAccess")[0].GetProperty("type").GetString().ShouldBe("Role");
        var (id, appId) = (Text(application, "id"), Text(application, "appId"));

        var secret = await PostAsync($"/v1.0/applications/{id}/addPassword", new { passwordCredential = new { displayName = "first" } }, 200);
        var client = new TestClient(_host.Directory.GetApplication(appId), _host.Tenant.Id.ToString(), Text(secret, "secretText"));
        secret.GetProperty("endDateTime").GetDateTime().ShouldBe(secret.GetProperty("startDateTime").GetDateTime().AddYears(2));

        // Without a service principal the application is not in the tenant yet.
        (await _host.AskTokenAsync(client.Tenant, Credentials(client))).Json.GetProperty("error").GetString().ShouldBe("unauthorized_client");
        var principal = await PostAsync("/v1.0/servicePrincipals", new { appId });
        (await _host.GetAsync("/api/alerts", await _host.TokenAsync(client))).Status.ShouldBe(403);

        var api = (await _host.GetAsync($"/v1.0/servicePrincipals?$filter=appId eq '{ResourceCatalogue.EndpointAppId}'&$select=id,appRoles,displayName", _token)).Value.ShouldHaveSingleItem();
        var role = api.GetProperty("appRoles").EnumerateArray().Single(item => Text(item, "value") == "Alert.Read.All");
        role.GetProperty("allowedMemberTypes")[0].GetString().ShouldBe("Application");
        var assignment = await PostAsync(
            $"/v1.0/servicePrincipals/{Text(principal, "id")}/appRoleAssignments", new { principalId = Text(principal, "id"), resourceId = Text(api, "id"), appRoleId = Text(role, "id") });
        Text(assignment, "principalDisplayName").ShouldBe("Script's own");
        Text(assignment, "resourceDisplayName").ShouldBe("WindowsDefenderATP");
        (await _host.GetAsync("/api/alerts", await _host.TokenAsync(client))).Status.ShouldBe(200);

        (await SendAsync(HttpMethod.Delete, $"/v1.0/servicePrincipals/{Text(principal, "id")}/appRoleAssignments/{Text(assignment, "id")}")).Status.ShouldBe(204);
        (await _host.GetAsync("/api/alerts", await _host.TokenAsync(client))).Status.ShouldBe(403);
        (await SendAsync(HttpMethod.Post, $"/v1.0/applications/{id}/removePassword", new { keyId = Text(secret, "keyId") })).Status.ShouldBe(204);
        (await _host.AskTokenAsync(client.Tenant, Credentials(client))).Status.ShouldBe(401);
        (await SendAsync(HttpMethod.Delete, $"/v1.0/applications/{id}")).Status.ShouldBe(204);
        (await _host.GetAsync($"/v1.0/applications/{id}", _token)).ShouldFail(
            404, "Request_ResourceNotFound", $"Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
        (await _host.GetAsync($"/v1.0/servicePrincipals/{Text(principal, "id")}", _token)).Status.ShouldBe(404);
    }

    [Theory]
    [InlineData("/v1.0/applications/{0}")]
    [InlineData("/beta/applications/{0}")]
    [InlineData("/v1.0/applications('{0}')")]
    [InlineData("/V1.0/Applications({0})")]
    [InlineData("/v1.0/applications(appId='{1}')")]
    [InlineData("/v1.0/applications(appId='{1}')?$select=id,appId")]
    public async Task Every_spelling_of_a_key_finds_the_application(string path)
    {
        var application = await PostAsync("/v1.0/applications", new { displayName = "Keyed" });
        var answer = await _host.GetAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, path, Text(application, "id"), Text(application, "appId")), _token);
        answer.Status.ShouldBe(200, answer.Body);
        Text(answer.Json, "id").ShouldBe(Text(application, "id"));
    }

    [Fact]
    public async Task An_update_changes_what_it_names_and_nothing_else()
    {
        var roleId = Guid.NewGuid();
        var application = await PostAsync("/v1.0/applications", new
        {
            displayName = "Before",
            tags = new[] { "one" },
            spa = new { redirectUris = new[] { "https://spa.example/" } },
            appRoles = new[] { new { id = roleId, value = "Things.Read", displayName = "Read things", description = "Reads all things", isEnabled = true, allowedMemberTypes = new[] { "User", "Application" } } },
        });
        var path = $"/v1.0/applications/{Text(application, "id")}";
        (await SendAsync(HttpMethod.Patch, path, new
        {
            displayName = "After",
            identifierUris = new[] { $"api://{Text(application, "appId")}" },
            web = new { redirectUris = new[] { "https://web.example/" } },
            api = new { requestedAccessTokenVersion = 2, oauth2PermissionScopes = new[] { new { id = Guid.NewGuid(), value = "access", type = "User", isEnabled = true, adminConsentDisplayName = "Access", adminConsentDescription = "Access it" } } },
        })).Status.ShouldBe(204);
        var now = (await _host.GetAsync(path, _token)).Json;
        Text(now, "displayName").ShouldBe("After");
        now.GetProperty("tags")[0].GetString().ShouldBe("one");
        now.GetProperty("spa").GetProperty("redirectUris")[0].GetString().ShouldBe("https://spa.example/");
        now.GetProperty("web").GetProperty("redirectUris")[0].GetString().ShouldBe("https://web.example/");
        now.GetProperty("api").GetProperty("requestedAccessTokenVersion").GetInt32().ShouldBe(2);
        Text(now.GetProperty("api").GetProperty("oauth2PermissionScopes")[0], "value").ShouldBe("access");
        now.GetProperty("appRoles")[0].GetProperty("allowedMemberTypes").GetArrayLength().ShouldBe(2);

        // A permission that is switched on cannot be taken out.
        (await SendAsync(HttpMethod.Patch, path, new { appRoles = Array.Empty<object>() })).ShouldFail(
            400, "Request_BadRequest", "Permission (scope or role) cannot be deleted or updated unless disabled first.");
        (await SendAsync(HttpMethod.Patch, path, new
        {
            appRoles = new[] { new { id = roleId, value = "Things.Read", displayName = "Read things", description = "Reads all things", isEnabled = false, allowedMemberTypes = new[] { "User", "Application" } } },
        })).Status.ShouldBe(204);
        (await SendAsync(HttpMethod.Patch, path, new { appRoles = Array.Empty<object>() })).Status.ShouldBe(204);
    }

    [Fact]
    public async Task Pages_follow_each_other_with_opaque_tokens_and_lose_nothing_while_items_are_deleted()
    {
        for (var number = 0; number < 7; number++) await PostAsync("/v1.0/applications", new { displayName = $"Paged {number}" });
        var next = "/v1.0/applications?$filter=startswith(displayName,'Paged')&$top=3&$select=id";
        var seen = new List<string>();
        for (var page = 0; next is not null && page < 5; page++)
        {
            var answer = await _host.GetAsync(next, _token);
            foreach (var item in answer.Value)
            {
                seen.Add(Text(item, "id"));
                (await SendAsync(HttpMethod.Delete, $"/v1.0/applications/{Text(item, "id")}")).Status.ShouldBe(204);
            }

            next = answer.Json.TryGetProperty("@odata.nextLink", out var link) ? new Uri(link.GetString()!).PathAndQuery : null;
            if (next is not null) next.ShouldContain("$skiptoken=");
        }

        seen.Distinct().Count().ShouldBe(7);
    }

    [Theory]
    [InlineData("/v1.0/applications", """{"displayName":"X","colour":"red"}""")]
    [InlineData("/v1.0/groups", """{"displayName":"X","mailEnabled":false,"mailNickname":"x","securityEnabled":true,"colour":"red"}""")]
    [InlineData("/beta/users", """{"accountEnabled":true,"displayName":"X","mailNickname":"x","userPrincipalName":"x@contoso.example","passwordProfile":{"password":"long enough"},"colour":null}""")]
    public async Task A_property_that_the_service_does_not_know_is_refused(string path, string body) =>
        (await SendAsync(HttpMethod.Post, path, body)).ShouldFail(400, "Request_BadRequest", "Invalid property 'colour'.");

    [Fact]
    public async Task A_property_that_the_service_knows_and_nothing_here_uses_is_taken()
    {
        var application = await PostAsync("/v1.0/applications", new { displayName = "Full", optionalClaims = new { }, groupMembershipClaims = "All", extension_ab12_room = "4" });
        var changed = await SendAsync(HttpMethod.Patch, $"/v1.0/applications/{Text(application, "id")}", """{"@odata.type":"#microsoft.graph.application","serviceManagementReference":"7","Colour":1}""");
        changed.ShouldFail(400, "Request_BadRequest", "Invalid property 'Colour'.");
        (await SendAsync(HttpMethod.Patch, $"/v1.0/applications/{Text(application, "id")}", """{"@odata.type":"#microsoft.graph.application","serviceManagementReference":"7"}""")).Status.ShouldBe(204);
    }

    [Fact]
    public async Task Advanced_queries_need_their_header()
    {
        await PostAsync("/v1.0/applications", new { displayName = "Alpha searched" });
        await PostAsync("/v1.0/applications", new { displayName = "Beta" });
        (await _host.GetAsync("/v1.0/applications?$count=true", _token)).Json.TryGetProperty("@odata.count", out _).ShouldBeFalse();
        (await _host.GetAsync("/v1.0/applications?$count=true&$filter=displayName ne 'Beta' and startswith(displayName,'Alpha')", _token, Eventual)).Json.GetProperty("@odata.count").GetInt32().ShouldBe(1);
        (await _host.GetAsync("/v1.0/applications?$filter=displayName ne 'Beta'", _token)).Code.ShouldBe("Request_UnsupportedQuery");
        (await _host.GetAsync("/v1.0/applications?$search=\"displayName:searched\"", _token)).Code.ShouldBe("Request_UnsupportedQuery");
        (await _host.GetAsync("/v1.0/applications?$search=\"displayName:searched\"", _token, Eventual)).Value.Count.ShouldBe(1);
        (await _host.GetAsync("/v1.0/applications/$count", _token)).Code.ShouldBe("Request_BadRequest");
        (await _host.GetAsync("/v1.0/applications/$count?$filter=displayName eq 'Beta'", _token, Eventual)).Body.ShouldBe("1");
        (await _host.GetAsync("/v1.0/applications?$filter=contains(displayName,'a')", _token, Eventual)).ShouldFail(400, "Request_UnsupportedQuery", "Filter operator 'Contains' is not supported.");
        (await _host.GetAsync("/v1.0/applications?$filter=displayName in ('Beta','Gamma')", _token)).Value.Count.ShouldBe(1);
        (await _host.GetAsync("/v1.0/applications?$filter=identifierUris/any(x:x eq 'api://none')", _token)).Value.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/v1.0/applications?$skip=1", "Request_BadRequest", "'$skip' is not supported by the service.")]
    [InlineData("/v1.0/applications?$top=1000", "Request_BadRequest", "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.")]
    [InlineData("/v1.0/applications?$filter=nothing eq 'x'", "BadRequest", "Invalid filter clause: Could not find a property named 'nothing' on type 'microsoft.graph.application'.")]
    [InlineData("/v1.0/applications?$filter=notes eq 'x'", "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified for property 'notes' of resource 'Application'.")]
    [InlineData("/v1.0/applications?$skiptoken=nonsense", "Directory_ExpiredPageToken", "The specified page token value is invalid or has expired.")]
    [InlineData("/v1.0/applications/nonsense", "Request_BadRequest", "Invalid object identifier 'nonsense'.")]
    [InlineData("/v1.0/nonsense", "BadRequest", "Resource not found for the segment 'nonsense'.")]
    public async Task Mistakes_are_named(string path, string code, string message) => (await _host.GetAsync(path, _token)).ShouldFail(400, code, message);

    [Fact]
    public async Task Errors_carry_the_ids_of_the_request()
    {
        var own = Guid.NewGuid().ToString();
        var answer = await _host.GetAsync($"/v1.0/applications/{Guid.NewGuid()}", _token, ("client-request-id", own));
        var inner = answer.Json.GetProperty("error").GetProperty("innerError");
        Text(inner, "client-request-id").ShouldBe(own);
        answer.Headers.GetValues("client-request-id").Single().ShouldBe(own);
        answer.Headers.GetValues("request-id").Single().ShouldBe(Text(inner, "request-id"));
        DateTime.Parse(Text(inner, "date"), System.Globalization.CultureInfo.InvariantCulture).Year.ShouldBeGreaterThan(2000);
        (await SendAsync(HttpMethod.Put, "/v1.0/applications", new { })).ShouldFail(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
        (await _host.SendAsync(HttpMethod.Get, "/v1.0/applications", null)).ShouldFail(401, "InvalidAuthenticationToken", "Access token is empty.");
        var wrong = await _host.TokenAsync(await _host.AddClientAsync(["Alert.Read.All"]));
        (await _host.GetAsync("/v1.0/applications", wrong)).ShouldFail(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.");
        var reader = await _host.TokenAsync(await _host.AddClientAsync(["Application.Read.All"], "graph"), Graph);
        (await _host.SendAsync(HttpMethod.Post, "/v1.0/applications", reader, new { displayName = "x" })).ShouldFail(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
    }

    [Fact]
    public async Task A_token_without_the_word_bearer_is_taken()
    {
        (await _host.SendAsync(HttpMethod.Get, "/v1.0/organization", null, null, ("Authorization", _token))).Status.ShouldBe(200);
        (await _host.SendAsync(HttpMethod.Get, "/api/alerts", null, null, ("Authorization", _token))).Status.ShouldBe(401);
    }

    [Fact]
    public async Task An_application_that_manages_its_own_only_cannot_touch_others()
    {
        var others = await PostAsync("/v1.0/applications", new { displayName = "Somebody else's" });
        var client = await _host.AddClientAsync(["Application.ReadWrite.OwnedBy"], "graph");
        var token = await _host.TokenAsync(client, Graph);
        var own = (await _host.SendAsync(HttpMethod.Post, "/v1.0/applications", token, new { displayName = "Mine" })).Json;
        (await _host.SendAsync(HttpMethod.Patch, $"/v1.0/applications/{Text(own, "id")}", token, new { notes = "n" })).Status.ShouldBe(204);
        (await _host.SendAsync(HttpMethod.Patch, $"/v1.0/applications/{Text(others, "id")}", token, new { notes = "n" })).ShouldFail(
            403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
        (await _host.SendAsync(HttpMethod.Post, $"/v1.0/applications/{Text(others, "id")}/addPassword", token, new { })).Status.ShouldBe(403);
        var owners = (await _host.GetAsync($"/v1.0/applications/{Text(own, "id")}/owners", _token)).Value.ShouldHaveSingleItem();
        Text(owners, "@odata.type").ShouldBe("#microsoft.graph.servicePrincipal");
        Text(owners, "appId").ShouldBe(client.Id);
        (await _host.GetAsync($"/v1.0/applications/{Text(own, "id")}?$expand=owners&$select=id", _token)).Json.GetProperty("owners").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task A_key_is_added_by_update_first_and_then_with_a_proof_of_possession()
    {
        var application = await PostAsync("/v1.0/applications", new { displayName = "Keys" });
        var path = $"/v1.0/applications/{Text(application, "id")}";
        using var firstKey = RSA.Create(2048);
        using var first = Certificate(firstKey, "CN=first");
        using var secondKey = RSA.Create(2048);
        using var second = Certificate(secondKey, "CN=second");
        object Key(X509Certificate2 certificate) => new { type = "AsymmetricX509Cert", usage = "Verify", key = Convert.ToBase64String(certificate.RawData), displayName = certificate.Subject };
        (await SendAsync(HttpMethod.Post, path + "/addKey", new { keyCredential = Key(first), proof = "x" })).Status.ShouldBe(400);
        (await SendAsync(HttpMethod.Patch, path, new { keyCredentials = new[] { Key(first) } })).Status.ShouldBe(204);
        (await SendAsync(HttpMethod.Post, path + "/addKey", new { keyCredential = Key(second), proof = Proof(secondKey, Text(application, "id")) })).Status.ShouldBe(400);
        var added = await PostAsync(path + "/addKey", new { keyCredential = Key(second), proof = Proof(firstKey, Text(application, "id")) }, 200);
        Text(added, "customKeyIdentifier").ShouldBe(second.Thumbprint);
        (await _host.GetAsync(path, _token)).Json.GetProperty("keyCredentials").EnumerateArray().Select(key => Text(key, "customKeyIdentifier")).ShouldBe([first.Thumbprint, second.Thumbprint], ignoreOrder: true);
        (await SendAsync(HttpMethod.Post, path + "/removeKey", new { keyId = Text(added, "keyId"), proof = Proof(firstKey, Text(application, "id")) })).Status.ShouldBe(204);
        (await _host.GetAsync(path, _token)).Json.GetProperty("keyCredentials").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Consent_for_users_is_given_changed_and_taken_back()
    {
        var principal = await PostAsync("/v1.0/servicePrincipals", new { appId = Text(await PostAsync("/v1.0/applications", new { displayName = "Delegated" }), "appId") });
        var graph = (await _host.GetAsync($"/v1.0/servicePrincipals(appId='{ResourceCatalogue.GraphAppId}')", _token)).Json;
        Text(graph, "appOwnerOrganizationId").ShouldBe("f8cdef31-a31e-4b4a-93e4-5f571e91255a");
        (await SendAsync(HttpMethod.Delete, $"/v1.0/servicePrincipals/{Text(graph, "id")}")).Status.ShouldBe(403);
        var body = new { clientId = Text(principal, "id"), consentType = "AllPrincipals", resourceId = Text(graph, "id"), scope = "User.Read openid" };
        var grant = await PostAsync("/v1.0/oauth2PermissionGrants", body);
        (await SendAsync(HttpMethod.Post, "/v1.0/oauth2PermissionGrants", body)).ShouldFail(409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.");
        (await SendAsync(HttpMethod.Patch, $"/v1.0/oauth2PermissionGrants/{Text(grant, "id")}", new { scope = "User.Read" })).Status.ShouldBe(204);
        Text((await _host.GetAsync($"/v1.0/oauth2PermissionGrants?$filter=clientId eq '{Text(principal, "id")}'", _token)).Value.Single(), "scope").ShouldBe("User.Read");
        (await SendAsync(HttpMethod.Delete, $"/v1.0/oauth2PermissionGrants/{Text(grant, "id")}")).Status.ShouldBe(204);
        (await SendAsync(HttpMethod.Post, "/v1.0/oauth2PermissionGrants", new { clientId = Text(principal, "id"), consentType = "Principal", resourceId = Text(graph, "id"), scope = "User.Read" })).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Duplicates_are_refused_in_the_words_of_the_service()
    {
        var application = await PostAsync("/v1.0/applications", new { displayName = "Twice", identifierUris = new[] { "https://twice.example" } });
        (await SendAsync(HttpMethod.Post, "/v1.0/applications", new { displayName = "Again", identifierUris = new[] { "https://twice.example" } })).Code.ShouldBe("Request_BadRequest");
        var appId = Text(application, "appId");
        await PostAsync("/v1.0/servicePrincipals", new { appId });
        (await SendAsync(HttpMethod.Post, "/v1.0/servicePrincipals", new { appId })).ShouldFail(
            409, "Request_MultipleObjectsWithSameKeyValue", $"The service principal cannot be created, updated, or restored because the service principal name {appId} is already in use.");
        (await SendAsync(HttpMethod.Post, "/v1.0/servicePrincipals", new { appId = Guid.Empty })).ShouldFail(
            400, "Request_BadRequest", $"The appId '{Guid.Empty}' of the service principal does not reference a valid application object.");
        (await SendAsync(HttpMethod.Post, "/v1.0/applications", new { })).ShouldFail(400, "Request_BadRequest", "A value is required for property 'displayName'.");
    }

    [Fact]
    public async Task A_batch_runs_in_the_order_that_its_parts_depend_on_each_other()
    {
        var application = await PostAsync("/v1.0/applications", new { displayName = "Batched" });
        var answer = await SendAsync(HttpMethod.Post, "/v1.0/$batch", new
        {
            requests = new object[]
            {
                new { id = "1", method = "PATCH", url = $"/applications/{Text(application, "id")}", headers = new Dictionary<string, string> { ["Content-Type"] = "application/json" }, body = new { notes = "by batch" } },
                new { id = "2", method = "GET", url = $"/applications/{Text(application, "id")}?$select=notes", dependsOn = new[] { "1" } },
                new { id = "3", method = "GET", url = $"/applications/{Guid.NewGuid()}" },
                new { id = "4", method = "GET", url = "/organization", dependsOn = new[] { "3" } },
                new { id = "5", method = "POST", url = "/$batch", headers = new Dictionary<string, string> { ["Content-Type"] = "application/json" }, body = new { requests = Array.Empty<object>() } },
            },
        });
        answer.Status.ShouldBe(200, answer.Body);
        var parts = answer.Json.GetProperty("responses").EnumerateArray().ToDictionary(part => Text(part, "id"));
        parts["1"].GetProperty("status").GetInt32().ShouldBe(204);
        Text(parts["2"].GetProperty("body"), "notes").ShouldBe("by batch");
        parts["3"].GetProperty("status").GetInt32().ShouldBe(404);
        parts["4"].GetProperty("status").GetInt32().ShouldBe(424);
        parts["5"].GetProperty("status").GetInt32().ShouldBe(400);

        var many = Enumerable.Range(1, 21).Select(number => new { id = $"{number}", method = "GET", url = "/organization" });
        (await SendAsync(HttpMethod.Post, "/v1.0/$batch", new { requests = many })).ShouldFail(400, "BadRequest", "Number of requests inside batch exceed the limit.");
        (await SendAsync(HttpMethod.Post, "/beta/$batch", new { requests = new[] { new { id = "1", method = "GET", url = "/a", dependsOn = new[] { "2" } } } })).Status.ShouldBe(400);
    }

    [Theory]
    [InlineData("""{"displayName":5}""")]
    [InlineData("""{"displayName":"x","web":{"redirectUris":"no list"}}""")]
    [InlineData("""{"displayName":"x","web":{"redirectUris":["javascript:alert(1)"]}}""")]
    [InlineData("""{"displayName":"x","api":{"requestedAccessTokenVersion":"two"}}""")]
    [InlineData("""{"displayName":"x","api":{"requestedAccessTokenVersion":3}}""")]
    [InlineData("""{"displayName":"x","appRoles":[1]}""")]
    [InlineData("""{"displayName":"x","appRoles":[{"id":"no id"}]}""")]
    [InlineData("""{"displayName":"x","requiredResourceAccess":[{"resourceAppId":"00000003-0000-0000-c000-000000000000","resourceAccess":[{"id":"e1fe6dd8-ba31-4d61-89e7-88639da4683d","type":"Nothing"}]}]}""")]
    [InlineData("""{"displayName":"x","signInAudience":"Everybody"}""")]
    [InlineData("""{"displayName":"x","keyCredentials":[{"key":"AAAA"}]}""")]
    [InlineData("[]")]
    [InlineData("{")]
    public async Task Malformed_registrations_are_refused_and_leave_nothing(string body)
    {
        (await SendAsync(HttpMethod.Post, "/v1.0/applications", body)).Status.ShouldBe(400);
        (await _host.GetAsync("/v1.0/applications?$filter=displayName eq 'x'", _token)).Value.ShouldBeEmpty();
    }

    private static List<KeyValuePair<string, string>> Credentials(TestClient client) =>
        [new("grant_type", "client_credentials"), new("client_id", client.Id), new("client_secret", client.Secret), new("scope", $"{EndpointHost.Audience}/.default")];

    private static X509Certificate2 Certificate(RSA key, string name) =>
        new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));

    private static string Proof(RSA key, string id)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var header = System.Buffers.Text.Base64Url.EncodeToUtf8("""{"alg":"RS256","typ":"JWT"}"""u8);
        return JsonWebToken.Sign(header, Encoding.UTF8.GetBytes($$"""{"aud":"00000002-0000-0000-c000-000000000000","iss":"{{id}}","nbf":{{now}},"exp":{{now + 600}}}"""), key);
    }

    private async Task<JsonElement> PostAsync(string path, object body, int status = 201)
    {
        var answer = await SendAsync(HttpMethod.Post, path, body);
        answer.Status.ShouldBe(status, answer.Body);
        return answer.Json;
    }

    private Task<Answer> SendAsync(HttpMethod method, string path, object? body = null) => _host.SendAsync(method, path, _token, body);

    private static string Text(JsonElement item, string name) => item.GetProperty(name).GetString()!;
}
