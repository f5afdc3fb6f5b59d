using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Vedette.Identity.Tokens;

/// <summary>
/// Remembers verified tokens under their SHA-256 hash. Bounded by two generations: when the young one is full it becomes the old one and
/// the old one is dropped, so that tokens in use survive and the rest leaves without any bookkeeping per use.
/// </summary>
internal sealed class VerifiedTokenCache(int capacity)
{
    private readonly Lock _lock = new();
    private ConcurrentDictionary<(UInt128, UInt128), AccessToken> _young = new();
    private ConcurrentDictionary<(UInt128, UInt128), AccessToken> _old = new();

    public int Count => _young.Count + _old.Count;

    public static (UInt128, UInt128) KeyOf(string token)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(MemoryMarshal.AsBytes(token.AsSpan()), hash);
        var parts = MemoryMarshal.Cast<byte, UInt128>(hash);
        return (parts[0], parts[1]);
    }

    public bool TryGet((UInt128, UInt128) key, [NotNullWhen(true)] out AccessToken? token)
    {
        if (_young.TryGetValue(key, out token)) return true;
        if (!_old.TryGetValue(key, out token)) return false;
        Add(key, token);
        return true;
    }

    public void Add((UInt128, UInt128) key, AccessToken token)
    {
        if (_young.Count >= capacity / 2)
        {
            lock (_lock)
            {
                if (_young.Count >= capacity / 2)
                {
                    _old = _young;
                    _young = new ConcurrentDictionary<(UInt128, UInt128), AccessToken>();
                }
            }
        }

        _young[key] = token;
    }
}
