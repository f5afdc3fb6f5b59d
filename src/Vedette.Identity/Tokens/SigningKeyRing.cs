using System.Collections.Frozen;

namespace Vedette.Identity.Tokens;

/// <summary>Where the current signing keys are found. The answer changes when keys are rotated.</summary>
public interface ISigningKeySource
{
    /// <summary>The keys that are published at this moment.</summary>
    SigningKeyRing Current { get; }
}

/// <summary>
/// An unchanging set of published keys: the one that signs, perhaps a newer one that is published ahead, and older ones whose tokens can
/// still be valid.
/// </summary>
public sealed class SigningKeyRing : ISigningKeySource
{
    private readonly FrozenDictionary<string, SigningKey> _byId;

    /// <summary>Makes a ring of the given keys, of which there must be one at least.</summary>
    public SigningKeyRing(IEnumerable<SigningKey> keys)
    {
        Keys = [.. keys.OrderByDescending(key => key.SignsFrom)];
        if (Keys.Count == 0) throw new ArgumentException("A key ring needs at least one key.", nameof(keys));
        _byId = Keys.ToFrozenDictionary(key => key.Id, StringComparer.Ordinal);
    }

    /// <summary>All published keys, newest first.</summary>
    public IReadOnlyList<SigningKey> Keys { get; }

    SigningKeyRing ISigningKeySource.Current => this;

    /// <summary>The key that signs at a moment: the newest whose time has come, else the oldest.</summary>
    public SigningKey Signer(DateTimeOffset now) => Keys.FirstOrDefault(key => key.SignsFrom <= now) ?? Keys[^1];

    /// <summary>Finds a key by its id.</summary>
    public SigningKey? Find(string? keyId) => keyId is null ? null : _byId.GetValueOrDefault(keyId);
}
