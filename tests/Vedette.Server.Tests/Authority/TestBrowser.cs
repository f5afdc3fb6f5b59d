using System.Net;
using System.Text.RegularExpressions;

namespace Vedette.Server.Tests.Authority;

/// <summary>Fills in the sign-in pages as a browser without scripts would: follows forms, keeps cookies, stops at redirects.</summary>
internal sealed partial class TestBrowser : IDisposable
{
    private readonly HttpClient _http;
    private Uri _address;

    public TestBrowser(string baseAddress, HttpMessageHandler? handler = null)
    {
        _http = new HttpClient(handler ?? new HttpClientHandler { AllowAutoRedirect = false, UseCookies = true });
        _address = new Uri(baseAddress);
    }

    /// <summary>The page that is shown.</summary>
    public string Html { get; private set; } = "";

    /// <summary>Status of the last answer.</summary>
    public HttpStatusCode Status { get; private set; }

    /// <summary>Where the last answer leads, or null.</summary>
    public string? Location { get; private set; }

    /// <summary>Headers of the last answer.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; private set; } = new Dictionary<string, string>();

    public Task OpenAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(_address, path)));

    /// <summary>Submits the page's form with its hidden fields and what is typed.</summary>
    public Task SubmitAsync(params (string Name, string Value)[] typed)
    {
        var fields = Hidden().Matches(Html).ToDictionary(match => match.Groups[1].Value, match => WebUtility.HtmlDecode(match.Groups[2].Value));
        foreach (var (name, value) in typed) fields[name] = value;
        var action = WebUtility.HtmlDecode(Action().Match(Html).Groups[1].Value);
        return SendAsync(new HttpRequestMessage(HttpMethod.Post, new Uri(_address, action)) { Content = new FormUrlEncodedContent(fields) });
    }

    public void Dispose() => _http.Dispose();

    private async Task SendAsync(HttpRequestMessage request)
    {
        using var answer = await _http.SendAsync(request);
        Status = answer.StatusCode;
        Html = await answer.Content.ReadAsStringAsync();
        Location = answer.Headers.Location?.OriginalString;
        Headers = answer.Headers.ToDictionary(header => header.Key, header => string.Join(", ", header.Value));
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\">")]
    private static partial Regex Hidden();

    [GeneratedRegex("<form method=\"post\" action=\"([^\"]*)\"")]
    private static partial Regex Action();
}
