using System.Collections.Frozen;

namespace Vedette.Identity.Tokens;

/// <summary>Where the current signing keys are found. The answer changes when keys are rotated.</summary>
public interface ISigningKeySource
{
    /// <summary>The keys that are published at this moment.</summary>
    SigningKeyRing Current { get; }
}

/// <summary>
/// An unchanging set of published keys. A new key is published for <see cref="PublishAhead"/> before it signs, so that resource servers
/// that cache the key set know it in time; an old key stays published while tokens it signed can still be valid.
/// </summary>
public sealed class SigningKeyRing : ISigningKeySource
{
    /// <summary>How long a new key is published before it signs, when an older key is there to sign meanwhile.</summary>
    public static readonly TimeSpan PublishAhead = TimeSpan.FromHours(24);

    private readonly FrozenDictionary<string, SigningKey> _byId;

    /// <summary>Makes a ring of the given keys, of which there must be one at least.</summary>
    public SigningKeyRing(IEnumerable<SigningKey> keys)
    {
        Keys = [.. keys.OrderByDescending(key => key.CreatedAt)];
        if (Keys.Count == 0) throw new ArgumentException("A key ring needs at least one key.", nameof(keys));
        _byId = Keys.ToFrozenDictionary(key => key.Id, StringComparer.Ordinal);
    }

    /// <summary>All published keys, newest first.</summary>
    public IReadOnlyList<SigningKey> Keys { get; }

    SigningKeyRing ISigningKeySource.Current => this;

    /// <summary>The key that signs at a moment: the newest one published for long enough, else the oldest.</summary>
    public SigningKey Signer(DateTimeOffset now) => Keys.FirstOrDefault(key => key.CreatedAt + PublishAhead <= now) ?? Keys[^1];

    /// <summary>Finds a key by its id.</summary>
    public SigningKey? Find(string? keyId) => keyId is null ? null : _byId.GetValueOrDefault(keyId);
}
