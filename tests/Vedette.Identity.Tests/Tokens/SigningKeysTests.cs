using System.Security.Cryptography;
using Vedette.Identity.Security;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Tests.Tokens;

public sealed class SigningKeysTests : IAsyncLifetime
{
    private TestAuthority _authority = null!;

    public async Task InitializeAsync() => _authority = await TestAuthority.StartAsync();

    public async Task DisposeAsync() => await _authority.DisposeAsync();

    [Fact]
    public async Task Keys_survive_a_restart_and_stand_encrypted_in_the_database()
    {
        var again = new SigningKeys(_authority.Database, _authority.Key, _authority.Clock);
        await again.LoadAsync();
        var key = again.Current.Keys.Single();
        key.Id.ShouldBe(_authority.Keys.Current.Keys.Single().Id);
        await using var command = _authority.Database.CreateCommand("SELECT private_key FROM identity.signing_keys");
        var stored = (byte[])(await command.ExecuteScalarAsync())!;
        Convert.ToHexString(stored).ShouldNotContain(Convert.ToHexString(key.Modulus));
    }

    [Fact]
    public async Task Another_key_file_is_noticed_and_said_plainly()
    {
        var stranger = new SigningKeys(_authority.Database, new IdentityKey(RandomNumberGenerator.GetBytes(32)), _authority.Clock);
        (await Should.ThrowAsync<CryptographicException>(() => stranger.LoadAsync())).Message.ShouldContain("key file");
    }

    [Fact]
    public async Task Rotation_publishes_ahead_overlaps_and_drops_the_old_key()
    {
        var keys = _authority.Keys;
        var old = keys.Current.Keys.Single();
        var start = _authority.Clock.Now;
        await keys.MaintainAsync();
        keys.Current.Keys.ShouldHaveSingleItem();

        _authority.Clock.Now = old.SignsFrom + SigningKeys.Life - SigningKeys.PublishAhead;
        await keys.MaintainAsync();
        keys.Current.Keys.Count.ShouldBe(2);
        keys.Current.Signer(_authority.Clock.Now).ShouldBe(old);

        _authority.Clock.Now = old.SignsFrom + SigningKeys.Life;
        var signer = keys.Current.Signer(_authority.Clock.Now);
        signer.ShouldNotBe(old);
        await keys.MaintainAsync();
        keys.Current.Find(old.Id).ShouldNotBeNull();

        _authority.Clock.Now += SigningKeys.KeepAfter;
        await keys.MaintainAsync();
        keys.Current.Keys.ShouldBe([signer]);
        start.ShouldBeLessThan(_authority.Clock.Now);
    }

    [Fact]
    public async Task A_key_can_be_replaced_at_once_and_tokens_of_the_old_one_stay_good()
    {
        var (client, secret) = await _authority.AddClientAsync("Alert.Read.All");
        var before = await AskAsync(client.AppId, secret);
        _authority.Clock.Now += TimeSpan.FromSeconds(1);
        await _authority.Keys.RotateAsync(atOnce: true);
        var after = await AskAsync(client.AppId, secret);
        var validator = new AccessTokenValidator(_authority.Keys, _authority.Store, _authority.Clock);
        validator.Validate(before).Succeeded.ShouldBeTrue();
        validator.Validate(after).Succeeded.ShouldBeTrue();
        validator.Validate(before).Token!.KeyId.ShouldNotBe(validator.Validate(after).Token!.KeyId);
    }

    [Fact]
    public async Task Servers_that_start_together_agree_on_one_first_key()
    {
        await using (var command = _authority.Database.CreateCommand("DELETE FROM identity.signing_keys")) await command.ExecuteNonQueryAsync();
        var servers = Enumerable.Range(0, 4).Select(_ => new SigningKeys(_authority.Database, _authority.Key, _authority.Clock)).ToArray();
        await Task.WhenAll(servers.Select(server => server.LoadAsync()));
        servers.Select(server => server.Current.Keys.Single().Id).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public void The_key_file_is_for_its_owner_only_and_is_read_back()
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("vedette-key-").FullName;
        try
        {
            var path = Path.Combine(folder, "identity.key");
            var first = IdentityKey.OpenOrCreate(path);
            if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            var second = IdentityKey.OpenOrCreate(path);
            second.Unprotect(first.Protect([1, 2, 3])).ShouldBe([1, 2, 3]);
            second.HashSecret(Guid.Empty, "x").ShouldBe(first.HashSecret(Guid.Empty, "x"));
            File.WriteAllText(path, "short");
            Should.Throw<InvalidDataException>(() => IdentityKey.OpenOrCreate(path));
        }
        finally
        {
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<string> AskAsync(Guid clientId, string secret) => (await _authority.PostAsync(
        2, "contoso.example", ("grant_type", "client_credentials"), ("client_id", clientId.ToString()), ("client_secret", secret),
        ("scope", "https://api.securitycenter.microsoft.com/.default"))).Text("access_token");
}
