using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Vedette.Kql.Tests.Syntax;

/// <summary>No text makes the compiler throw, overflow the stack or take long.</summary>
public sealed class BoundsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public static TheoryData<string, string> Hostile() => new()
    {
        { "parentheses", new string('(', 20_000) },
        { "closed parentheses", "print " + new string('(', 5_000) + "1" + new string(')', 5_000) },
        { "signs", "print " + new string('-', 50_000) + "1" },
        { "a long sum", "print 1" + Repeat("+1", 50_000) },
        { "nested calls", "print " + Repeat("not(", 10_000) + "true" },
        { "nested dynamics", "print dynamic(" + new string('[', 20_000) },
        { "a long path", "print a" + Repeat(".b", 50_000) },
        { "a long index", "print a" + Repeat("[0]", 50_000) },
        { "many pipes", "DeviceInfo" + Repeat(" | where true", 20_000) },
        { "only pipes", new string('|', 50_000) },
        { "nested functions", Repeat("let f = () { ", 5_000) },
        { "nested joins", Repeat("DeviceInfo | join (", 5_000) },
        { "doubling tables", "let t0 = print a = 1;" + Each(60, i => $"let t{i} = union t{i - 1}, t{i - 1};") + "t60" },
        { "doubling functions", "let f0 = (x:long) { x };" + Each(60, i => $"let f{i} = (x:long) {{ f{i - 1}(x) + f{i - 1}(x) }};") + "print f60(1)" },
        { "doubling scalars", "let x0 = rand();" + Each(60, i => $"let x{i} = x{i - 1} + x{i - 1};") + "print x60" },
        { "a chain of tables", "let t0 = print a = 1;" + Each(5_000, i => $"let t{i} = t{i - 1} | where a > 0;") + "t5000" },
        { "a chain of scalars", "let x0 = rand();" + Each(5_000, i => $"let x{i} = x{i - 1} + 1;") + "print x5000" },
        { "a search for everything", "search 'a'" + Repeat(" and 'a'", 20_000) },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Hostile_texts_are_refused_in_time(string what, string text)
    {
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        var compilation = KqlCompiler.Bind(text, TestSchema.Hunting);
        System.Diagnostics.Stopwatch.GetElapsedTime(start).ShouldBeLessThan(Limit, what);
        compilation.Root.ShouldBeNull(what);
        compilation.Diagnostics.ShouldNotBeEmpty(what);
    }

    [Fact]
    public void A_long_disjunction_binds_to_a_shallow_tree()
    {
        var compilation = TestSchema.Bind("DeviceInfo | where DeviceId == '0'" + Each(20_000, i => $" or DeviceId == '{i}'"));
        compilation.Succeeded.ShouldBeTrue();
        Depth(((Bound.FilterRelation)compilation.Root!).Predicate).ShouldBeLessThan(64);

        static int Depth(Bound.BoundScalar value) =>
            value is Bound.BoundBinary b ? 1 + Math.Max(Depth(b.Left), Depth(b.Right)) : 1;
    }

    [Fact]
    public void Long_lists_are_fine()
    {
        TestSchema.Bind("DeviceInfo | where DeviceId in ('0'" + Each(20_000, i => $", '{i}'") + ")").Succeeded.ShouldBeTrue();
        TestSchema.Bind("datatable(a:long)[0" + Each(50_000, i => $", {i}") + "]").Succeeded.ShouldBeTrue();
    }

    [Fact]
    public void Text_over_the_limit_is_not_parsed() =>
        KqlCompiler.Bind(new string(' ', 2_000_000), TestSchema.Hunting).Diagnostics.ShouldHaveSingleItem().Code.ShouldBe("KS244");

    [Fact]
    public void Random_text_never_throws() =>
        Prop.ForAll<string>(text =>
        {
            KqlCompiler.Bind(text ?? "", TestSchema.Hunting);
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void Damaged_queries_never_throw()
    {
        var cases = Binding.ResultColumnTests.Cases().Select(c => (string)c[0]).Select(q => q.Replace("DT", TestSchema.OneOfEach, StringComparison.Ordinal)).ToArray();
        var damage =
            from query in Gen.Elements(cases)
            from other in Gen.Elements(cases)
            from at in Gen.Choose(0, query.Length - 1)
            from length in Gen.Choose(0, 12)
            from start in Gen.Choose(0, other.Length - 1)
            from taken in Gen.Choose(0, 30)
            select query[..at] + other.Substring(start, Math.Min(taken, other.Length - start)) + query[Math.Min(query.Length, at + length)..];
        Prop.ForAll(damage.ToArbitrary(), text =>
        {
            var compilation = KqlCompiler.Bind(text, TestSchema.Hunting);
            return !compilation.Succeeded || TreeValidator.Problems(compilation).Count == 0;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));
    }

    private static string Repeat(string text, int times) => new StringBuilder(text.Length * times).Insert(0, text, times).ToString();

    private static string Each(int count, Func<int, string> text)
    {
        var result = new StringBuilder();
        for (var i = 1; i <= count; i++)
            result.Append(text(i));
        return result.ToString();
    }
}
