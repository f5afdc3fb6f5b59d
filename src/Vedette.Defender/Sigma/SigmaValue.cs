namespace Vedette.Defender.Sigma;

/// <summary>One value of a search after its modifiers: what is asked of the field.</summary>
internal abstract record SigmaValue;

/// <summary>The field matches a pattern.</summary>
internal sealed record SigmaText(SigmaPattern Pattern, bool Cased) : SigmaValue;

/// <summary>The field matches a regular expression somewhere.</summary>
internal sealed record SigmaRegex(string Pattern, bool IgnoreCase, bool Multiline, bool DotMatchesAll) : SigmaValue;

/// <summary>The field is an address of a network.</summary>
internal sealed record SigmaNetwork(string Cidr) : SigmaValue;

/// <summary>The field is a number beyond a limit; the operator is that of KQL.</summary>
internal sealed record SigmaComparison(string Operator, string Number) : SigmaValue;

/// <summary>The field has no value.</summary>
internal sealed record SigmaNull : SigmaValue;

/// <summary>The field exists, or does not.</summary>
internal sealed record SigmaExists(bool Exists) : SigmaValue;

/// <summary>The field equals another field, or begins or ends with it.</summary>
internal sealed record SigmaFieldReference(string Field, bool OpenStart, bool OpenEnd, bool Cased) : SigmaValue;

/// <summary>One search: a field and values, or values alone that are searched everywhere.</summary>
/// <param name="Field">The field; null for keywords.</param>
/// <param name="Values">What is asked; a value that modifiers made several texts of is a group, of which any will do.</param>
/// <param name="All">Whether all groups must be met rather than any.</param>
/// <param name="Negated">Whether none may be met.</param>
/// <param name="TimePart">Part of a time that is compared in place of the field itself: minute, hour …; null for none.</param>
/// <param name="Line">Line of the file, from 1.</param>
internal sealed record SigmaItem(string? Field, IReadOnlyList<IReadOnlyList<SigmaValue>> Values, bool All, bool Negated, string? TimePart, int Line);

/// <summary>What stands under one name of a detection.</summary>
internal abstract record SigmaSearch;

/// <summary>All of these: a mapping.</summary>
internal sealed record SigmaAll(IReadOnlyList<SigmaSearch> Parts) : SigmaSearch;

/// <summary>Any of these: a list.</summary>
internal sealed record SigmaAny(IReadOnlyList<SigmaSearch> Parts) : SigmaSearch;

/// <summary>A single item.</summary>
internal sealed record SigmaLeaf(SigmaItem Item) : SigmaSearch;
