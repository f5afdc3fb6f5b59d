using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections;

/// <summary>The rules in force. Reading them again takes in changed files without a restart.</summary>
public sealed class RuleCatalogue
{
    private readonly DetectionOptions _options;
    private readonly HuntingCatalogue? _names;
    private volatile Lazy<RuleSet> _rules;

    /// <summary>Reads rule files on first use.</summary>
    /// <param name="options">Where the files are.</param>
    /// <param name="names">What queries may use; null leaves their check to the first run.</param>
    public RuleCatalogue(DetectionOptions options, HuntingCatalogue? names)
    {
        (_options, _names) = (options, names);
        _rules = new Lazy<RuleSet>(Load);
    }

    /// <summary>Uses the given rules, unchecked, instead of files.</summary>
    internal RuleCatalogue(IReadOnlyList<DetectionRule> rules)
    {
        _options = new DetectionOptions();
        _rules = new Lazy<RuleSet>(() => new RuleSet(rules, []));
    }

    /// <summary>Sound rules, and what is wrong in the others.</summary>
    public RuleSet Current => _rules.Value;

    /// <summary>Reads the files again.</summary>
    public RuleSet Reload()
    {
        _rules = new Lazy<RuleSet>(Load);
        return Current;
    }

    private RuleSet Load()
    {
        var set = RuleLoader.Load(_options.ShippedRules ?? RuleLoader.ShippedFolder(), _options.OwnRules);
        if (_names is null) return set;
        var problems = set.Problems.ToList();
        return new RuleSet([.. set.Rules.Select(rule => RuleCompiler.Compile(rule, _names.Schema, problems)).OfType<DetectionRule>()], problems);
    }
}
