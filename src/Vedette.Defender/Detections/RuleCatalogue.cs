namespace Vedette.Defender.Detections;

/// <summary>The rules in force. Reading them again takes in changed files without a restart.</summary>
public sealed class RuleCatalogue
{
    private readonly DetectionOptions _options;
    private volatile Lazy<RuleSet> _rules;

    /// <summary>Reads rule files on first use.</summary>
    public RuleCatalogue(DetectionOptions options)
    {
        _options = options;
        _rules = new Lazy<RuleSet>(Load);
    }

    /// <summary>Uses the given rules instead of files.</summary>
    internal RuleCatalogue(DetectionOptions options, IReadOnlyList<DetectionRule> rules)
    {
        _options = options;
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

    private RuleSet Load() => RuleLoader.Load(_options.ShippedRules ?? RuleLoader.ShippedFolder(), _options.OwnRules);
}
