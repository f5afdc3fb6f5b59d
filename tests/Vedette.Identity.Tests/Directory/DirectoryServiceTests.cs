using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;

namespace Vedette.Identity.Tests.Directory;

public sealed class DirectoryServiceTests : IAsyncLifetime
{
    private TestAuthority _authority = null!;

    private DirectoryService Directory => _authority.Directory;

    public async Task InitializeAsync() => _authority = await TestAuthority.StartAsync();

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task The_documented_steps_register_grant_consent_and_give_a_secret()
    {
        var application = await Directory.CreateApplicationAsync(new CreateApplicationRequest("My SOAR"));
        application.TenantId.ShouldBe(_authority.Tenant.Id);
        application.Kind.ShouldBe("Web");

        var granted = await Directory.GrantAsync(new GrantRequest("My SOAR", ["Alert.Read.All", "Machine.Isolate", "Incident.Read.All"]));
        granted.Permissions.Select(p => (p.Name, p.Resource, p.Consented)).ShouldBe(
        [
            ("Incident.Read.All", "Microsoft Threat Protection", false),
            ("Alert.Read.All", "WindowsDefenderATP", false),
            ("Machine.Isolate", "WindowsDefenderATP", false),
        ]);
        granted.Permissions.Single(p => p.Name == "Machine.Isolate").Id.ShouldBe(new Guid("7e4e1300-e1b9-4102-88ba-f0cb6e6d5974"));

        (await Directory.ConsentAsync("My SOAR")).Permissions.ShouldAllBe(p => p.Consented);

        var secret = await Directory.AddSecretAsync("My SOAR", "ci", TimeSpan.FromDays(30));
        secret.SecretText.Length.ShouldBe(40);
        secret.SecretText[..3].ShouldBe(secret.Hint);
        secret.EndDateTime.ShouldBe(_authority.Clock.Now.AddDays(30));
        var details = Directory.GetApplication("My SOAR");
        details.Secrets.Single().KeyId.ShouldBe(secret.KeyId);
        Directory.ListApplications().Single().ShouldBe(new ApplicationSummary(application.AppId, application.Id, application.TenantId, "My SOAR", "Web", 1, 3, application.CreatedDateTime));
    }

    [Fact]
    public async Task What_was_written_survives_a_restart()
    {
        var (application, secret) = await _authority.AddClientAsync("Alert.Read.All");
        var again = new DirectoryStore(_authority.Database);
        await again.LoadAsync();
        var stored = again.Current.Application(application.AppId)!;
        stored.Secrets.Single().Hash.ShouldBe(_authority.Key.HashSecret(application.Id, secret));
        var tenant = _authority.Tenant.Id;
        again.Current.Roles(again.Current.Principal(tenant, application.AppId)!.Id, again.Current.Principal(tenant, ResourceCatalogue.EndpointAppId)!.Id).ShouldBe(["Alert.Read.All"]);
    }

    [Fact]
    public async Task No_secret_stands_in_the_database()
    {
        var (_, secret) = await _authority.AddClientAsync("Alert.Read.All");
        await using var connection = await _authority.Database.OpenConnectionAsync();
        await using var tables = new Npgsql.NpgsqlCommand("SELECT string_agg(format('SELECT t::text FROM identity.%I t', table_name), ' UNION ALL ') FROM information_schema.tables WHERE table_schema = 'identity'", connection);
        var query = (string)(await tables.ExecuteScalarAsync())!;
        await using var everything = new Npgsql.NpgsqlCommand(query, connection);
        await using var reader = await everything.ExecuteReaderAsync();
        var rows = 0;
        while (await reader.ReadAsync())
        {
            rows++;
            reader.GetString(0).ShouldNotContain(secret);
            reader.GetString(0).ShouldNotContain(Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(secret)));
        }

