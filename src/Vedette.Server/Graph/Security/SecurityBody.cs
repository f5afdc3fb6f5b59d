using Vedette.Defender.State;
using Vedette.Server.Http;

namespace Vedette.Server.Graph.Security;

/// <summary>Reads what the bodies of alerts and incidents have in common.</summary>
internal static class SecurityBody
{
    private const int LongestComment = 30_000;

    /// <summary>A member of an enumeration, without regard to case; null when the key is absent or null.</summary>
    /// <param name="body">The body.</param>
    /// <param name="call">The call.</param>
    /// <param name="key">The key.</param>
    /// <param name="members">The enumeration.</param>
    /// <param name="except">Members that may not be set.</param>
    /// <exception cref="ApiException">It is no member, or not one that may be set.</exception>
    public static string? Member(this RequestBody body, ApiCall call, string key, IReadOnlyList<string> members, params IReadOnlyList<string> except)
    {
        if (body.Text(key) is not { } word) return null;
        var member = members.FirstOrDefault(member => member.Equals(word, StringComparison.OrdinalIgnoreCase));
        return member is null or Http.Entities.EntityReader.UnknownMember || except.Contains(member) ? throw call.Refuse("InvalidValue", key) : member;
    }

    /// <summary>The determination; older spellings are taken too.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public static AlertDetermination? Determination(this RequestBody body, ApiCall call) =>
        body.Text("determination") is { } word ? SecurityWords.ReadDetermination(word) ?? throw call.Refuse("InvalidValue", "determination") : null;

    /// <summary>The text of a new comment.</summary>
    /// <exception cref="ApiException">There is too much of it.</exception>
    public static string Comment(this ApiCall call) =>
        call.Body.Text("comment") is { Length: <= LongestComment } text ? text : throw call.Refuse("InvalidValue", "comment");
}
