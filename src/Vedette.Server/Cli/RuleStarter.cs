using Vedette.Server.Control;

namespace Vedette.Server.Cli;

/// <summary>A rule and a query with their tests, to begin a folder of one's own from.</summary>
internal static class RuleStarter
{
    private const string Prefix = "starter/";

    /// <summary>Writes the files; those that are there stay as they are.</summary>
    /// <param name="folder">Where; made when it is missing.</param>
    /// <returns>The paths, below the folder, and whether each was written.</returns>
    /// <exception cref="OperationException">The folder cannot be written.</exception>
    public static async Task<IReadOnlyList<(string Path, bool Written)>> WriteAsync(string folder, CancellationToken cancellationToken)
    {
        var files = new List<(string, bool)>();
        var assembly = typeof(RuleStarter).Assembly;
        try
        {
            foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            {
                var path = Path.Combine(folder, resource[Prefix.Length..]);
                files.Add((path, !File.Exists(path)));
                if (File.Exists(path)) continue;
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
                var text = await reader.ReadToEndAsync(cancellationToken);
                await File.WriteAllTextAsync(path, text.Replace("{{id}}", Guid.NewGuid().ToString(), StringComparison.Ordinal), cancellationToken);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OperationException("bad_input", $"The folder '{folder}' cannot be written: {exception.Message}", exception);
        }

        return files;
    }
}
