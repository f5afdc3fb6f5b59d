namespace Vedette.Telemetry.Sql;

/// <summary>
/// Binds a value to a name inside an expression. An alias would do, but the engine's analyzer copies aliased expressions, so that
/// definitions standing on each other grow exponentially.
/// </summary>
internal static class SqlLambda
{
    [ThreadStatic]
    private static int t_next;

    /// <summary>A name for a lambda's parameter that no enclosing lambda uses.</summary>
    public static string Name() => "v" + (t_next = (t_next + 1) % 100_000).ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The body with the value bound, written out when the value is a mere name.</summary>
    public static string Let(string value, Func<string, string> body)
    {
        if (IsSimple(value))
            return body(value);
        var name = Name();
        return $"arrayMap({name} -> {body(name)}, [{value}])[1]";
    }

    /// <summary>Two values bound at once.</summary>
    public static string Let(string first, string second, Func<string, string, string> body)
    {
        if (IsSimple(first) && IsSimple(second))
            return body(first, second);
        var (a, b) = (Name(), Name());
        return $"arrayMap(({a}, {b}) -> {body(a, b)}, [{first}], [{second}])[1]";
    }

    // A name, a short literal, or one function of a name: the engine computes equal expressions once.
    private static bool IsSimple(string text) => text.Length <= 64
        && (text[0] == '\'' || text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '`') || (text.Count(c => c == '(') == 1 && text.StartsWith("reinterpret(", StringComparison.Ordinal)));
}
