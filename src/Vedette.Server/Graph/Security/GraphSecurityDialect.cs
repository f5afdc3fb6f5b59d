namespace Vedette.Server.Graph.Security;

/// <summary>How the security part of Microsoft Graph words what is the same on all of Graph.</summary>
internal class GraphSecurityDialect : GraphDialect
{
    /// <summary>The only instance.</summary>
    public static new GraphSecurityDialect Instance { get; } = new();
}
