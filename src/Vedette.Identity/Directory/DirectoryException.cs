namespace Vedette.Identity.Directory;

/// <summary>Why a directory operation was refused.</summary>
public enum DirectoryProblem
{
    /// <summary>An argument has no meaning.</summary>
    BadInput,

    /// <summary>Something that was named does not exist.</summary>
    NotFound,

    /// <summary>The operation clashes with what is there already.</summary>
    Conflict,

    /// <summary>An object with the same identity exists already.</summary>
    Duplicate,
}

/// <summary>A directory operation was refused; the message is for the person who asked.</summary>
public sealed class DirectoryException(DirectoryProblem problem, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public DirectoryProblem Problem { get; } = problem;

    internal static DirectoryException NotFound(string message) => new(DirectoryProblem.NotFound, message);

    internal static DirectoryException BadInput(string message) => new(DirectoryProblem.BadInput, message);

    internal static DirectoryException Duplicate(string message) => new(DirectoryProblem.Duplicate, message);

    internal static DirectoryException Conflict(string message) => new(DirectoryProblem.Conflict, message);
}
