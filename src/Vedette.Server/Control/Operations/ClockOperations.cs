using System.Xml;
using Vedette.Foundation.Time;

namespace Vedette.Server.Control.Operations;

/// <summary><c>clock.show</c>: what time the server goes by.</summary>
internal sealed class ShowClock(ServerClock clock) : Operation<ShowClock.Input>("clock.show")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        Task.FromResult<object?>(SetClock.State(clock));

    internal sealed record Input;
}

/// <summary><c>clock.set</c>: sets, moves, stops or releases the server's clock, in this order.</summary>
internal sealed class SetClock(ServerClock clock) : Operation<SetClock.Input>("clock.set")
{
    private static readonly DateTimeOffset Earliest = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Latest = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How the clock stands.</summary>
    internal static object State(ServerClock clock) => new
    {
        now = clock.GetUtcNow().UtcDateTime,
        frozen = clock.IsFrozen,
        offsetSeconds = Math.Round(clock.Offset.TotalSeconds, 3),
    };

    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (input is { Reset: false, Time: null, Advance: null, Frozen: null }) throw new OperationException("bad_input", "Give a time, an advance, frozen or reset.");
        var advance = Duration(input.Advance);
        var target = (input.Time ?? (input.Reset ? DateTimeOffset.UtcNow : clock.GetUtcNow())) + advance;
        if (target < Earliest || target > Latest) throw new OperationException("bad_input", $"The time must be from {Earliest:yyyy} to {Latest:yyyy}.");
        if (input.Reset) clock.Reset();
        if (input.Time is { } time) clock.Set(time);
        if (advance != TimeSpan.Zero) clock.Advance(advance);
        if (input.Frozen == true) clock.Freeze();
        if (input.Frozen == false) clock.Run();
        return Task.FromResult<object?>(State(clock));
    }

    private static TimeSpan Duration(string? text)
    {
        if (text is null) return TimeSpan.Zero;
        if (TimeSpan.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var plain)) return plain;
        try
        {
            return XmlConvert.ToTimeSpan(text);
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            throw new OperationException("bad_input", $"'{text}' is not a time span: write 'PT1H30M' or '01:30:00'.", exception);
        }
    }

    /// <param name="Time">The new time.</param>
    /// <param name="Advance">How far to move it: ISO 8601 (<c>PT1H</c>) or <c>hh:mm:ss</c>; may be negative.</param>
    /// <param name="Frozen">True stops the clock, false lets it run on from where it stands.</param>
    /// <param name="Reset">Goes back to the machine's time first.</param>
    internal sealed record Input(DateTimeOffset? Time = null, string? Advance = null, bool? Frozen = null, bool Reset = false);
}
