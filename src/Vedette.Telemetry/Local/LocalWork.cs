namespace Vedette.Telemetry.Local;

/// <summary>
/// Lets a computation of this process end when its query does. Functions see one value at a time, and some take the square of an array's length: they
/// ask here, in the loops that cost.
/// </summary>
internal static class LocalWork
{
    private const int Often = 256;

    private static readonly AsyncLocal<CancellationToken> Current = new();

    [ThreadStatic]
    private static int t_calls;

    /// <summary>Says when the work of the present query is to end.</summary>
    public static void EndsWith(CancellationToken cancellationToken) => Current.Value = cancellationToken;

    /// <summary>Ends the work when it has to.</summary>
    /// <exception cref="OperationCanceledException">The query has ended.</exception>
    public static void Check() => Current.Value.ThrowIfCancellationRequested();

    /// <summary>As <see cref="Check"/>, for loops whose turns cost less than looking.</summary>
    /// <exception cref="OperationCanceledException">The query has ended.</exception>
    public static void CheckNowAndThen()
    {
        if (++t_calls % Often == 0)
            Check();
    }
}
