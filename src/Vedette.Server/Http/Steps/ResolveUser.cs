using System.Collections.Frozen;
using Vedette.Identity.Tokens;

namespace Vedette.Server.Http.Steps;

/// <summary>What a signed-in user may do and see besides what the token says.</summary>
/// <param name="Roles">Names that the tables' <c>userRole</c> may ask for.</param>
/// <param name="DeviceGroups">Device groups that the user may see; null means all.</param>
internal sealed record UserAccess(FrozenSet<string> Roles, IReadOnlyList<int>? DeviceGroups);

/// <summary>Tells what users may do on the surfaces of one API.</summary>
internal interface IUserAccess
{
    /// <summary>Application ids of the APIs it speaks for.</summary>
    IReadOnlyList<Guid> Resources { get; }

    /// <summary>What the user of a token may do now, whatever was so when the token was issued.</summary>
    ValueTask<UserAccess> OfAsync(AccessToken token, CancellationToken cancellationToken);
}

/// <summary>In user context, finds out what the user may do and which device groups they see.</summary>
internal sealed class ResolveUser(IEnumerable<IUserAccess> accesses) : IRequestStep
{
    private readonly FrozenDictionary<Guid, IUserAccess> _byResource =
        accesses.SelectMany(access => access.Resources.Select(resource => (resource, access))).ToFrozenDictionary(pair => pair.resource, pair => pair.access);

    /// <inheritdoc/>
    public async ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        if (!call.Caller.IsUser || !_byResource.TryGetValue(call.Endpoint.Resource ?? call.Surface.Resource, out var access)) return null;
        call.Caller.Access = await access.OfAsync(call.Caller.Token, call.Aborted);
        return null;
    }
}