        rows.ShouldBeGreaterThan(5);
    }

    [Fact]
    public async Task Consent_takes_back_what_is_not_required_any_more_and_can_be_repeated()
    {
        var (application, _) = await _authority.AddClientAsync("Alert.Read.All", "Machine.Isolate");
        await using (var command = _authority.Database.CreateCommand("DELETE FROM identity.required_permissions WHERE permission_id = '7e4e1300-e1b9-4102-88ba-f0cb6e6d5974'"))
            await command.ExecuteNonQueryAsync();
        await _authority.Store.LoadAsync();
        for (var i = 0; i < 2; i++) (await Directory.ConsentAsync(application.AppId.ToString())).Permissions.Single().Name.ShouldBe("Alert.Read.All");
        var directory = _authority.Store.Current;
        directory.Assignments(directory.Principal(_authority.Tenant.Id, application.AppId)!.Id).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Delegated_permissions_become_a_grant_for_everybody()
    {
        await Directory.CreateApplicationAsync(new CreateApplicationRequest("Console") { Native = true, RedirectUris = ["http://localhost"] });
        await Directory.GrantAsync(new GrantRequest("Console", ["Alert.Read", "Machine.Read"], Delegated: true));
        var consented = await Directory.ConsentAsync("Console");
        consented.Permissions.ShouldAllBe(p => p.Kind == "Delegated" && p.Consented);
        var directory = _authority.Store.Current;
        directory.Grants(directory.Principal(_authority.Tenant.Id, consented.AppId)!.Id).Single().Scope.ShouldBe("Alert.Read Machine.Read");
        await Directory.ConsentAsync("Console");
        _authority.Store.Current.Grants(directory.Principal(_authority.Tenant.Id, consented.AppId)!.Id).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_name_that_several_apis_offer_needs_the_resource()
    {
        var (application, _) = await _authority.AddClientAsync();
        var name = application.AppId.ToString();
        var refusal = await Should.ThrowAsync<DirectoryException>(() => Directory.GrantAsync(new GrantRequest(name, ["User.Read.All"])));
        refusal.Problem.ShouldBe(DirectoryProblem.Conflict);
        refusal.Message.ShouldContain("WindowsDefenderATP and Microsoft Graph");
        (await Directory.GrantAsync(new GrantRequest(name, ["User.Read.All"], "graph"))).Permissions.Single().Resource.ShouldBe("Microsoft Graph");
    }

    [Fact]
    public async Task A_misspelt_permission_names_its_neighbours()
    {
        var (application, _) = await _authority.AddClientAsync();
        var refusal = await Should.ThrowAsync<DirectoryException>(() => Directory.GrantAsync(new GrantRequest(application.AppId.ToString(), ["Machine.Isolat"], "endpoint")));
        refusal.Problem.ShouldBe(DirectoryProblem.NotFound);
        refusal.Message.ShouldContain("Machine.Isolate");
        refusal.Message.ShouldContain("WindowsDefenderATP does not offer");
    }

    [Theory]
    [InlineData("endpoint")]
    [InlineData("WindowsDefenderATP")]
    [InlineData("https://api.securitycenter.windows.com/")]
    [InlineData("fc780465-2017-40d4-a0c5-307022471b92")]
    public void An_api_is_found_by_any_of_its_names(string name) => Directory.FindResource(name).AppId.ShouldBe(ResourceCatalogue.EndpointAppId);

    [Fact]
    public async Task Two_applications_of_one_name_are_told_apart_by_id()
    {
        await Directory.CreateApplicationAsync(new CreateApplicationRequest("Twin"));
        var second = await Directory.CreateApplicationAsync(new CreateApplicationRequest("Twin"));
        Should.Throw<DirectoryException>(() => Directory.FindApplication("twin")).Message.ShouldContain(second.AppId.ToString());
        Directory.FindApplication(second.AppId.ToString()).Id.ShouldBe(second.Id);
        Directory.FindApplication(second.Id.ToString()).AppId.ShouldBe(second.AppId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("a\nb")]
    public async Task Names_must_be_printable(string name) =>
        (await Should.ThrowAsync<DirectoryException>(() => Directory.CreateApplicationAsync(new CreateApplicationRequest(name)))).Problem.ShouldBe(DirectoryProblem.BadInput);

    [Theory]
    [InlineData("relative/path")]
    [InlineData("http://example.com/cb")]
    [InlineData("https://example.com/cb#fragment")]
    [InlineData("javascript:alert(1)")]
    public async Task Redirect_uris_that_are_not_safe_are_refused(string uri) =>
        await Should.ThrowAsync<DirectoryException>(() => Directory.CreateApplicationAsync(new CreateApplicationRequest("App") { RedirectUris = [uri] }));

    [Fact]
    public async Task A_secret_lives_two_years_at_most_and_a_native_application_has_none()
    {
        var (application, _) = await _authority.AddClientAsync();
        await Should.ThrowAsync<DirectoryException>(() => Directory.AddSecretAsync(application.AppId.ToString(), life: TimeSpan.FromDays(800)));
        await Should.ThrowAsync<DirectoryException>(() => Directory.AddSecretAsync(application.AppId.ToString(), life: TimeSpan.Zero));
        await Directory.CreateApplicationAsync(new CreateApplicationRequest("Native") { Native = true });
        await Should.ThrowAsync<DirectoryException>(() => Directory.AddSecretAsync("Native"));
    }

    [Fact]
    public async Task Certificates_are_kept_without_their_private_key()
    {
        var (application, _) = await _authority.AddClientAsync();
        using var rsa = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=client", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(_authority.Clock.Now.AddDays(-1), _authority.Clock.Now.AddDays(90));
        var added = await Directory.AddCertificateAsync(application.AppId.ToString(), certificate, "deploy");
        added.Thumbprint.ShouldBe(certificate.Thumbprint);
        Directory.FindApplication(application.AppId.ToString()).Certificates.Single().Certificate.HasPrivateKey.ShouldBeFalse();
        await Should.ThrowAsync<DirectoryException>(() => Directory.AddCertificateAsync(application.AppId.ToString(), certificate));
        await Directory.RemoveCredentialAsync(application.AppId.ToString(), added.KeyId);
        Directory.FindApplication(application.AppId.ToString()).Certificates.ShouldBeEmpty();
        using var weak = RSA.Create(1024);
        using var small = new CertificateRequest("CN=weak", weak, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(_authority.Clock.Now, _authority.Clock.Now.AddDays(1));
        await Should.ThrowAsync<DirectoryException>(() => Directory.AddCertificateAsync(application.AppId.ToString(), small));
    }

    [Fact]
    public async Task Deleting_an_application_leaves_nothing_of_it()
    {
        var (application, _) = await _authority.AddClientAsync("Alert.Read.All");
        var principal = _authority.Store.Current.Principal(_authority.Tenant.Id, application.AppId)!;
        (await Directory.DeleteApplicationAsync(application.AppId.ToString())).AppId.ShouldBe(application.AppId);
        _authority.Store.Current.Application(application.AppId).ShouldBeNull();
        _authority.Store.Current.Principal(principal.Id).ShouldBeNull();
        _authority.Store.Current.Assignments(principal.Id).ShouldBeEmpty();
        await Should.ThrowAsync<DirectoryException>(() => Directory.DeleteApplicationAsync(application.AppId.ToString()));
    }

    [Fact]
    public async Task Another_tenant_consents_to_multi_tenant_applications_only()
    {
        _authority.Clock.Now += TimeSpan.FromMinutes(1);
        var partner = await Directory.CreateTenantAsync(new CreateTenantRequest("Fabrikam"));
        partner.DefaultDomain.ShouldBe("fabrikam.onmicrosoft.com");
        await Directory.CreateApplicationAsync(new CreateApplicationRequest("Shared") { MultiTenant = true });
        await Directory.GrantAsync(new GrantRequest("Shared", ["Alert.Read.All"]));
        var consent = await Directory.ConsentAsync(Directory.FindApplication("Shared").AppId.ToString(), partner.Id.ToString());
        consent.Permissions.Single().Consented.ShouldBeTrue();
        Directory.GetApplication("Shared").Permissions.Single().Consented.ShouldBeFalse();
        var (single, _) = await _authority.AddClientAsync("Alert.Read.All");
        await Should.ThrowAsync<DirectoryException>(() => Directory.ConsentAsync(single.AppId.ToString(), partner.Id.ToString()));
    }

    [Fact]
    public async Task The_demo_application_holds_every_application_permission_and_is_made_once()
    {
        var first = await Directory.EnsureDemoApplicationAsync(new DemoRequest(Domain: "contoso.example"), needSecret: false);
        first.ClientSecret.ShouldNotBeNull();
        first.TenantId.ShouldBe(_authority.Tenant.Id);
        var directory = _authority.Store.Current;
        var principal = directory.Principal(first.TenantId, first.ClientId)!;
        foreach (var api in ResourceCatalogue.Default.All)
            directory.Roles(principal.Id, directory.Principal(first.TenantId, api.AppId)!.Id).ShouldBe(api.AppRoles.Select(role => role.Value), ignoreOrder: true);
        var second = await Directory.EnsureDemoApplicationAsync(new DemoRequest(Domain: "contoso.example"), needSecret: false);
        second.ShouldBe(new DemoApplication(first.TenantId, first.ClientId, null, null));
        (await Directory.EnsureDemoApplicationAsync(new DemoRequest(Domain: "contoso.example"), needSecret: true)).ClientSecret.ShouldNotBeNull();
    }

    [Fact]
    public async Task Users_get_the_tenants_domain_and_a_slow_password_hash()
    {
        var made = await Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace"));
        made.UserPrincipalName.ShouldBe("ada@contoso.example");
        made.Password!.Length.ShouldBe(16);
        var user = (await Directory.FindUserAsync("ADA@contoso.example"))!;
        user.Id.ShouldBe(made.Id);
        Security.Passwords.Verify(made.Password, user.PasswordHash).ShouldBeTrue();
        Security.Passwords.Verify(made.Password + "x", user.PasswordHash).ShouldBeFalse();
        Security.Passwords.Verify("x", null).ShouldBeFalse();
        (await Directory.ListUsersAsync()).Single().Password.ShouldBeNull();
        await Should.ThrowAsync<DirectoryException>(() => Directory.CreateUserAsync(new CreateUserRequest("eve@elsewhere.example", "Eve")));
        (await Should.ThrowAsync<DirectoryException>(() => Directory.CreateUserAsync(new CreateUserRequest("Ada@contoso.example", "Twin")))).Problem.ShouldBe(DirectoryProblem.Conflict);
    }

    [Fact]
    public async Task A_change_by_another_server_arrives_by_itself()
    {
        using var stop = new CancellationTokenSource();
        var other = new DirectoryStore(_authority.Database);
        var following = other.FollowAsync(stop.Token);
        for (var i = 0; i < 200 && other.Current.Tenants.Count == 0; i++) await Task.Delay(10);
        var (application, _) = await _authority.AddClientAsync();
        for (var i = 0; i < 500 && other.Current.Application(application.AppId) is null; i++) await Task.Delay(10);
        other.Current.Application(application.AppId).ShouldNotBeNull();
        await stop.CancelAsync();
        await following;
    }

    [Fact]
    public async Task Every_change_is_in_the_audit_log()
    {
        await _authority.AddClientAsync("Alert.Read.All");
        await using var command = _authority.Database.CreateCommand("SELECT string_agg(activity, ',' ORDER BY id) FROM identity.audit_events");
        (await command.ExecuteScalarAsync()).ShouldBe("Add tenant,Add application,Update application permissions,Consent to application,Add secret to application");
    }
}
