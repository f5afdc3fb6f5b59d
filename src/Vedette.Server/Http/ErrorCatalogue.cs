using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;

namespace Vedette.Server.Http;

/// <summary>One kind of error answer of a surface, as its catalogue tells it.</summary>
/// <param name="Name">What handlers call it.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">The <c>error.code</c> on the wire.</param>
/// <param name="Message">The text, with <c>{0}</c>, <c>{1}</c> … for its particulars.</param>
internal sealed record ErrorTemplate(string Name, int Status, string Code, string Message)
{
    /// <summary>True when the answer carries an empty <c>details</c> list, as the service's OData layer writes it.</summary>
    public bool Details { get; init; }
}

/// <summary>An error answer, ready to be written.</summary>
/// <param name="Template">Its kind.</param>
/// <param name="Message">The text with its particulars.</param>
internal sealed record ApiError(ErrorTemplate Template, string Message)
{
    /// <summary>Seconds for the <c>Retry-After</c> header.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>The <c>WWW-Authenticate</c> header.</summary>
    public string? Challenge { get; init; }

    /// <summary>A body to be written as it is, in place of the error envelope.</summary>
    public string? RawBody { get; init; }

    /// <summary>Permissions any one of which would have helped; empty when permissions are not the reason.</summary>
    public IReadOnlyList<string> Needed { get; init; } = [];

    /// <summary>What was needed and what was had, for the log and for people; never holds a token.</summary>
    public string? Explanation { get; init; }
}

/// <summary>Carries an error answer out of a depth where returning it would clutter the code.</summary>
internal sealed class ApiException(ApiError error) : Exception(error.Message)
{
    /// <summary>The answer.</summary>
    public ApiError Error { get; } = error;
}

/// <summary>Every error answer of a surface. The texts live in a JSON resource, so that tests can assert them to the letter.</summary>
internal sealed class ErrorCatalogue
{
    private readonly FrozenDictionary<string, ErrorTemplate> _templates;

    private ErrorCatalogue(IEnumerable<ErrorTemplate> templates) =>
        _templates = templates.ToFrozenDictionary(t => t.Name, StringComparer.Ordinal);

    /// <summary>All kinds.</summary>
    public IEnumerable<ErrorTemplate> Templates => _templates.Values;

    /// <summary>Reads a catalogue from resources of this assembly; a later one's entry takes the place of an earlier one's of the same name.</summary>
    public static ErrorCatalogue Load(params IEnumerable<string> resources)
    {
        var templates = new Dictionary<string, ErrorTemplate>(StringComparer.Ordinal);
        foreach (var resource in resources)
        {
            using var stream = typeof(ErrorCatalogue).Assembly.GetManifestResourceStream(resource)
                ?? throw new InvalidOperationException($"The error catalogue {resource} is missing from the assembly.");
            foreach (var template in JsonSerializer.Deserialize(stream, HttpJson.Default.ErrorTemplateArray)!) templates[template.Name] = template;
        }

        return new ErrorCatalogue(templates.Values);
    }

    /// <summary>True when the catalogue has the named kind.</summary>
    public bool Has(string name) => _templates.ContainsKey(name);

    /// <summary>An error answer of the named kind.</summary>
    /// <exception cref="KeyNotFoundException">The catalogue has no such kind.</exception>
    public ApiError Of(string name, params ReadOnlySpan<object?> particulars)
    {
        var template = _templates[name];
        return new ApiError(template, string.Format(CultureInfo.InvariantCulture, template.Message, particulars));
    }
}
