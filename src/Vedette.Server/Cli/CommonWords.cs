using System.CommandLine;

namespace Vedette.Server.Cli;

/// <summary>Options and arguments that many commands share, defined once.</summary>
internal static class CommonWords
{
    /// <summary><c>--tenant</c>: which tenant is meant.</summary>
    public static Option<string?> Tenant() => new("--tenant") { Description = "Tenant id or domain; the first tenant when left out.", HelpName = "TENANT" };

    /// <summary><c>--strict</c>: retired columns are refused.</summary>
    public static Option<bool> Strict() => new("--strict") { Description = "Refuse columns that were renamed or retired, as the service does, whatever the settings say." };

    /// <summary>The application that a command is about.</summary>
    public static Argument<string> Application() => new("application") { Description = "Application (client) id, or its display name when that is unique." };

    /// <summary>The user that a command is about.</summary>
    public static Argument<string> User() => new("user") { Description = "Sign-in name, with or without the tenant's domain, or object id." };

    /// <summary>The directory group that a command is about.</summary>
    public static Argument<string> Group() => new("group") { Description = "Name of a group of the directory when that is unique, or its object id." };
}
