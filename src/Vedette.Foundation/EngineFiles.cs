namespace Vedette.Foundation;

/// <summary>
/// Finds the engines that <c>./vedette</c> installs from <c>engines/package.json</c>: the folder named by <c>VEDETTE_ENGINES</c>, or the
/// nearest <c>engines</c> folder above the program that has <c>node_modules</c>.
/// </summary>
public static class EngineFiles
{
    /// <summary>The environment variable that names the folder holding <c>node_modules</c>.</summary>
    public const string Variable = "VEDETTE_ENGINES";

    /// <summary>Path of <c>libchdb.so</c>.</summary>
    public static string ClickHouseLibrary => Path.Combine(PackageFolder("@chdb", "lib-"), OperatingSystem.IsMacOS() ? "libchdb.dylib" : "libchdb.so");

    /// <summary>Folder holding PostgreSQL's <c>bin</c>, <c>lib</c> and <c>share</c>.</summary>
    public static string PostgresFolder => Path.Combine(PackageFolder("@embedded-postgres", ""), "native");

    /// <summary>Folder of another package that is installed with the engines.</summary>
    /// <exception cref="FileNotFoundException">It is not installed.</exception>
    public static string Package(string name)
    {
        var folder = Path.Combine(Root(), "node_modules", name);
        return Directory.Exists(folder) ? folder : throw new FileNotFoundException(
            $"The package {name} is not installed. Run './vedette up' once, or 'npm ci' in the engines folder, or set {Variable}.");
    }

    private static string PackageFolder(string scope, string prefix)
    {
        var modules = Path.Combine(Root(), "node_modules", scope);
        var folder = Directory.Exists(modules) ? Directory.EnumerateDirectories(modules, prefix + "*").FirstOrDefault() : null;
        return folder ?? throw new FileNotFoundException(
            $"The engine package {scope} is not installed. Run './vedette up' once, or 'npm ci' in the engines folder, or set {Variable}.");
    }

    private static string Root()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named) return named;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "engines");
            if (Directory.Exists(Path.Combine(candidate, "node_modules"))) return candidate;
        }

        throw new FileNotFoundException(
            $"The engines folder was not found. Run './vedette up' once, or set {Variable} to the folder that holds node_modules.");
    }
}
