using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Vedette.Foundation.Storage;

/// <summary>
/// A storage account as a connection string names it, with an account key or a shared access signature. Signs requests by the documented
/// Shared Key scheme.
/// </summary>
public sealed class StorageAccount
{
    private readonly string _name;
    private readonly byte[]? _key;
    private readonly string _signature;

    private StorageAccount(Uri endpoint, string name, byte[]? key, string signature)
    {
        BlobEndpoint = endpoint;
        _name = name;
        _key = key;
        _signature = signature;
    }

    /// <summary>Address of its blobs, without a closing slash.</summary>
    public Uri BlobEndpoint { get; }

    /// <summary>Reads a connection string.</summary>
    /// <exception cref="ArgumentException">It lacks something; the message never repeats it.</exception>
    public static StorageAccount Parse(string connection)
    {
        var parts = connection.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.Split('=', 2)).Where(part => part.Length == 2)
            .GroupBy(part => part[0], StringComparer.OrdinalIgnoreCase)
            .ToDictionary(part => part.Key, part => part.Last()[1], StringComparer.OrdinalIgnoreCase);
        var name = parts.GetValueOrDefault("AccountName", "");
        var address = parts.GetValueOrDefault("BlobEndpoint")
            ?? (name.Length > 0 ? $"{parts.GetValueOrDefault("DefaultEndpointsProtocol", "https")}://{name}.blob.{parts.GetValueOrDefault("EndpointSuffix", "core.windows.net")}" : "");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var endpoint) || !(endpoint.Scheme == "https" || endpoint is { Scheme: "http", IsLoopback: true }))
            throw new ArgumentException("The connection string needs a BlobEndpoint or an AccountName, by https (http is for this machine only).");
        if (parts.GetValueOrDefault("SharedAccessSignature") is { Length: > 0 } signature) return new StorageAccount(endpoint, name, null, signature.TrimStart('?'));
        if (name.Length == 0 || parts.GetValueOrDefault("AccountKey") is not { Length: > 0 } encoded)
            throw new ArgumentException("The connection string needs an AccountName with an AccountKey, or a SharedAccessSignature.");
        var key = new byte[encoded.Length];
        return Convert.TryFromBase64String(encoded, key, out var length)
            ? new StorageAccount(endpoint, name, key[..length], "")
            : throw new ArgumentException("The AccountKey is not base64.");
    }

    /// <summary>An account whose address and right of access are known.</summary>
    /// <param name="endpoint">Address of its blobs.</param>
    /// <param name="name">The account's name.</param>
    /// <param name="key">The account key; null for none.</param>
    /// <param name="signature">A shared access signature; empty for none.</param>
    public static StorageAccount At(Uri endpoint, string name, byte[]? key, string signature) => new(endpoint, name, key, signature.TrimStart('?'));

    /// <summary>Makes a signed request.</summary>
    /// <param name="method">HTTP verb.</param>
    /// <param name="path">Container and blob, unescaped.</param>
    /// <param name="query">Query parameters in alphabetical order.</param>
    /// <param name="headers">Further <c>x-ms-…</c> headers.</param>
    /// <param name="body">Content; null for none.</param>
    /// <param name="onlyNew">True to be refused when the blob is there already.</param>
    /// <param name="now">The time, UTC.</param>
    public HttpRequestMessage Request(
        HttpMethod method, string path, IReadOnlyList<(string Name, string Value)> query, IReadOnlyList<(string Name, string Value)> headers, ReadOnlyMemory<byte>? body, bool onlyNew,
        DateTime now)
    {
        var escaped = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        var parameters = string.Join('&', query.Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value)}").Append(_signature).Where(part => part.Length > 0));
        var request = new HttpRequestMessage(method, $"{BlobEndpoint.AbsoluteUri.TrimEnd('/')}/{escaped}{(parameters.Length > 0 ? "?" + parameters : "")}")
        {
            Content = new ReadOnlyMemoryContent(body ?? default),
        };
        request.Content.Headers.ContentLength = body?.Length ?? 0;
        var all = headers.Append(("x-ms-date", now.ToString("R", CultureInfo.InvariantCulture))).Append(("x-ms-version", "2021-12-02"))
            .OrderBy(header => header.Item1, StringComparer.Ordinal).ToArray();
        foreach (var (name, value) in all) request.Headers.TryAddWithoutValidation(name, value);
        if (onlyNew) request.Headers.TryAddWithoutValidation("If-None-Match", "*");
        if (_key is null) return request;

        var text = new StringBuilder().Append(method.Method).Append("\n\n\n").Append(body is { Length: > 0 } content ? content.Length.ToString(CultureInfo.InvariantCulture) : "")
            .Append("\n\n\n\n\n\n").Append(onlyNew ? "*" : "").Append("\n\n\n");
        foreach (var (name, value) in all) text.Append(name).Append(':').Append(value).Append('\n');
        text.Append('/').Append(_name).Append(request.RequestUri!.AbsolutePath);
        foreach (var (name, value) in query) text.Append('\n').Append(name).Append(':').Append(value);
        var hash = HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text.ToString()));
        request.Headers.TryAddWithoutValidation("Authorization", $"SharedKey {_name}:{Convert.ToBase64String(hash)}");
        return request;
    }
}
