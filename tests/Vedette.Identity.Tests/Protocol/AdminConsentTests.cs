using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.SignIn;

namespace Vedette.Identity.Tests.Protocol;

/// <summary>The link by which a client asks an administrator for consent on behalf of an organisation, in both generations.</summary>
public sealed class AdminConsentTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private const string Redirect = "https://client.example/consented";
    private static readonly Guid GlobalAdministrator = new("62e90394-69f5-4237-9190-012177145e10");
    private TestAuthority _authority = null!;
    private string _clientId = "";

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        _clientId = await AddClientAsync("SOAR", multiTenant: false);
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("boss", "Grace Hopper") { Password = Password, DirectoryRoles = [GlobalAdministrator] });
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password });
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task Version_1_grants_everything_the_registration_requires()
    {
        var ask = await SignInAsync(await BeginAsync(1), "boss");
        ask.Permissions.Select(permission => (permission.Name, permission.Kind)).ShouldBe([("Alert.Read.All", "Application"), ("Alert.Read", "Delegated")]);
        ask.Organisation.ShouldBe("Contoso");
        var reply = await AnswerAsync(ask, accepted: true);
        reply.RedirectUri.ShouldBe(Redirect);
        reply.Parameters.Select(pair => (pair.Key, pair.Value)).ShouldBe([("admin_consent", "True"), ("tenant", _authority.Tenant.Id.ToString()), ("state", "s&t")]);
        _authority.Directory.GetApplication(_clientId).Permissions.ShouldAllBe(permission => permission.Consented);
    }

    [Fact]
    public async Task Version_2_grants_the_scopes_it_names()
    {
        var ask = await SignInAsync(await BeginAsync(2, scope: "https://api.securitycenter.microsoft.com/Alert.Read openid"), "boss");
        ask.Permissions.Select(permission => permission.Name).ShouldBe(["Alert.Read"]);
        var reply = await AnswerAsync(ask, accepted: true);
        reply.Parameters.Select(pair => (pair.Key, pair.Value)).ShouldBe(
            [("admin_consent", "True"), ("tenant", _authority.Tenant.Id.ToString()), ("scope", "https://api.securitycenter.microsoft.com/Alert.Read openid"), ("state", "s&t")]);
        _authority.Directory.GetApplication(_clientId).Permissions.ToDictionary(permission => permission.Name, permission => permission.Consented)
            .ShouldBe(new Dictionary<string, bool> { ["Alert.Read.All"] = false, ["Alert.Read"] = true }, ignoreOrder: true);
    }

    [Fact]
    public async Task Version_2_with_default_is_like_version_1()
    {
        var ask = await SignInAsync(await BeginAsync(2, scope: "https://api.securitycenter.microsoft.com/.default"), "boss");
        await AnswerAsync(ask, accepted: true);
        _authority.Directory.GetApplication(_clientId).Permissions.ShouldAllBe(permission => permission.Consented);
    }

    [Theory]
    [InlineData(1, "permission_denied", new[] { "error", "error_description", "state" })]
    [InlineData(2, "consent_required", new[] { "error", "error_description", "admin_consent", "state" })]
    public async Task A_refusal_is_told_in_the_words_of_its_generation(int version, string error, string[] names)
    {
        var ask = await SignInAsync(await BeginAsync(version, scope: version == 2 ? "User.Read" : null), "boss");
        var reply = await AnswerAsync(ask, accepted: false);
        reply.Parameters.Select(pair => pair.Key).ShouldBe(names);
        reply.Parameters[0].Value.ShouldBe(error);
        reply.Parameters[1].Value.ShouldStartWith("AADSTS65004: ");
        _authority.Directory.GetApplication(_clientId).Permissions.ShouldAllBe(permission => !permission.Consented);
    }

    [Fact]
    public async Task Somebody_without_the_role_is_told_to_find_an_administrator()
    {
        var begin = await BeginAsync(1);
        var (step, session) = await _authority.Interactive.SignInAsync(((InteractionStep.AskSignIn)begin).Interaction, "ada@contoso.example", Password);
        var need = step.ShouldBeOfType<InteractionStep.NeedAdministrator>();
        var expected = ErrorCatalogue.Create(90094, "Contoso", "SOAR");
        (need.Error.Number, need.Error.Error, need.Error.Status, need.Error.Text).ShouldBe((90094, expected.Error, expected.Status, expected.Text));

        // Nor does an answer help that was never asked for.
        var forged = await _authority.Interactive.ConsentAsync(need.Interaction, session, accepted: true, forAll: true);
        forged.ShouldBeOfType<InteractionStep.AskSignIn>();
        _authority.Directory.GetApplication(_clientId).Permissions.ShouldAllBe(permission => !permission.Consented);
        _authority.Interactive.AskAgain(need.Interaction).ShouldBeOfType<InteractionStep.AskSignIn>();
    }

    [Fact]
    public async Task Another_tenant_consents_to_a_multi_tenant_application_for_itself()
    {
        await _authority.Directory.CreateTenantAsync(new CreateTenantRequest("Fabrikam", "fabrikam.example"));
        await _authority.Directory.CreateUserAsync(new CreateUserRequest("root", "Root") { Tenant = "fabrikam.example", Password = Password, DirectoryRoles = [GlobalAdministrator] });
        var partner = await AddClientAsync("Partner", multiTenant: true);
        var begin = await BeginAsync(1, tenant: "organizations", clientId: partner);
        var ask = await SignInAsync(begin, "root", "fabrikam.example");
        var reply = await AnswerAsync(ask, accepted: true);
        reply.Parameters.Single(pair => pair.Key == "tenant").Value.ShouldBe(_authority.Directory.FindTenant("fabrikam.example").Id.ToString());
        _authority.Directory.GetApplication(partner, "fabrikam.example").Permissions.ShouldAllBe(permission => permission.Consented);
        _authority.Directory.GetApplication(partner, "contoso.example").Permissions.ShouldAllBe(permission => !permission.Consented);
    }

    [Fact]
    public async Task What_is_wrong_with_the_request_is_shown_or_sent_back()
    {
        (await BeginAsync(1, redirect: "https://evil.example/")).ShouldBeOfType<InteractionStep.Fail>().Error.Number.ShouldBe(50011);
        (await BeginAsync(1, clientId: Guid.NewGuid().ToString())).ShouldBeOfType<InteractionStep.Fail>().Error.Number.ShouldBe(700016);
        (await BeginAsync(1, tenant: "nowhere.example")).ShouldBeOfType<InteractionStep.Fail>().Error.Number.ShouldBe(90002);
        var reply = (await BeginAsync(2)).ShouldBeOfType<InteractionStep.Reply>();
        reply.Parameters.Single(pair => pair.Key == "error_description").Value.ShouldStartWith("AADSTS900144: ");
    }

    private string? _session;

    private Task<InteractionStep> BeginAsync(int version, string? scope = null, string tenant = "contoso.example", string? clientId = null, string redirect = Redirect) =>
        _authority.Interactive.AdminConsentAsync(
            _authority.Call(version, tenant, ("client_id", clientId ?? _clientId), ("redirect_uri", redirect), ("state", "s&t"), ("scope", scope)), null);

    private async Task<InteractionStep.AskAdminConsent> SignInAsync(InteractionStep begin, string user, string domain = "contoso.example")
    {
        var (step, session) = await _authority.Interactive.SignInAsync(begin.ShouldBeOfType<InteractionStep.AskSignIn>().Interaction, $"{user}@{domain}", Password);
        _session = session;
        return step.ShouldBeOfType<InteractionStep.AskAdminConsent>();
    }

    private async Task<InteractionStep.Reply> AnswerAsync(InteractionStep.AskAdminConsent ask, bool accepted) =>
        (await _authority.Interactive.ConsentAsync(ask.Interaction, _session, accepted, forAll: false)).ShouldBeOfType<InteractionStep.Reply>();

    private async Task<string> AddClientAsync(string name, bool multiTenant)
    {
        var id = (await _authority.Directory.CreateApplicationAsync(new CreateApplicationRequest(name) { RedirectUris = [Redirect], MultiTenant = multiTenant })).AppId.ToString();
        await _authority.Directory.GrantAsync(new GrantRequest(id, ["Alert.Read.All"], "endpoint"));
        await _authority.Directory.GrantAsync(new GrantRequest(id, ["Alert.Read"], "endpoint", Delegated: true));
        return id;
    }
}
