using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using Vedette.Foundation.Storage;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Local.External;

/// <summary>infer_storage_schema and infer_storage_schema_with_suggestions: what columns the files of a blob container hold.</summary>
internal sealed class StorageSchemaStep(PluginCall call, ExternalSession session, Func<StepEngine?> engine, bool suggests) : ExternalStep(call, session)
{
    private const int MaxFiles = 1000;

    protected override async Task<LocalTable> FetchAsync(LocalTable input, CancellationToken cancellationToken)
    {
        var options = Bag(input, "Options") ?? throw Refused("the argument Options must be a property bag.");
        var format = LocalJson.Text(options["DataFormat"]).ToLowerInvariant();
        if (!FileRows.Formats.Contains(format))
            throw Refused(format.Length == 0 ? "Options needs DataFormat." : $"the format '{format}' cannot be read; use one of {string.Join(", ", FileRows.Formats)}.");
        var mode = options["Mode"] is { } given ? LocalJson.Text(given).ToLowerInvariant() : "last";
        if (mode is not ("any" or "last" or "all"))
            throw Refused($"the Mode '{mode}' is none of any, last, all.");
        if (options["StorageContainers"] is not JsonArray { Count: > 0 } containers)
            throw Refused("Options needs StorageContainers.");
        var header = (options["InferenceOptions"] as JsonObject)?["UseFirstRowAsHeader"] is JsonValue flag && LocalJson.Text(flag).Equals("true", StringComparison.OrdinalIgnoreCase);
        var files = new List<BlobContainer.Blob>();
        foreach (var container in containers)
            files.AddRange(await new BlobContainer(Name, LocalJson.Text(container), Session).ListAsync(LocalJson.Text(options["FileNamePrefix"]), LocalJson.Text(options["FileExtension"]), MaxFiles, cancellationToken));
        if (files.Count == 0)
            throw Refused("no file was found.");
        var schema = new SchemaGuess(format, header);
        var binary = new FileRows(Name, Session.Connector.Options.MaxCharacters, engine);
        var left = Session.Connector.Options.MaxCharacters;
        foreach (var file in mode switch { "any" => files[..1], "all" => files, _ => [files.MaxBy(f => f.Modified)!] })
        {
            if (EngineFormats.Knows(format))
            {
                await using var stream = await file.OpenAsync(cancellationToken);
                schema.Add(await binary.DescribeAsync(stream, file.Address, format, cancellationToken));
                continue;
            }

            var text = await file.ReadAsync(left, cancellationToken);
            left -= text.Length;
            schema.Add(text);
        }

        return suggests
            ? new LocalTable([new LocalColumn("SuggestedTableSchema", KqlType.String)], [[LocalJson.Write(schema.Suggest())]])
            : new LocalTable([new LocalColumn("CslSchema", KqlType.String)], [[schema.ToString()]]);
    }
}

/// <summary>A container of blobs as a storage connection string names it: <c>https://account.blob…/container[/prefix][?signature][;key]</c>.</summary>
internal sealed class BlobContainer
{
    private readonly string _caller;
    private readonly ExternalSession _session;
    private readonly StorageAccount _account;
    private readonly string _container;
    private readonly string _prefix;
    private readonly string? _token;

