namespace Vedette.Server.Endpoint;

/// <summary>Enumerations of the domain as the texts of the API.</summary>
internal static class Vocabulary
{
    /// <summary>Names of an enumeration's members in their order.</summary>
    public static IReadOnlyList<string> Of<T>() where T : struct, Enum => Enum.GetNames<T>();

    /// <summary>Reads a member by name without regard to case; null when there is none.</summary>
    public static T? Read<T>(string? text) where T : struct, Enum =>
        text is not null && Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text[0]) ? value : null;
}
