using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections;

/// <summary>How the service names what goes wrong in a rule's run.</summary>
public static class RunErrors
{
    /// <summary>The query could not be run.</summary>
    public const string ExecutionFailed = "queryExecutionFailed";

    /// <summary>The answer was too large.</summary>
    public const string ResultSize = "queryExceededResultSize";

    /// <summary>It needed more than a query may have.</summary>
    public const string Limits = "queryLimitsExceeded";

    /// <summary>It ran for too long.</summary>
    public const string Timeout = "queryTimeout";

    /// <summary>The alerts could not be stored.</summary>
    public const string AlertCreation = "alertCreationFailed";

    /// <summary>The name of a query's failure.</summary>
    public static string Code(HuntingFailure failure) => failure switch
    {
        HuntingFailure.Timeout => Timeout,
        HuntingFailure.ExcessiveResources => Limits,
        HuntingFailure.ResultTooLarge => ResultSize,
        _ => ExecutionFailed,
    };
}
