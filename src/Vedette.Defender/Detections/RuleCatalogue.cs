using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Vedette.Defender.Detections.Custom;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections;

/// <summary>The rules in force. Changes to the user's own files and to tenants' rules are taken in without a restart.</summary>
public sealed partial class RuleCatalogue
{
    private readonly DetectionOptions _options;
    private readonly HuntingCatalogue? _names;
    private readonly ILogger? _log;
    private readonly ITenantRules? _tenants;
    private readonly RuleSet? _fixed;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<Guid, (RuleSet Files, IReadOnlyList<DetectionRule> Own, RuleSet Both)> _joined = new();
    private string? _signature;
    private RuleSet _rules = new([], []);

    /// <summary>Reads rule files on first use.</summary>
    /// <param name="options">Where the files are.</param>
    /// <param name="names">What queries may use; null leaves their check to the first run.</param>
    /// <param name="log">Hears of files that are wrong.</param>
    /// <param name="tenants">The rules of tenants; null means that there are none.</param>
    public RuleCatalogue(DetectionOptions options, HuntingCatalogue? names, ILogger<RuleCatalogue>? log, ITenantRules? tenants = null) =>
        (_options, _names, _log, _tenants) = (options, names, log, tenants);

    /// <summary>Uses the given rules, unchecked, instead of files.</summary>
    internal RuleCatalogue(IReadOnlyList<DetectionRule> rules, ITenantRules? tenants = null) =>
        (_options, _fixed, _tenants) = (new DetectionOptions(), new RuleSet(rules, []), tenants);

    /// <summary>Sound rules of files, which are every tenant's, and what is wrong in the others.</summary>
    public RuleSet Current
    {
        get
        {
            if (_fixed is not null) return _fixed;
            lock (_lock)
            {
                var signature = Signature(_options.OwnRules);
                if (signature == _signature) return _rules;
                _rules = Load();
                _signature = signature;
                foreach (var problem in _rules.Problems) LogProblem(problem);
                return _rules;
            }
        }
    }

    /// <summary>Every rule of a tenant: those of files, then its own. The same set is given until one of them changes.</summary>
    public async ValueTask<RuleSet> ForAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        var files = Current;
        if (_tenants is null) return files;
        var own = await _tenants.RulesAsync(tenantId, cancellationToken);
        if (own.Count == 0) return files;
        if (_joined.TryGetValue(tenantId, out var known) && ReferenceEquals(known.Files, files) && ReferenceEquals(known.Own, own)) return known.Both;
        var both = new RuleSet([.. files.Rules, .. own], files.Problems);
        _joined[tenantId] = (files, own, both);
        return both;
    }

    // Names, sizes and times of the user's files: cheap to look at before every run.
    private static string Signature(string? folder)
    {
        if (folder is null || !Directory.Exists(folder)) return "";
        return string.Join('\n', new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Take(RuleLoader.MaxFiles).Select(file => $"{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}").Order(StringComparer.Ordinal));
    }

    private RuleSet Load()
    {
        var set = RuleLoader.Load(_options.ShippedRules ?? RuleLoader.ShippedFolder(), _options.OwnRules);
        if (_names is null) return set;
        var problems = set.Problems.ToList();
        return new RuleSet([.. set.Rules.Select(rule => RuleCompiler.Compile(rule, _names.Schema, problems)).OfType<DetectionRule>()], problems);
    }

    private void LogProblem(RuleProblem problem)
    {
        if (_log is { } log) LogProblem(log, problem);
    }

    [LoggerMessage(LogLevel.Warning, "A detection rule is left out: {Problem}")]
    private static partial void LogProblem(ILogger log, RuleProblem problem);
}
