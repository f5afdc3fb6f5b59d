using Vedette.Defender.State;
using Vedette.Server.Http;

namespace Vedette.Server.Graph.Security;

/// <summary>The answer to a new comment: every comment there is.</summary>
internal static class CommentList
{
    /// <summary>The comments of an entity.</summary>
    /// <param name="call">The call, whose path names the entity.</param>
    /// <param name="set">Path of the entity's collection.</param>
    /// <param name="comments">All comments, oldest first.</param>
    public static JsonResult Of(ApiCall call, string set, IReadOnlyList<AlertComment> comments) => new((json, _) =>
    {
        json.WriteStartObject();
        json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{set}('{call.Route["id"]}')/comments");
        json.WriteStartArray("value"u8);
        foreach (var comment in comments)
        {
            json.WriteStartObject();
            json.WriteString("comment"u8, comment.Comment);
            json.WriteString("createdByDisplayName"u8, comment.CreatedBy);
            json.WriteString("createdDateTime"u8, comment.CreatedTime);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        return ValueTask.CompletedTask;
    });
}