    /// <summary>Reads a connection string.</summary>
    /// <exception cref="HuntingException">It is none that is understood; the message never repeats its secret.</exception>
    public BlobContainer(string caller, string connection, ExternalSession session)
    {
        (_caller, _session) = (caller, session);
        var parts = connection.Split(';', 2, StringSplitOptions.TrimEntries);
        if (!Uri.TryCreate(parts[0], UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps)
            throw ExternalConnector.Refused(caller, "a storage container needs an https address.");
        var path = Uri.UnescapeDataString(uri.AbsolutePath).Trim('/').Split('/', 2);
        if (path[0].Length == 0)
            throw ExternalConnector.Refused(caller, $"'{uri.Host}' is an account; the address of a container is needed.");
        (_container, _prefix) = (path[0], path.Length > 1 ? path[1] : "");
        var secret = parts.Length > 1 ? parts[1] : "";
        byte[]? key = null;
        if (secret.StartsWith("token=", StringComparison.OrdinalIgnoreCase))
            _token = secret["token=".Length..];
        else if (secret.StartsWith("impersonate", StringComparison.OrdinalIgnoreCase) || secret.StartsWith("managed_identity", StringComparison.OrdinalIgnoreCase))
            throw ExternalConnector.Refused(caller, $"'{secret.Split('=')[0]}' is not understood: give an account key, a token or a shared access signature.");
        else if (secret.Length > 0)
            key = Decode(secret);
        _account = StorageAccount.At(new Uri(uri.GetLeftPart(UriPartial.Authority)), uri.Host.Split('.')[0], key, uri.Query);
    }

    /// <summary>The blobs, in the order of their names.</summary>
    /// <param name="prefix">How their names begin, below the address; empty for all.</param>
    /// <param name="extension">How their names end; empty for all.</param>
    /// <param name="most">Stops after so many.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<List<Blob>> ListAsync(string prefix, string extension, int most, CancellationToken cancellationToken)
    {
        var found = new List<Blob>();
        var folder = _prefix.Length > 0 && !_prefix.EndsWith('/') ? _prefix + "/" : _prefix;
        var marker = "";
        do
        {
            (string, string)[] query = [("comp", "list"), ("marker", marker), ("prefix", folder + prefix), ("restype", "container")];
            await using var answer = await SendAsync(_container, [.. query.Where(q => q.Item2.Length > 0)], cancellationToken);
            using var reader = new StreamReader(answer.Body, Encoding.UTF8);
            var list = Parse(await reader.ReadToEndAsync(cancellationToken));
            foreach (var blob in list.Descendants("Blob"))
            {
                var name = (string?)blob.Element("Name") ?? "";
                if (name.EndsWith(extension, StringComparison.Ordinal) && found.Count < most)
                {
                    _ = DateTime.TryParse((string?)blob.Element("Properties")?.Element("Last-Modified"), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var modified);
                    found.Add(new Blob(this, name, modified));
                }
            }

            marker = (string?)list.Element("NextMarker") ?? "";
        }
        while (marker.Length > 0 && found.Count < most);
        return found;
    }

    /// <summary>The file that the address names; null when it names a container or a folder, which has no ending.</summary>
    public Blob? File => Path.HasExtension(_prefix) ? new Blob(this, _prefix, default) : null;

    /// <summary>A blob below the address, which may or may not exist.</summary>
    public Blob At(string name) => new(this, _prefix.Length > 0 && !_prefix.EndsWith('/') ? $"{_prefix}/{name}" : _prefix + name, default);

    private async Task<ExternalAnswer> SendAsync(string path, IReadOnlyList<(string Name, string Value)> query, CancellationToken cancellationToken, bool takesAny = false)
    {
        using var signed = _account.Request(HttpMethod.Get, path, query, [], null, onlyNew: false, _session.UtcNow);
        var call = new ExternalCall(_caller, signed.RequestUri!, target =>
        {
            var request = _account.Request(HttpMethod.Get, path, query, [], null, onlyNew: false, _session.UtcNow);
            if (_token is not null)
                request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + _token);
            return request;
        }) { FollowsRedirects = false, TakesAnyAnswer = takesAny };
        return await _session.Connector.SendAsync(call, cancellationToken);
    }

    private XElement Parse(string text)
    {
        try
        {
            using var reader = XmlReader.Create(new StringReader(text.TrimStart('\uFEFF')), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XDocument.Load(reader).Root!;
        }
        catch (XmlException)
        {
            throw ExternalConnector.Refused(_caller, $"'{_account.BlobEndpoint.Host}' did not answer with a list of blobs.");
        }
    }

    private byte[] Decode(string key)
    {
        var bytes = new byte[key.Length];
        return Convert.TryFromBase64String(key, bytes, out var length) ? bytes[..length] : throw ExternalConnector.Refused(_caller, "the storage key is not base64.");
    }

    /// <summary>A blob.</summary>
    /// <param name="container">Where it is.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Modified">When it was last written, UTC.</param>
    internal sealed record Blob(BlobContainer Container, string Name, DateTime Modified)
    {
        /// <summary>Its address.</summary>
        public Uri Address => new(Container._account.BlobEndpoint, $"{Container._container}/{Name}");

        /// <summary>Opens it.</summary>
        public async Task<Stream> OpenAsync(CancellationToken cancellationToken) => (await Container.SendAsync($"{Container._container}/{Name}", [], cancellationToken)).Body;

        /// <summary>Opens it; null when there is none.</summary>
        public async Task<Stream?> TryOpenAsync(CancellationToken cancellationToken)
        {
            var answer = await Container.SendAsync($"{Container._container}/{Name}", [], cancellationToken, takesAny: true);
            if (answer.Response.StatusCode == System.Net.HttpStatusCode.OK)
                return answer.Body;
            await answer.DisposeAsync();
            return answer.Response.StatusCode == System.Net.HttpStatusCode.NotFound
                ? null
                : throw ExternalConnector.Refused(Container._caller, $"'{Container._account.BlobEndpoint.Host}' answered {(int)answer.Response.StatusCode}.");
        }

        /// <summary>Its text.</summary>
        public async Task<string> ReadAsync(int left, CancellationToken cancellationToken)
        {
            await using var answer = await Container.SendAsync($"{Container._container}/{Name}", [], cancellationToken);
            return await TextFormats.ReadAsync(
                answer.Body, Container._caller, new Uri(Container._account.BlobEndpoint, Name), left, Container._session.Connector.Options.MaxCharacters, cancellationToken);
        }
    }
}
