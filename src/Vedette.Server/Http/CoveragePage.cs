using System.Globalization;
using System.Text;

namespace Vedette.Server.Http;

/// <summary>Writes the page that says which documented calls are answered, from the table and the registered handlers.</summary>
internal static class CoveragePage
{
    /// <summary>The page as Markdown.</summary>
    /// <param name="surface">The surface.</param>
    /// <param name="api">Name of the API in the heading.</param>
    /// <param name="unknown">How a missing call answers, in words.</param>
    /// <param name="tables">Where the rows stand; null for the folder of the surface's name.</param>
    public static string Write(
        ApiSurface surface, string api = "the Defender for Endpoint API", string unknown = "404 without a body,\nlike any unknown route", string? tables = null)
    {
        tables ??= $"src/Vedette.Server/{surface.Name.Replace(" ", "", StringComparison.Ordinal)}/endpoints.json";
        var rows = surface.Endpoints;
        var answered = rows.Count(row => StateOf(surface, row) == "answered");
        var counted = rows.Count(row => StateOf(surface, row) is "answered" or "missing");
        var page = new StringBuilder()
            .AppendLine(CultureInfo.InvariantCulture, $"# Coverage of {api}")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"Generated from `{tables}` and the registered handlers; do not edit. A missing call answers {unknown}.")
            .AppendLine()
            .Append(CultureInfo.InvariantCulture, $"{answered} of {counted} calls are answered. ")
            .AppendLine("Calls that the service itself has removed, and those that belong to another surface, are listed but not counted.");
        foreach (var group in rows.GroupBy(row => row.Group))
        {
            page.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"## {group.Key}").AppendLine()
                .AppendLine("| call | | application permissions | delegated | `$filter` | limits | state |")
                .AppendLine("|---|---|---|---|---|---|---|");
            foreach (var row in group)
            {
                string[] cells =
                [
                    row.Name, $"`{row.Method} {row.Path}`{(row.Roots is { } roots ? $" ({string.Join(", ", roots.Select(root => root.Trim('/')))} only)" : "")}", Permissions(row.Application), Permissions(row.Delegated), string.Join(", ", row.OData.Filter),
                    Limits(row.Limits), StateOf(surface, row),
                ];
                page.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells)} |");
            }
        }

        return page.ToString();
    }

    private static string StateOf(ApiSurface surface, ApiEndpoint row)
    {
        if (surface.Handlers.ContainsKey(row)) return "answered";
        if (row.Surface is { } other) return other;
        return row.Group == "Removed" ? "removed" : "missing";
    }

    private static string Permissions(IReadOnlyList<IReadOnlyList<string>> groups) =>
        string.Join(" and ", groups.Select(group => string.Join(" or ", group)));

    private static string Limits(CallLimits limits)
    {
        string?[] parts =
        [
            limits.PerMinute is { } minute ? $"{minute}/min" : null,
            limits.PerHour is { } hour ? $"{hour}/h" : null,
            limits.PerTenant ? "per tenant" : null,
        ];
        return string.Join(", ", parts.Where(part => part is not null));
    }
}
