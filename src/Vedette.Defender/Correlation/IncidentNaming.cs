using Vedette.Defender.Detections;

namespace Vedette.Defender.Correlation;

/// <summary>Names incidents by what happened, in the words of the service.</summary>
internal static class IncidentNaming
{
    /// <summary>The name of an incident.</summary>
    /// <param name="title">Title of its first alert.</param>
    /// <param name="titles">Different titles among its alerts.</param>
    /// <param name="categories">Categories of its alerts.</param>
    /// <param name="devices">Different devices.</param>
    /// <param name="rules">Order of the stages.</param>
    public static string Name(string title, int titles, IReadOnlyCollection<string> categories, int devices, CorrelationRules rules)
    {
        var place = devices switch { 0 => "", 1 => " on one endpoint", _ => " on multiple endpoints" };
        if (titles <= 1) return title + place;
        var stages = categories.Distinct(StringComparer.Ordinal).OrderBy(rules.Stage).Select(Phrase).ToArray();
        return stages.Length == 1
            ? $"{stages[0]} incident{place}"
            : $"Multi-stage incident involving {stages[0]} & {stages[^1]}{place}";
    }

    private static string Phrase(string category) => DetectionVocabulary.Categories.GetValueOrDefault(category, category);
}
