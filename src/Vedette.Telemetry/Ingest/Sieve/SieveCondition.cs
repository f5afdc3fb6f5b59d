using System.Text;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Ingest.Sieve;

/// <summary>
/// What a row must fulfil so that a query can have something to say about it. A condition may hold where the query's own is not true, never the
/// other way round: it leaves out what only the engine can tell exactly.
/// </summary>
internal abstract record SieveCondition
{
    /// <summary>Holds for every row.</summary>
    public static readonly SieveCondition Any = new AnyRow();

    /// <summary>Whether a row fulfils it.</summary>
    public abstract bool Holds(HuntingRow row);

    /// <summary>All of them.</summary>
    public static SieveCondition And(IEnumerable<SieveCondition> parts)
    {
        var needed = parts.SelectMany(static p => p is AllOf all ? all.Parts : [p]).Where(static p => p != Any).ToArray();
        return needed.Length switch { 0 => Any, 1 => needed[0], _ => new AllOf(needed) };
    }

    /// <summary>One of them.</summary>
    public static SieveCondition Or(IEnumerable<SieveCondition> parts)
    {
        var choices = parts.SelectMany(static p => p is OneOf one ? one.Parts : [p]).ToArray();
        return choices.Contains(Any) ? Any : choices.Length == 1 ? choices[0] : new OneOf(choices);
    }

    private sealed record AnyRow : SieveCondition
    {
        public override bool Holds(HuntingRow row) => true;
    }
}

/// <summary>All parts hold.</summary>
internal sealed record AllOf(SieveCondition[] Parts) : SieveCondition
{
    public override bool Holds(HuntingRow row)
    {
        foreach (var part in Parts)
            if (!part.Holds(row)) return false;
        return true;
    }
}

/// <summary>At least one part holds; none does when there is no part.</summary>
internal sealed record OneOf(SieveCondition[] Parts) : SieveCondition
{
    public override bool Holds(HuntingRow row)
    {
        foreach (var part in Parts)
            if (part.Holds(row)) return true;
        return false;
    }
}

/// <summary>How a text is compared, always without regard to case.</summary>
internal enum SieveTest
{
    Equal,
    Contains,
    StartsWith,
    EndsWith,
}

/// <summary>A column's text compares with one of some ASCII texts.</summary>
internal sealed record TextIs(int Ordinal, SieveTest Test, string[] Values) : SieveCondition
{
    public override bool Holds(HuntingRow row)
    {
        var text = SieveText.Of(row, Ordinal);
        foreach (var value in Values)
        {
            var holds = Test switch
            {
                SieveTest.Equal => text.Equals(value, StringComparison.OrdinalIgnoreCase),
                SieveTest.Contains => text.Contains(value, StringComparison.OrdinalIgnoreCase),
                SieveTest.StartsWith => text.StartsWith(value, StringComparison.OrdinalIgnoreCase),
                _ => text.EndsWith(value, StringComparison.OrdinalIgnoreCase),
            };
            if (holds) return true;
        }

        return false;
    }
}

/// <summary>A column's text is none of some ASCII texts. With letters beyond ASCII nobody but the engine can tell.</summary>
internal sealed record TextIsNot(int Ordinal, SieveTest Test, string[] Values) : SieveCondition
{
    private readonly TextIs _positive = new(Ordinal, Test, Values);

    public override bool Holds(HuntingRow row) => !_positive.Holds(row) || !Ascii.IsValid(SieveText.Raw(row.Values[Ordinal]));
}

/// <summary>A column's text is not empty.</summary>
internal sealed record TextIsFilled(int Ordinal) : SieveCondition
{
    public override bool Holds(HuntingRow row) => SieveText.Raw(row.Values[Ordinal]).Length > 0;
}

/// <summary>A column's whole number is one of some.</summary>
internal sealed record NumberIs(int Ordinal, long[] Values) : SieveCondition
{
    public override bool Holds(HuntingRow row) => SieveText.Number(row.Values[Ordinal]) is { } number && Array.IndexOf(Values, number) >= 0;
}

/// <summary>Values of rows as the sieve compares them.</summary>
internal static class SieveText
{
    /// <summary>A string column's text, letters that the engine would turn into ASCII ones included.</summary>
    public static string Of(HuntingRow row, int ordinal)
    {
        var text = Raw(row.Values[ordinal]);
        return Ascii.IsValid(text) ? text : Folded(text);
    }

    /// <summary>A string column's text as it is stored.</summary>
    public static string Raw(object? value) => value switch
    {
        null => "",
        string text => text,
        Guid id => id.ToString("D"),
        IFormattable other => other.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => "",
    };

    /// <summary>A whole number, of whatever type the store would make one of; null when the value is none.</summary>
    public static long? Number(object? value)
    {
        switch (value)
        {
            case null or "": return null;
            case long number: return number;
            case int number: return number;
        }

        try
        {
            return Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is InvalidCastException or FormatException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>The ASCII letter that a letter beyond ASCII becomes when case is taken away; else the letter itself.</summary>
    public static char Fold(char letter) => letter switch { '\u212A' => 'k', '\u017F' => 's', '\u0130' or '\u0131' => 'i', _ => letter };

    private static string Folded(string text) => text.AsSpan().IndexOfAny("\u212A\u017F\u0130\u0131") < 0
        ? text
        : string.Create(text.Length, text, static (folded, original) =>
        {
            for (var at = 0; at < folded.Length; at++) folded[at] = Fold(original[at]);
        });
}

/// <summary>What a query needs of one table: it has nothing to say unless a row of it fulfils the condition.</summary>
/// <param name="Table">The table.</param>
/// <param name="Condition">What one of its rows must fulfil.</param>
internal sealed record SieveSource(HuntingTable Table, SieveCondition Condition);
