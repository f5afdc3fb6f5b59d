using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>parse_user_agent(): browser, operating system and device of a user agent, by the tokens that the common ones carry.</summary>
internal static partial class UserAgent
{
    // More specific names come first: Edge also calls itself Chrome, and Chrome calls itself Safari.
    private static readonly (string Family, Regex Pattern)[] Browsers =
    [
        ("Edge", Token("Edg(?:e|A|iOS)?")), ("Opera", Token("OPR")), ("Samsung Internet", Token("SamsungBrowser")), ("Vivaldi", Token("Vivaldi")),
        ("Firefox", Token("(?:Firefox|FxiOS)")), ("Chromium", Token("Chromium")), ("Chrome Mobile iOS", Token("CriOS")), ("Chrome", Token("Chrome")),
        ("IE", new Regex(@"MSIE (\d+)(?:\.(\d+))?(?:\.(\d+))?", RegexOptions.CultureInvariant)), ("IE", new Regex(@"Trident/.*rv:(\d+)(?:\.(\d+))?(?:\.(\d+))?", RegexOptions.CultureInvariant)),
        ("Mobile Safari", new Regex(@"Version/(\d+)(?:\.(\d+))?(?:\.(\d+))?.*Mobile/.*Safari", RegexOptions.CultureInvariant)),
        ("Safari", new Regex(@"Version/(\d+)(?:\.(\d+))?(?:\.(\d+))?.*Safari", RegexOptions.CultureInvariant)),
        ("curl", Token("curl")), ("Wget", Token("Wget")), ("Python Requests", Token("python-requests")), ("Go-http-client", Token("Go-http-client")),
        ("PowerShell", Token("WindowsPowerShell")), ("okhttp", Token("okhttp")), ("Java", Token("Java")),
    ];

    private static readonly (string Family, Regex Pattern)[] Systems =
    [
        ("Windows Phone", new Regex(@"Windows Phone(?: OS)? (\d+)(?:\.(\d+))?(?:\.(\d+))?", RegexOptions.CultureInvariant)),
        ("Android", new Regex(@"Android (\d+)(?:\.(\d+))?(?:\.(\d+))?", RegexOptions.CultureInvariant)),
        ("iOS", new Regex(@"(?:iPhone )?OS (\d+)_(\d+)(?:_(\d+))?", RegexOptions.CultureInvariant)),
        ("Mac OS X", new Regex(@"Mac OS X (\d+)[._](\d+)(?:[._](\d+))?", RegexOptions.CultureInvariant)),
        ("Chrome OS", new Regex(@"CrOS \S+ (\d+)(?:\.(\d+))?(?:\.(\d+))?", RegexOptions.CultureInvariant)),
        ("Ubuntu", new Regex(@"Ubuntu(?:/(\d+)(?:\.(\d+))?)?", RegexOptions.CultureInvariant)),
        ("Linux", new Regex("Linux", RegexOptions.CultureInvariant)),
    ];

    public static object? Parse(LocalCall call)
    {
        var text = call.Text(0);
        var wanted = call.Has(1) ? Wanted(call) : ["browser", "os", "device"];
        var result = new JsonObject();
        if (wanted.Contains("browser"))
            result["Browser"] = Agent(text);
        if (wanted.Contains("os"))
            result["OperatingSystem"] = System(text);
        if (wanted.Contains("device"))
            result["Device"] = Device(text);
        return result;
    }

    private static IReadOnlyList<string> Wanted(LocalCall call) => call.Array(1) is { } array ? [.. array.Select(LocalJson.Text)] : [call.Text(1)];

    private static Regex Token(string name) => new($@"\b{name}/(\d+)(?:\.(\d+))?(?:\.(\d+))?", RegexOptions.CultureInvariant);

    private static JsonObject Agent(string text)
    {
        foreach (var (family, pattern) in Browsers)
        {
            if (pattern.Match(text) is { Success: true } match)
                return new JsonObject { ["Family"] = family, ["MajorVersion"] = match.Groups[1].Value, ["MinorVersion"] = match.Groups[2].Value, ["Patch"] = match.Groups[3].Value };
        }

        return new JsonObject { ["Family"] = "Other", ["MajorVersion"] = "", ["MinorVersion"] = "", ["Patch"] = "" };
    }

    private static JsonObject System(string text)
    {
        if (WindowsVersion().Match(text) is { Success: true } windows)
        {
            var name = windows.Groups[1].Value switch
            {
                "10.0" => "10", "6.3" => "8.1", "6.2" => "8", "6.1" => "7", "6.0" => "Vista", "5.1" or "5.2" => "XP", var other => other,
            };
            return new JsonObject { ["Family"] = "Windows", ["MajorVersion"] = name, ["MinorVersion"] = "", ["Patch"] = "", ["PatchMinor"] = "" };
        }

        foreach (var (family, pattern) in Systems)
        {
            if (pattern.Match(text) is { Success: true } match)
            {
                return new JsonObject
                {
                    ["Family"] = family, ["MajorVersion"] = match.Groups[1].Value, ["MinorVersion"] = match.Groups[2].Value, ["Patch"] = match.Groups[3].Value, ["PatchMinor"] = "",
                };
            }
        }

        return new JsonObject { ["Family"] = "Other", ["MajorVersion"] = "", ["MinorVersion"] = "", ["Patch"] = "", ["PatchMinor"] = "" };
    }

    private static JsonObject Device(string text)
    {
        if (text.Contains("iPhone", StringComparison.Ordinal))
            return Of("iPhone", "Apple", "iPhone");
        if (text.Contains("iPad", StringComparison.Ordinal))
            return Of("iPad", "Apple", "iPad");
        if (text.Contains("Macintosh", StringComparison.Ordinal))
            return Of("Mac", "Apple", "Mac");
        if (AndroidModel().Match(text) is { Success: true } model)
            return Of(model.Groups[1].Value.Trim(), "Generic_Android", model.Groups[1].Value.Trim());
        return Of("Other", "", "");

        static JsonObject Of(string family, string brand, string model) => new() { ["Family"] = family, ["Brand"] = brand, ["Model"] = model };
    }

    [GeneratedRegex(@"Windows NT (\d+\.\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex WindowsVersion();

    [GeneratedRegex(@"Android [^;)]+; ([^;)]+?)(?: Build/[^;)]+)?[;)]", RegexOptions.CultureInvariant)]
    private static partial Regex AndroidModel();
}
