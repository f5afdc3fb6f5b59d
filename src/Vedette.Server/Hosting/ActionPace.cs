using System.Globalization;
using Vedette.Defender.State;

namespace Vedette.Server.Hosting;

/// <summary>Reads <c>--action-timing</c>: <c>at-once</c>, seconds (<c>5s</c>, <c>0.5s</c>) or reads of the action (<c>3r</c>).</summary>
internal static class ActionPace
{
    /// <summary>Reads a setting; null when it is none.</summary>
    public static ActionTiming? Parse(string text)
    {
        if (text == "at-once") return ActionTiming.AtOnce;
        if (text.Length < 2
            || !double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            || amount > 86_400)
        {
            return null;
        }

        return text[^1] switch
        {
            's' => new ActionTiming(ActionTimingMode.AfterSeconds, amount / 3, amount * 2 / 3),
            'r' when amount == Math.Floor(amount) => new ActionTiming(ActionTimingMode.AfterReads, Math.Min(1, amount), Math.Max(0, amount - 1)),
            _ => null,
        };
    }
}
