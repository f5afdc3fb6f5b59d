using System.Text.Json;
using System.Text.RegularExpressions;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.SignIn;

namespace Vedette.Identity.Tests.Protocol;

/// <summary>
/// Every error of the catalogue that the authority's features can produce, produced, and compared with the table to the letter: number, word,
/// status, sub-error, link, and the sentence with its places filled in. Numbers that nothing can produce are listed with the reason.
/// </summary>
public sealed partial class ErrorTableTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private const string Endpoint = "https://api.securitycenter.microsoft.com";
    private const string Redirect = "http://localhost";

    /// <summary>Numbers that no feature produces.</summary>
    private static readonly Dictionary<int, string> NotProduced = new()
    {
        [70001] = "older number of 700016", [70002] = "older umbrella number", [90014] = "900144 is said instead", [28002] = "500011 or 70011 is said instead", [650052] = "every tenant has the emulated APIs",
        [700030] = "certificates are registered one by one, not by subject", [70021] = "no federated credentials", [700211] = "no federated credentials", [700212] = "no federated credentials",
        [700213] = "no federated credentials", [70043] = "no sign-in frequency rules", [50173] = "a password reset deletes what was issued: 70000", [50148] = "older number of 501481",
        [7000114] = "every application may act on behalf of users", [50196] = "no loop detection", [90008] = "applications may ask tokens for themselves by id", [50055] = "passwords do not expire",
        [53003] = "no conditional access", [70020] = "second number of 70019",
    };

    // Numbers whose state takes a test class of its own: second factor, assertions, metadata, single pages, throttling, an unreachable database.
    private static readonly Dictionary<int, string> ProducedBy = new()
    {
        [50076] = "SecondFactorTests.Grants_that_see_no_page_say_what_is_missing", [50079] = "SecondFactorTests.Grants_that_see_no_page_say_what_is_missing",
        [9002326] = "SinglePageTests.Only_pages_redeem_what_is_a_pages_and_only_that", [9002327] = "SinglePageTests.Only_pages_redeem_what_is_a_pages_and_only_that",
        [90055] = "LimitTests.Too_many_failures_from_one_address_are_throttled_for_a_minute", [90033] = "OutageTests.A_directory_that_is_out_of_reach_is_told_as_a_transient_error",
        [50049] = "MetadataDocumentsTests.Instance_discovery_refuses_strangers_and_nonsense", [50050] = "MetadataDocumentsTests.Instance_discovery_refuses_strangers_and_nonsense",
        [700027] = "ClientAssertionTests.A_wrong_signature_an_unknown_and_an_expired_certificate", [700024] = "ClientAssertionTests.Assertions_outside_their_lifetime",
        [50012] = "ClientAssertionTests.Issuer_subject_and_client_must_agree", [50048] = "ClientAssertionTests.Issuer_subject_and_client_must_agree",
        [50027] = "ClientAssertionTests.Deep_and_huge_assertions_do_no_harm", [5002727] = "ClientAssertionTests.Another_token_type_is_refused",
        [700082] = "UserGrantTests.Refresh_tokens_that_are_none_or_somebody_elses_or_too_old", [700084] = "SinglePageTests.A_page_redeems_and_renews_for_a_day",
        [70018] = "InteractiveSignInTests.Device_codes_that_are_refused_unknown_or_too_old", [90094] = "AdminConsentTests.Somebody_without_the_role_is_told_to_find_an_administrator",
        [500133] = "UserGrantTests.On_behalf_of_a_user_an_api_calls_another",
    };

    private TestAuthority _authority = null!;
    private string _web = "";
    private string _secret = "";
    private string _native = "";

    public async Task InitializeAsync()
    {
        _authority = await TestAuthority.StartAsync();
        var directory = _authority.Directory;
        _web = (await directory.CreateApplicationAsync(new CreateApplicationRequest("Web") { RedirectUris = ["https://web.example/a"], IdentifierUris = ["api://web"] })).AppId.ToString();
        await directory.GrantAsync(new GrantRequest(_web, ["Alert.Read.All"], "endpoint"));
        await directory.ConsentAsync(_web);
        _secret = (await directory.AddSecretAsync(_web)).SecretText;
        _native = (await directory.CreateApplicationAsync(new CreateApplicationRequest("Console") { Native = true, RedirectUris = [Redirect] })).AppId.ToString();
        await directory.GrantAsync(new GrantRequest(_native, ["Alert.Read"], "endpoint", Delegated: true));
        await directory.ConsentAsync(_native);
        await directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password });
    }

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task Every_error_is_produced_to_the_letter()
    {
        var wrong = new List<string>();
        foreach (var (number, produce) in Scenarios())
        {
            try
            {
                Compare(number, await produce());
            }
            catch (Exception exception)
            {
                wrong.Add($"AADSTS{number}: {exception.Message}");
            }
        }

        wrong.ShouldBeEmpty(string.Join("\n\n", wrong));
    }

    [Fact]
    public void Every_error_is_produced_here_or_by_a_named_test_or_has_a_reason()
    {
        var lists = Scenarios().Select(scenario => scenario.Number).Concat(ProducedBy.Keys).Concat(NotProduced.Keys).ToArray();
        lists.ShouldBeUnique();
        ErrorCatalogue.Numbers.Except(lists).ShouldBeEmpty("Produce it here, or name the test that does, or the reason why nothing can.");
        lists.Except(ErrorCatalogue.Numbers).ShouldBeEmpty();
    }

    [Fact]
    public void The_named_tests_assert_their_numbers_and_what_has_a_reason_is_nowhere_produced()
    {
        foreach (var (number, test) in ProducedBy)
        {
            var name = test.Split('.');
            var body = Sources("tests").Where(file => Path.GetFileName(file) == name[0] + ".cs").Select(File.ReadAllText).Single().Split($" {name[1]}(")[1];
            body[..body.IndexOf("\n    }\n", StringComparison.Ordinal)].ShouldMatch($@"\b{number}\b", test);
        }

        var code = string.Join('\n', Sources("src").Select(File.ReadAllText));
        NotProduced.Keys.Where(number => Regex.IsMatch(code, $@"\b(Create|CreateVariant|Refuse|Error)\({number}\b")).ShouldBeEmpty();
    }

    private static IEnumerable<string> Sources(string folder)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "Vedette.slnx"))) root = root.Parent;
        return System.IO.Directory.EnumerateFiles(Path.Combine(root.FullName, folder), "*.cs", SearchOption.AllDirectories);
    }

    private void Compare(int number, Seen seen)
    {
        var expected = ErrorCatalogue.Create(number);
        seen.Number.ShouldBe(number);
        seen.Words.ShouldContain(seen.Error);
        seen.Description.ShouldStartWith($"AADSTS{number}: ");
        var pattern = "^" + string.Join(".*", Places().Split(expected.Text).Select(Regex.Escape));
        Regex.IsMatch(seen.Description[$"AADSTS{number}: ".Length..], pattern, RegexOptions.Singleline).ShouldBeTrue($"{seen.Description} against {expected.Text}");
        if (seen.Answer is not { } answer) return;
        answer.Text("timestamp").ShouldBe("2026-11-20 12:00:00Z".Replace("12:00:00", _authority.Clock.Now.ToString("HH:mm:ss", null), StringComparison.Ordinal).Replace("2026-11-20", _authority.Clock.Now.ToString("yyyy-MM-dd", null), StringComparison.Ordinal));
        Guid.Parse(answer.Text("trace_id")).ShouldNotBe(Guid.Empty);
        answer.Text("correlation_id").ShouldBe("22222222-2222-2222-2222-222222222222");
        seen.Description.ShouldEndWith($" Trace ID: {answer.Text("trace_id")} Correlation ID: {answer.Text("correlation_id")} Timestamp: {answer.Text("timestamp")}");
        answer.Body.TryGetProperty("error_uri", out var uri).ShouldBe(expected.HasErrorUri);
        if (expected.HasErrorUri) uri.GetString().ShouldBe($"{TestAuthority.Base}/error?code={number}");
        answer.Body.TryGetProperty("suberror", out var suberror).ShouldBe(expected.Suberror is not null);
        if (expected.Suberror is not null) suberror.GetString().ShouldBe(expected.Suberror);
    }

    /// <summary>What came back.</summary>
    private sealed record Seen(int Number, string Error, string Description, string[] Words, Answer? Answer);

    private Task<Seen> App(string error, int status, params (string Name, string? Value)[] changes) => Token(2, "contoso.example", error, status, AppFields(changes));

    private (string, string?)[] AppFields(params (string Name, string? Value)[] changes) => With(
        [("grant_type", "client_credentials"), ("client_id", _web), ("client_secret", _secret), ("scope", $"{Endpoint}/.default")], changes);

    private Task<Seen> Password2(string error, params (string Name, string? Value)[] changes) => Token(2, "contoso.example", error, 400, PasswordFields(changes));

    private (string, string?)[] PasswordFields(params (string Name, string? Value)[] changes) => With(
        [("grant_type", "password"), ("client_id", _native), ("username", "ada@contoso.example"), ("password", Password), ("scope", $"{Endpoint}/Alert.Read offline_access")], changes);

    private static (string, string?)[] With((string Name, string? Value)[] fields, (string Name, string? Value)[] changes) =>
        [.. fields.Where(field => changes.All(change => change.Name != field.Name)), .. changes];

    private async Task<Seen> Token(int version, string tenant, string error, int status, (string, string?)[] fields)
    {
        var answer = await _authority.PostAsync(version, tenant, fields);
        answer.Status.ShouldBe(status, answer.Body.ToString());
        return new Seen(answer.Body.GetProperty("error_codes")[0].GetInt32(), answer.Text("error"), answer.Text("error_description"), [error], answer);
    }

    private async Task<Seen> Page(string tenant, int version, params (string Name, string? Value)[] changes)
    {
        var step = await AuthorizeAsync(tenant, version, changes);
        var error = step.ShouldBeOfType<InteractionStep.Fail>().Error;
        return new Seen(error.Number, error.Error, $"AADSTS{error.Number}: {error.Text}", [ErrorCatalogue.Create(error.Number).Error], null);
    }

    private async Task<Seen> Reply(string error, params (string Name, string? Value)[] changes)
    {
        var reply = (await AuthorizeAsync("contoso.example", 2, changes)).ShouldBeOfType<InteractionStep.Reply>();
        string Of(string name) => reply.Parameters.Single(pair => pair.Key == name).Value;
        var description = Of("error_description");
        return new Seen(int.Parse(Digits().Match(description).Value, null), Of("error"), description, [error], null);
    }

    private Task<InteractionStep> AuthorizeAsync(string tenant, int version, params (string Name, string? Value)[] changes) => _authority.Interactive.AuthorizeAsync(
        _authority.Call(version, tenant, With([("client_id", _native), ("response_type", "code"), ("redirect_uri", Redirect), ("scope", $"{Endpoint}/Alert.Read")], changes)), null);

    private async Task<string> CodeAsync()
    {
        var begin = (InteractionStep.AskSignIn)await AuthorizeAsync("contoso.example", 2, ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), ("code_challenge_method", "S256"));
        var (step, _) = await _authority.Interactive.SignInAsync(begin.Interaction, "ada@contoso.example", Password);
        return step.ShouldBeOfType<InteractionStep.Reply>().Parameters.Single(pair => pair.Key == "code").Value;
    }

    private async Task<Seen> Code(string error, Func<string, Task>? before = null, params (string Name, string? Value)[] changes)
    {
        var code = await CodeAsync();
        if (before is not null) await before(code);
        return await Token(2, "contoso.example", error, 400, CodeFields(code, changes));
    }

    private (string, string?)[] CodeFields(string code, params (string Name, string? Value)[] changes) => With(
        [("grant_type", "authorization_code"), ("client_id", _native), ("code", code), ("redirect_uri", Redirect), ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")], changes);

    private async Task<Seen> OnBehalfOf(string error, string assertion) => await Token(
        2, "contoso.example", error, 400,
        [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("requested_token_use", "on_behalf_of"), ("client_id", _web), ("client_secret", _secret), ("assertion", assertion), ("scope", $"{Endpoint}/Alert.Read")]);

    private async Task<Seen> Device(string error, Func<string, string, Task> meanwhile)
    {
        var start = await _authority.DeviceCodes.HandleAsync(_authority.Call(2, "contoso.example", ("client_id", _native), ("scope", $"{Endpoint}/Alert.Read")));
        using var body = JsonDocument.Parse(start.Body);
        var (device, user) = (body.RootElement.GetProperty("device_code").GetString()!, body.RootElement.GetProperty("user_code").GetString()!);
        await meanwhile(device, user);
        return await Token(2, "contoso.example", error, 400, [("grant_type", "device_code"), ("client_id", _native), ("device_code", device)]);
    }

    private IEnumerable<(int Number, Func<Task<Seen>> Produce)> Scenarios()
    {
        var directory = _authority.Directory;

        // Tenant.
        yield return (90002, () => Token(2, "nowhere.example", "invalid_request", 400, AppFields()));
        yield return (900023, () => Token(2, "no tenant", "invalid_request", 400, AppFields()));
        yield return (90019, () => Token(2, "", "invalid_request", 400, AppFields()));
        yield return (50059, () => Token(2, "common", "invalid_request", 400, AppFields()));
        yield return (9001023, () => Token(2, "common", "invalid_grant", 400, PasswordFields()));
        yield return (50194, () => Token(2, "organizations", "invalid_request", 400, PasswordFields()));
        yield return (9002332, () => Page("consumers", 2));

        // Client.
        yield return (700016, () => App("unauthorized_client", 400, ("client_id", Guid.NewGuid().ToString())));
        yield return (7000112, async () =>
        {
            await directory.SetApplicationEnabledAsync(_web, enabled: false);
            var seen = await App("unauthorized_client", 400);
            await directory.SetApplicationEnabledAsync(_web, enabled: true);
            return seen;
        });
        yield return (7000215, () => App("invalid_client", 401, ("client_secret", "wrong")));
        yield return (7000222, async () =>
        {
            var old = (await directory.CreateApplicationAsync(new CreateApplicationRequest("Old"))).AppId.ToString();
            var secret = (await directory.AddSecretAsync(old, null, TimeSpan.FromHours(1))).SecretText;
            _authority.Clock.Now += TimeSpan.FromHours(2);
            return await App("invalid_client", 401, ("client_id", old), ("client_secret", secret));
        });
        yield return (7000218, () => App("invalid_client", 401, ("client_secret", null)));
        yield return (700025, () => Token(2, "contoso.example", "invalid_client", 401, PasswordFields(("client_secret", "x"))));

        // Form.
        yield return (900144, () => App("invalid_request", 400, ("scope", null)));
        yield return (901002, () => App("invalid_request", 400, ("resource", Endpoint)));
        yield return (900561, async () =>
        {
            var answer = await _authority.SendAsync(_authority.Call(2, "contoso.example") with { Method = "DELETE" });
            return new Seen(900561, answer.Text("error"), answer.Text("error_description"), ["invalid_request"], answer);
        });
        yield return (90023, () => App("invalid_request", 400, ("client_assertion", "x"), ("client_assertion_type", "y")));
        yield return (70003, () => App("unsupported_grant_type", 400, ("grant_type", "magic")));
        yield return (70005, () => Reply("unsupported_response_type", ("response_type", "magic")));
        yield return (700054, () => Reply("unsupported_response_type", ("response_type", "id_token")));
        yield return (70007, () => Reply("invalid_request", ("response_mode", "magic")));

        // Scope and resource.
        yield return (70011, () => App("invalid_scope", 400, ("scope", $"{Endpoint}/.default {Endpoint}/Alert.Read")));
        yield return (1002012, () => App("invalid_scope", 400, ("scope", $"{Endpoint}/Alert.Read")));
        yield return (28003, () => Code("invalid_scope", null, ("scope", " ")));
        yield return (700022, () => App("invalid_scope", 400, ("scope", $"{Endpoint}/.default https://graph.microsoft.com/.default")));
        yield return (700023, () => App("invalid_scope", 400, ("scope", "/.default")));
        yield return (500011, () => App("invalid_resource", 400, ("scope", "https://nowhere.example/.default")));
        yield return (50001, async () =>
        {
            var api = (await directory.CreateApplicationAsync(new CreateApplicationRequest("Api") { IdentifierUris = ["api://off"] })).AppId.ToString();
            await directory.SetApplicationEnabledAsync(api, enabled: false);
            return await App("invalid_resource", 400, ("scope", "api://off/.default"));
        });
        yield return (650057, () => Token(
            1, "contoso.example", "invalid_resource", 400,
            [("grant_type", "password"), ("client_id", _native), ("username", "ada@contoso.example"), ("password", Password), ("resource", "https://graph.microsoft.com")]));
        yield return (90009, () => App("invalid_request", 400, ("scope", "api://web/.default")));

        // Grants.
        yield return (70000, () => Token(2, "contoso.example", "invalid_grant", 400, [("grant_type", "refresh_token"), ("client_id", _native), ("refresh_token", "1." + new string('A', 64))]));
        yield return (9002313, () => Token(2, "contoso.example", "invalid_grant", 400, CodeFields("garbage")));
        yield return (70008, () => Code("invalid_grant", _ =>
        {
            _authority.Clock.Now += TimeSpan.FromMinutes(11);
            return Task.CompletedTask;
        }));
        yield return (54005, () => Code("invalid_grant", async code => (await _authority.PostAsync(2, "contoso.example", CodeFields(code))).Status.ShouldBe(200)));
        yield return (700005, async () =>
        {
            if (!_authority.Store.Current.TryGetTenant("fabrikam.example", out _)) await directory.CreateTenantAsync(new CreateTenantRequest("Fabrikam", "fabrikam.example"));
            var partner = (await directory.CreateApplicationAsync(new CreateApplicationRequest("Partner") { Native = true, MultiTenant = true, RedirectUris = [Redirect] })).AppId.ToString();
            await directory.GrantAsync(new GrantRequest(partner, ["Alert.Read"], "endpoint", Delegated: true));
            await directory.ConsentAsync(partner);
            await directory.ConsentAsync(partner, "fabrikam.example");
            var begin = (InteractionStep.AskSignIn)await AuthorizeAsync("contoso.example", 2, ("client_id", partner));
            var (step, _) = await _authority.Interactive.SignInAsync(begin.Interaction, "ada@contoso.example", Password);
            var code = step.ShouldBeOfType<InteractionStep.Reply>().Parameters.Single(pair => pair.Key == "code").Value;
            return await Token(2, "fabrikam.example", "invalid_grant", 400, CodeFields(code, ("client_id", partner), ("code_verifier", null)));
        });
        yield return (501481, () => Code("invalid_grant", null, ("code_verifier", new string('x', 43))));
        yield return (50147, () => Reply("invalid_request", ("code_challenge_method", "S256")));
        yield return (501491, () => Reply("invalid_request", ("code_challenge", "short")));
        yield return (50013, () => OnBehalfOf("invalid_grant", "a.b.c"));
        yield return (240002, async () =>
        {
            var tokens = await _authority.PostAsync(2, "contoso.example", PasswordFields(("scope", $"{Endpoint}/Alert.Read openid")));
            return await OnBehalfOf("invalid_grant", tokens.Text("id_token"));
        });

        // Redirects.
        yield return (50011, () => Page("contoso.example", 2, ("redirect_uri", "https://evil.example/")));
        yield return (500112, () => Code("invalid_client", null, ("redirect_uri", "http://localhost/other")));
        yield return (500113, async () =>
        {
            var bare = (await directory.CreateApplicationAsync(new CreateApplicationRequest("Bare"))).AppId.ToString();
            return await Page("contoso.example", 2, ("client_id", bare));
        });
        yield return (900971, async () =>
        {
            var two = (await directory.CreateApplicationAsync(new CreateApplicationRequest("Two") { RedirectUris = ["https://a.example/", "https://b.example/"] })).AppId.ToString();
            return await Page("contoso.example", 2, ("client_id", two), ("redirect_uri", null));
        });

        // Consent.
        yield return (65001, () => Password2("invalid_grant", ("scope", $"{Endpoint}/Machine.Isolate")));
        yield return (65004, () => Device("authorization_declined", async (_, user) =>
        {
            var begin = (InteractionStep.AskSignIn)(await _authority.Interactive.DeviceAsync(user, null))!;
            var (step, session) = await _authority.Interactive.SignInAsync(begin.Interaction, "ada@contoso.example", Password);
            await _authority.Interactive.ConsentAsync(((InteractionStep.AskConsent)step).Interaction, session, accepted: false, forAll: false);
        }));
        yield return (65005, async () =>
        {
            var begin = (InteractionStep.AskSignIn)await AuthorizeAsync("contoso.example", 2, ("scope", $"{Endpoint}/No.Such.Scope"));
            var (step, _) = await _authority.Interactive.SignInAsync(begin.Interaction, "ada@contoso.example", Password);
            var reply = step.ShouldBeOfType<InteractionStep.Reply>();
            return new Seen(65005, reply.Parameters[0].Value, reply.Parameters[1].Value, ["invalid_client"], null);
        });

        // Users.
        yield return (50126, () => Password2("invalid_grant", ("password", "wrong")));
        yield return (50034, () => Password2("invalid_grant", ("username", "nobody@contoso.example")));
        yield return (50053, async () =>
        {
            await directory.CreateUserAsync(new CreateUserRequest("eve", "Eve") { Password = Password });
            for (var i = 0; i < 10; i++) await _authority.PostAsync(2, "contoso.example", PasswordFields(("username", "eve@contoso.example"), ("password", "wrong")));
            return await Password2("invalid_grant", ("username", "eve@contoso.example"));
        });
        yield return (50057, async () =>
        {
            await directory.CreateUserAsync(new CreateUserRequest("off", "Off") { Password = Password, AccountEnabled = false });
            return await Password2("invalid_grant", ("username", "off@contoso.example"));
        });
        yield return (50056, async () =>
        {
            await directory.CreateUserAsync(new CreateUserRequest("bare", "Bare") { Password = Password });
            await using var command = _authority.Database.CreateCommand("UPDATE identity.users SET password_hash = NULL WHERE user_principal_name = 'bare@contoso.example'");
            await command.ExecuteNonQueryAsync();
            return await Password2("invalid_grant", ("username", "bare@contoso.example"));
        });
        yield return (50020, async () =>
        {
            if (!_authority.Store.Current.TryGetTenant("fabrikam.example", out _)) await directory.CreateTenantAsync(new CreateTenantRequest("Fabrikam", "fabrikam.example"));
            await directory.CreateUserAsync(new CreateUserRequest("guest", "Guest") { Tenant = "fabrikam.example", Password = Password });
            var begin = (InteractionStep.AskSignIn)await AuthorizeAsync("contoso.example", 2);
            var (step, session) = await _authority.Interactive.SignInAsync(begin.Interaction, "guest@fabrikam.example", Password);
            session.ShouldBeNull();
            var error = step.ShouldBeOfType<InteractionStep.AskSignIn>().Error!;
            return new Seen(error.Number, error.Error, $"AADSTS{error.Number}: {error.Text}", ["invalid_grant"], null);
        });
        yield return (50105, async () =>
        {
            var principal = _authority.Store.Current.Principal(_authority.Tenant.Id, Guid.Parse(_native))!;
            await directory.UpdatePrincipalAsync(principal, null, true, (false, null), null);
            var seen = await Password2("invalid_grant");
            await directory.UpdatePrincipalAsync(principal, null, false, (false, null), null);
            return seen;
        });
        yield return (50058, () => Reply("login_required", ("prompt", "none")));

        // Devices.
        yield return (70016, () => Device("authorization_pending", (_, _) => Task.CompletedTask));
        yield return (70019, () => Device("expired_token", (_, _) =>
        {
            _authority.Clock.Now += TimeSpan.FromMinutes(16);
            return Task.CompletedTask;
        }));
    }

    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex Places();

    [GeneratedRegex(@"(?<=AADSTS)\d+")]
    private static partial Regex Digits();
}
