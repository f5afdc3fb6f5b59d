namespace Vedette.Defender.Vulnerabilities.Posture;

/// <summary>A security configuration that devices are checked for.</summary>
/// <param name="Id">The check, such as <c>scid-2012</c>.</param>
/// <param name="Name">What to do.</param>
/// <param name="Category"><c>Accounts</c>, <c>Application</c>, <c>Network</c>, <c>OS</c> or <c>SecurityControls</c>.</param>
/// <param name="Subcategory">Part of the category; may be empty.</param>
/// <param name="Impact">Weight in the scores, 1 to 10.</param>
/// <param name="Platforms">Beginnings of the platforms that it applies to.</param>
/// <param name="Component">What it configures.</param>
/// <param name="Description">What it is.</param>
/// <param name="Risk">What may happen without it.</param>
/// <param name="Remediation">How to get there.</param>
/// <param name="IsExpectedUserImpact">Whether people notice the change.</param>
public sealed record SecurityConfiguration(
    string Id, string Name, string Category, string Subcategory, double Impact, string[] Platforms, string Component, string Description, string Risk,
    string Remediation, bool IsExpectedUserImpact);

/// <summary>The security configurations.</summary>
public static class ConfigurationCatalogue
{
    private static readonly Lazy<SecurityConfiguration[]> Loaded = new(() => TvmJson.Resource<SecurityConfiguration[]>("configurations"));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SecurityConfiguration> All => Loaded.Value;

    /// <summary>SQL that gives the catalogue as rows under an alias.</summary>
    internal static string Rows(string alias) => RowsText.Value + $" AS {alias}(id, name, category, subcategory, impact, component, user_impact, description, risk, remediation)";

    private static readonly Lazy<string> RowsText = new(() => "(VALUES " + string.Join(", ", All.Select(c => FormattableString.Invariant(
        $"({Quote(c.Id)}, {Quote(c.Name)}, {Quote(c.Category)}, {Quote(c.Subcategory)}, {c.Impact}::double precision, {Quote(c.Component)}, {(c.IsExpectedUserImpact ? "true" : "false")}, {Quote(c.Description)}, {Quote(c.Risk)}, {Quote(c.Remediation)})"))) + ")");

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
