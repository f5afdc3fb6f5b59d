namespace Vedette.Telemetry.Tests.Import.Conformance;

/// <summary>Finds the recorded attacks in the shared data.</summary>
internal static class Recordings
{
    public static string Folder
    {
        get
        {
            var shared = Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE");
            shared.ShouldNotBeNullOrEmpty("VEDETTE_CONFORMANCE must name the folder of the shared data");
            return Path.Combine(shared, "data", "security-datasets");
        }
    }

    public static string[] All => [.. Directory.GetFiles(Folder, "*.zip").Order(StringComparer.Ordinal)];

    public static string One(string name) => All.Single(path => Path.GetFileName(path).Contains(name, StringComparison.Ordinal));
}
