using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Properties;

/// <summary>
/// What property tests share. They are repeatable: the seed is fixed unless the variable <c>VEDETTE_PROPERTY_SEED</c> gives another, and
/// <c>VEDETTE_PROPERTY_SCALE</c> multiplies the number of examples.
/// </summary>
internal static class PropertyRuns
{
    private static readonly Lazy<Task<HuntingService>> Lazy = new(OpenAsync);

    public static Guid Tenant { get; } = Guid.Parse("77777777-2222-2222-2222-222222222222");

    public static Guid OtherTenant { get; } = Guid.Parse("88888888-2222-2222-2222-222222222222");

    /// <summary>Checks a property over texts that a seed makes.</summary>
    public static void Check(int examples, Func<Random, string> make, Func<string, string?> verify) => Check(
        examples,
        Gen.Choose(0, int.MaxValue).Select(seed => make(new Random(seed))).ToArbitrary(),
        verify);

    /// <summary>Checks a property: the verifier says what is wrong, or null.</summary>
    public static void Check<T>(int examples, Arbitrary<T> values, Func<T, string?> verify) => Prop.ForAll(values, value =>
    {
        var wrong = verify(value);
        return (wrong is null).Label(wrong ?? "");
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(examples * Setting("VEDETTE_PROPERTY_SCALE", 1)).WithReplay((ulong)Setting("VEDETTE_PROPERTY_SEED", 20261120), 20261121UL));

    /// <summary>Runs a query over a few stored rows of <see cref="Tenant"/>.</summary>
    public static IReadOnlyList<object?[]> Rows(string query) => Run(query).Rows;

    /// <summary>Runs a query.</summary>
    public static HuntingResult Run(string query) => RunAsync(query, static request => request).GetAwaiter().GetResult();

    /// <summary>Runs a request for a query.</summary>
    public static async Task<HuntingResult> RunAsync(string query, Func<HuntingRequest, HuntingRequest> change, CancellationToken cancellationToken = default) =>
        await (await Lazy.Value).RunAsync(change(new HuntingRequest(Tenant, query) { Limits = new HuntingLimits { Timeout = TimeSpan.FromMinutes(1) } }), cancellationToken);

    /// <summary>A text as a KQL literal.</summary>
    public static string Literal(string text) => "\"" + string.Concat(text.Select(c => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        < ' ' or '\u007f' or '\u2028' or '\u2029' or '\u0085' => $"\\u{(int)c:x4}",
        _ => c.ToString(),
    })) + "\"";

    private static int Setting(string name, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : usual;

    private static async Task<HuntingService> OpenAsync()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        var options = new TelemetryOptions { Database = database };
        await using var store = new HuntingStore(TestEngine.Shared, database, TimeProvider.System);
        foreach (var (tenant, mark) in new[] { (Tenant, "own"), (OtherTenant, "foreign") })
        {
            var rows = Enumerable.Range(0, 12).Select(i =>
            {
                var row = HuntingRow.For("DeviceProcessEvents");
                row["Timestamp"] = DateTime.UtcNow.AddHours(-i);
                row["DeviceId"] = $"{mark}{i % 3}";
                row["DeviceName"] = $"{mark}-pc{i % 3}.example";
                row["FileName"] = i % 2 == 0 ? "cmd.exe" : $"{mark} tool.exe";
                row["ProcessCommandLine"] = $"{mark} /c run \"step {i}\" -enc aGk=";
                row["ProcessId"] = i % 4 == 0 ? null : (long)i;
                row["ReportId"] = (long)i;
                row["AdditionalFields"] = $"{{\"n\":{i},\"mark\":\"{mark}\"}}";
                return row;
            }).ToList();
            await store.AppendAsync(tenant, rows, null, default);
        }

        await store.AppendAsync(Tenant, [.. OddRows.Make()], null, default);

        return new HuntingService(TestEngine.Shared, options, new HuntingCatalogue(options), TimeProvider.System);
    }
}
