using System.Text;

namespace Vedette.Defender.Sigma;

/// <summary>
/// A condition over a row, simplified as it is built: constants vanish, nested conditions of one kind become one. It has two values, so that
/// <c>not</c> means what Sigma means: a test that gives null in KQL is written so that it gives false.
/// </summary>
internal abstract record Predicate
{
    private const int LineLength = 140;

    /// <summary>Always true.</summary>
    public static readonly Predicate True = new PredicateConstant(true);

    /// <summary>Never true.</summary>
    public static readonly Predicate False = new PredicateConstant(false);

    /// <summary>One or the other constant.</summary>
    public static Predicate Of(bool value) => value ? True : False;

    /// <summary>All of these.</summary>
    public static Predicate All(IEnumerable<Predicate> parts) => Join(parts, isAnd: true);

    /// <summary>Any of these.</summary>
    public static Predicate Any(IEnumerable<Predicate> parts) => Join(parts, isAnd: false);

    /// <summary>Not this.</summary>
    public static Predicate Not(Predicate inner) => inner switch
    {
        PredicateConstant constant => Of(!constant.Value),
        PredicateNot not => not.Inner,
        _ => new PredicateNot(inner),
    };

    /// <summary>A test in KQL.</summary>
    /// <param name="text">The test, which stands well beside <c>and</c> and <c>or</c>.</param>
    /// <param name="mayBeNull">Whether it gives null for rows without a value.</param>
    public static Predicate Test(string text, bool mayBeNull = false) => new PredicateTest(text, mayBeNull);

    /// <summary>A test against any of several literals, which joins with others of its kind.</summary>
    /// <param name="column">The column.</param>
    /// <param name="one">Operator for one literal.</param>
    /// <param name="many">Operator for several.</param>
    /// <param name="values">The literals' texts, at least one.</param>
    public static Predicate OneOf(string column, string one, string many, IReadOnlyList<string> values) => new PredicateList(column, one, many, values);

    /// <summary>A test of a field that the rows do not have. It must be resolved before the condition is written.</summary>
    public static Predicate Missing(string field) => new PredicateMissing(field);

    /// <summary>The condition as it is where fields are missing: their tests are false.</summary>
    /// <param name="missing">Receives the names of the fields.</param>
    public virtual Predicate Resolve(ICollection<string> missing) => this;

    private static Predicate Join(IEnumerable<Predicate> parts, bool isAnd)
    {
        var list = new List<Predicate>();
        foreach (var part in parts)
        {
            if (part is PredicateConstant constant)
            {
                if (constant.Value != isAnd) return part;
            }
            else if (part is PredicateGroup group && group.IsAnd == isAnd)
            {
                foreach (var item in group.Parts) Add(list, item, isAnd);
            }
            else
            {
                Add(list, part, isAnd);
            }
        }

        return list.Count switch { 0 => Of(isAnd), 1 => list[0], _ => new PredicateGroup(isAnd, list) };
    }

    private static void Add(List<Predicate> list, Predicate part, bool isAnd)
    {
        if (list.Contains(part)) return;
        if (!isAnd && part is PredicateList more && list.FindIndex(item => item is PredicateList known && known.Joins(more)) is >= 0 and var at)
            list[at] = ((PredicateList)list[at]).With(more);
        else list.Add(part);
    }

    /// <summary>The condition as conjuncts, each for a <c>where</c> of its own.</summary>
    public IEnumerable<string> Conjuncts() => this switch
    {
        PredicateConstant { Value: true } => [],
        PredicateGroup { IsAnd: true } group => group.Parts.Select(static part => part.Line()),
        _ => [Line()],
    };

    // Long alternatives stand below each other.
    private string Line()
    {
        var text = Write(negated: false, isOperand: false);
        if (text.Length <= LineLength) return text;
        return this switch
        {
            PredicateGroup { IsAnd: false } group => string.Join("\n    or ", group.Parts.Select(static part => part.Write(negated: false, isOperand: true))),
            PredicateNot { Inner: PredicateGroup { IsAnd: false } group } => $"not({string.Join("\n    or ", group.Parts.Select(static part => part.Write(negated: true, isOperand: true)))})",
            _ => text,
        };
    }

    /// <summary>The condition as one expression that may stand beside <c>and</c> and <c>or</c>.</summary>
    public string Operand() => Write(negated: false, isOperand: true);

    private protected abstract string Write(bool negated, bool isOperand);

    private sealed record PredicateConstant(bool Value) : Predicate
    {
        private protected override string Write(bool negated, bool isOperand) => Value ? "true" : "false";
    }

    private sealed record PredicateTest(string Text, bool MayBeNull) : Predicate
    {
        private protected override string Write(bool negated, bool isOperand) => MayBeNull && negated ? $"coalesce({Text}, false)" : Text;
    }

    private sealed record PredicateList(string Column, string One, string Many, IReadOnlyList<string> Values) : Predicate
    {
        public bool Joins(PredicateList other) => other.Column == Column && other.Many == Many;

        public PredicateList With(PredicateList other) => this with { Values = [.. Values.Union(other.Values, StringComparer.Ordinal)] };

        public bool Equals(PredicateList? other) => other is not null && Joins(other) && Values.SequenceEqual(other.Values);

        public override int GetHashCode() => HashCode.Combine(Column, Many, Values.Count);

        private protected override string Write(bool negated, bool isOperand) =>
            Values.Count == 1 ? $"{Column} {One} {KqlText.Quote(Values[0])}" : $"{Column} {Many} ({KqlText.List(Values)})";
    }

    private sealed record PredicateMissing(string Field) : Predicate
    {
        public override Predicate Resolve(ICollection<string> missing)
        {
            if (!missing.Contains(Field)) missing.Add(Field);
            return False;
        }

        private protected override string Write(bool negated, bool isOperand) => throw new InvalidOperationException($"The test of the missing field {Field} was not resolved.");
    }

    private sealed record PredicateNot(Predicate Inner) : Predicate
    {
        public override Predicate Resolve(ICollection<string> missing) => Not(Inner.Resolve(missing));

        // Below a not, everything must have two values, however deep and however often it is turned.
        private protected override string Write(bool negated, bool isOperand) => $"not({Inner.Write(negated: true, isOperand: false)})";
    }

    private sealed record PredicateGroup(bool IsAnd, IReadOnlyList<Predicate> Parts) : Predicate
    {
        public bool Equals(PredicateGroup? other) => other is not null && IsAnd == other.IsAnd && Parts.SequenceEqual(other.Parts);

        public override int GetHashCode() => HashCode.Combine(IsAnd, Parts.Count, Parts[0]);

        public override Predicate Resolve(ICollection<string> missing) => Join(Parts.Select(part => part.Resolve(missing)).ToArray(), IsAnd);

        private protected override string Write(bool negated, bool isOperand)
        {
            var text = new StringBuilder();
            foreach (var part in Parts)
            {
                if (text.Length > 0) text.Append(IsAnd ? " and " : " or ");
                text.Append(part.Write(negated, isOperand: true));
            }

            return isOperand ? $"({text})" : text.ToString();
        }
    }
}
