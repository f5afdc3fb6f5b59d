namespace Vedette.Kql.Bound;

/// <summary>
/// Binary operators of a <see cref="BoundBinary"/>. Negated string operators (<c>!has</c>, <c>!contains</c>, <c>!~</c> …) are the
/// positive one with <see cref="BoundBinary.Negated"/> set. Word operators without "Cs" ignore case.
/// </summary>
public enum KqlOperator
{
    /// <summary>Numbers; datetime+timespan and timespan+datetime give datetime; timespan+timespan gives timespan.</summary>
    Add,
    /// <summary>Numbers; datetime-datetime gives timespan, datetime-timespan gives datetime, timespan-timespan gives timespan.</summary>
    Subtract,
    /// <summary>Numbers; timespan*number and number*timespan give timespan.</summary>
    Multiply,
    /// <summary>Two integers give an integer truncated towards zero (null when the divisor is 0); timespan/timespan gives real,
    /// timespan/number gives timespan.</summary>
    Divide,
    /// <summary>The result is never negative for a positive divisor (-14 % 12 is 10); timespan%timespan gives timespan.</summary>
    Modulo,
    /// <summary>One side null: false; both null: null. Strings case-sensitive. See docs/kql-bound-tree.md, "Nulls".</summary>
    Equal,
    /// <summary>One side null: true; both null: null.</summary>
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    /// <summary><c>=~</c>: string equality ignoring case.</summary>
    EqualIgnoreCase,
    /// <summary>Substring, ignoring case.</summary>
    Contains,
    ContainsCs,
    /// <summary>Whole-term match, ignoring case: a term is a maximal run of ASCII letters and digits (other letters count as well); the
    /// match must begin and end at a term boundary. An empty right side matches everything.</summary>
    Has,
    HasCs,
    /// <summary>Term starts with: boundary on the left of the match only.</summary>
    HasPrefix,
    HasPrefixCs,
    /// <summary>Term ends with: boundary on the right of the match only.</summary>
    HasSuffix,
    HasSuffixCs,
    StartsWith,
    StartsWithCs,
    EndsWith,
    EndsWithCs,
    /// <summary>RE2 search, case-sensitive, not anchored.</summary>
    MatchesRegex,
    /// <summary>Old <c>like</c>: <c>*</c> stands for any run of characters; ignores case; whole string.</summary>
    Like,
    LikeCs,
}

/// <summary>Operators of a <see cref="BoundIn"/>.</summary>
public enum KqlSetOperator
{
    /// <summary><c>in</c>: equal to one of the items, case-sensitive.</summary>
    In,
    /// <summary><c>in~</c>: ignores case.</summary>
    InIgnoreCase,
    /// <summary><c>has_any</c>: <see cref="KqlOperator.Has"/> for at least one item; false for no items.</summary>
    HasAny,
    /// <summary><c>has_all</c>: <see cref="KqlOperator.Has"/> for every item.</summary>
    HasAll,
}
