namespace Vedette.Defender.Sigma;

/// <summary>Why a Sigma rule was not turned into one of ours. Names stay as they are: programs read them.</summary>
public enum SigmaReason
{
    /// <summary>The text is not a Sigma rule.</summary>
    Syntax,

    /// <summary>The condition cannot be read or names something that is not there.</summary>
    Condition,

    /// <summary>No hunting table holds the log source's events.</summary>
    LogSource,

    /// <summary>The events that the rule asks for are not in any hunting table.</summary>
    Event,

    /// <summary>What the rule depends on is a field that the hunting tables lack.</summary>
    Field,

    /// <summary>A placeholder was given no values.</summary>
    Placeholder,

    /// <summary>The regular expression uses what the engine's expressions lack.</summary>
    RegularExpression,

    /// <summary>A modifier is unknown or does not fit its value.</summary>
    Modifier,

    /// <summary>A correlation asks for what cannot be expressed, or names a rule that is missing.</summary>
    Correlation,

    /// <summary>The result would be longer than a rule may be.</summary>
    TooLong,

    /// <summary>The query that came out is wrong: a defect of this product.</summary>
    Query,
}

/// <summary>A rule cannot be turned.</summary>
internal sealed class SigmaException(SigmaReason reason, string message, int line = 0) : Exception(message)
{
    /// <summary>Kind of obstacle.</summary>
    public SigmaReason Reason => reason;

    /// <summary>Line of the file, from 1; 0 when no single line is to blame.</summary>
    public int Line => line;
}
