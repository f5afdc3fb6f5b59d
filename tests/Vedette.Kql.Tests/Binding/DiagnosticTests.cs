using FsCheck;
using FsCheck.Fluent;

namespace Vedette.Kql.Tests.Binding;

/// <summary>What is wrong with a query, in whose words, and where.</summary>
public sealed class DiagnosticTests
{
    [Theory]
    [InlineData("DeviceInfo | where x == 1", "KS142", 1, 20, "'where' operator: Failed to resolve scalar expression named 'x'")]
    [InlineData("Nope | project a", "KS204", 1, 1, "'project' operator: Failed to resolve table or column expression named 'Nope'")]
    [InlineData("Nope", "KS142", 1, 1, "Failed to resolve table or column expression named 'Nope'")]
    [InlineData("DeviceInfo\n| extend y = strcatt('a')", "KS211", 2, 14, "'extend' operator: Unknown function: 'strcatt'.")]
    [InlineData("DeviceInfo | wher DeviceId == ''", "KS176", 1, 14, "Query operator expected.")]
    [InlineData("DeviceInfo | where DeviceId", "KS141", 1, 20, "'where' operator: The expression must have the type bool.")]
    [InlineData("DeviceInfo | where DeviceId > 'a'", "KS106", 1, 29, "'where' operator: The operator '>' is not defined for the operand types string and string.")]
    [InlineData("DeviceInfo | where Timestamp > ago(1d", "KS005", 1, 38, "Expected: )")]
    [InlineData("DeviceInfo | where DeviceId == ", "KS006", 1, 31, "Missing expression")]
    [InlineData("DeviceInfo | take", "KS006", 1, 18, "Missing expression")]
    [InlineData("DeviceInfo | join (DeviceEvents) on Nope", "KS142", 1, 37, "'join' operator: Failed to resolve scalar expression named 'Nope'")]
    [InlineData("DeviceInfo | join (print q = 1) on DeviceId", "KS145", 1, 36, "'DeviceId'")]
    [InlineData("DeviceInfo | join (DeviceEvents)", "KS006", 1, 14, "Missing join on condition clause")]
    [InlineData("DeviceInfo | join kind=iner (DeviceEvents) on DeviceId", "KS005", 1, 24, "Expected one of: inner")]
    [InlineData("DeviceInfo | summarize x = DeviceId", "KS236", 1, 28, "'DeviceId' is not an aggregate")]
    [InlineData("DeviceInfo | summarize sum(DeviceId)", "KS138", 1, 28, "must be summable")]
    [InlineData("DeviceInfo | where count() > 1", "KS144", 1, 20, "The aggregate function 'count' is not allowed in this context.")]
    [InlineData("DeviceInfo | project DeviceId, DeviceId", "KS171", 1, 32, "'DeviceId' is already declared")]
    [InlineData("print substring('a')", "KS119", 1, 7, "'substring' expects between 2 and 3 arguments")]
    [InlineData("print iff(1, 2, 3)", "KS107", 1, 11, "A value of type bool expected.")]
    [InlineData("print 'abc", "KS001", 1, 11, "Missing: '")]
    [InlineData("let a = 1; let a = 2; print a", "KS201", 1, 16, "'a' is already declared")]
    [InlineData("let f = (n:long) { n }; print f()", "KS119", 1, 31, "'f' expects 1 argument")]
    [InlineData("let f = () { f() }; print f()", "KS202", 1, 14, "calls itself")]
    [InlineData("let f = (T:(a:long), n:int) { n }; print a = 1 | invoke f(3)", "KS111", 1, 57, "Tabular value expected.")]
    [InlineData("print a = 1 | evaluate nope()", "KS124", 1, 24, "'nope'")]
    [InlineData("DeviceInfo | evaluate python(typeof(*), 'x')", "KS125", 1, 23, "'python' is not enabled")]
    [InlineData("datatable(a:long, b:long)[1]", "KS173", 1, 27, "multiples of 2")]
    [InlineData("print 1 | range x from 1 to 2 step 1", "KS175", 1, 11, "must be the first operator")]
    [InlineData("DeviceInfo | mv-expand Timestamp", "KS141", 1, 24, "must have the type dynamic")]
    [InlineData("range x from 1 to 5 step 0", "KS140", 1, 26, "must not be zero")]
    [InlineData("DeviceInfo | fork (count) | take 1", "KS177", 1, 14, "'fork' is not allowed")]
    [InlineData("where x == 1", "KS174", 1, 1, "cannot be the first operator")]
    [InlineData("| take 1", "KS198", 1, 1, "The incomplete fragment is unexpected.")]
    [InlineData("DeviceInfo | where DeviceId == 'a' == 'b'", "KS198", 1, 36, "The incomplete fragment is unexpected.")]
    [InlineData("DeviceInfo | take 1 DeviceEvents", "KS005", 1, 21, "Expected: ;")]
    [InlineData("DeviceInfo | where strlen > 5", "KS117", 1, 20, "The function 'strlen' requires an argument list.")]
    [InlineData("DeviceInfo | where pivot(1)", "KS126", 1, 20, "The plug-in function 'pivot' is not allowed in this context")]
    [InlineData("DeviceInfo | where Timestamp > ago(1d) or by", "KS006", 1, 42, "If the keyword 'by' is intended")]
    [InlineData("DeviceInfo | extend a = tostring(DeviceId | extend b = 1", "KS005", 1, 43, "Expected: )")]
    [InlineData("DeviceInfo | where DeviceInfo == 5", "KS108", 1, 20, "Scalar value expected.")]
    [InlineData("datatable(a:long)[zz]", "KS005", 1, 19, "Expected: ]")]
    [InlineData("print guid(74be27de", "KS001", 1, 20, "Missing: )")]
    [InlineData("print dynamic(['a', 'b',])", "KS006", 1, 25, "Missing json value")]
    [InlineData("let f = (x:long { x }; print 1", "KS005", 1, 17, "Expected: )")]
    [InlineData("let f = view () { Nope }; print 1", "KS142", 1, 19, "'Nope'")]
    [InlineData("let f = (x:long='a') { x }; print f()", "KS141", 1, 17, "must have the type long")]
    [InlineData("let f = (T:(a:long)) { T | where a > b }; DeviceInfo | where true | invoke f()", "KS249", 1, 43, "required column 'a'")]
    [InlineData("DeviceInfo | render pychart", "KS005", 1, 21, "Expected one of: table")]
    [InlineData("union kind=outerr DeviceInfo, DeviceEvents", "KS005", 1, 12, "Expected one of: inner, outer")]
    [InlineData("union isfuzzy=treu DeviceInfo, DeviceEvents", "KS223", 1, 15, "Boolean literal expected.")]
    [InlineData("DeviceInfo | join (DeviceEvents) on $left.DeviceId", "KS182", 1, 37, "The join condition must be")]
    [InlineData("DeviceInfo | join (DeviceEvents) on $letf.DeviceId == $right.DeviceId", "KS183", 1, 37, "$left.<column>")]
    [InlineData("DeviceInfo | summarize (a, b) = count()", "KS149", 1, 24, "does not have multiple named values")]
    [InlineData("DeviceInfo | extend a = case(true, 1, false, 2)", "KS121", 1, 25, "incorrect number of arguments")]
    [InlineData("DeviceInfo | parse DeviceId with * a", "KS102", 1, 34, "A string literal must follow a *")]
    [InlineData("DeviceInfo | evaluate pivto", "KS124", 1, 23, "'pivto'")]
    [InlineData("", "KS006", 1, 1, "the query is empty")]
    [InlineData("let x = 1;", "KS006", 1, 11, "no tabular statement")]
    public void First_error_has_code_place_and_words(string query, string code, int line, int column, string message)
    {
        var compilation = TestSchema.Bind(query);
        compilation.Root.ShouldBeNull();
        var first = compilation.Diagnostics[0];
        (first.Code, first.Line, first.Column).ShouldBe((code, line, column));
        first.Message.ShouldContain(message);
    }

    [Theory]
    [InlineData("DeviceProcesEvents | take 1", "DeviceProcessEvents")]
    [InlineData("DeviceInfo | where devicename == ''", "DeviceName")]
    [InlineData("print tolowr('A')", "tolower")]
    [InlineData("let Threshold = 1; print Treshold", "Threshold")]
    [InlineData("DeviceInfo | summarize dcout(DeviceId)", "dcount")]
    [InlineData("DeviceInfo | wher DeviceId == ''", "where")]
    [InlineData("DeviceInfo | summarise count()", "summarize")]
    [InlineData("DeviceInfo | render timechrat", "timechart")]
    [InlineData("union kind=outr DeviceInfo, DeviceEvents", "outer")]
    [InlineData("DeviceInfo | evaluate pivto(DeviceId)", "pivot")]
    [InlineData("DeviceInfo | where DeviceName starstwith 'a'", "startswith")]
    [InlineData("DeviceInfo | join kind=iner (DeviceEvents) on DeviceId", "inner")]
    [InlineData("datatable(a:strng)['x']", "string")]
    [InlineData("DeviceInfo | where Timestamp > agoo(1d)", "ago")]
    public void Near_names_are_offered(string query, string hint)
    {
        var diagnostic = TestSchema.Bind(query).Diagnostics.First(d => d.Hint is not null);
        diagnostic.Hint.ShouldBe(hint);
        diagnostic.FullMessage.ShouldBe($"{diagnostic.Message.TrimEnd('.')}. Did you mean '{hint}'?");
    }

    [Fact]
    public void Several_errors_come_at_once_in_text_order()
    {
        var found = TestSchema.Bind("DeviceInfo\n| where Nope1 == 1\n| extend a = Nope2(1)\n| wher b\n| project Nope3").Diagnostics;
        found.Select(d => d.Line).ShouldBe([2, 3, 4]);
        TestSchema.Bind("DeviceInfo | where A == 1 | where B == 2 | project C").Diagnostics.Count.ShouldBe(3);
    }

    [Fact]
    public void An_unknown_name_is_reported_once_and_not_for_what_follows_from_it() =>
        TestSchema.Bind("Nope | where a == 1 and b > 'x' | extend e = f + 1 | summarize sum(c) by e, d").Diagnostics.Count.ShouldBe(1);

    [Fact]
    public void Missing_tables_of_a_fuzzy_union_are_warnings()
    {
        var compilation = TestSchema.Bind("union isfuzzy=true DeviceInfo, Nope | take 1");
        compilation.Succeeded.ShouldBeTrue();
        compilation.Diagnostics.ShouldHaveSingleItem().Severity.ShouldBe(KqlSeverity.Warning);
        TestSchema.Bind("union isfuzzy=true Nope, (Neither | take 1)").Succeeded.ShouldBeFalse();
    }

    [Fact]
    public void Every_diagnostic_lies_inside_the_text()
    {
        var words = Gen.Elements("DeviceInfo", "|", "where", "(", ")", "==", "'a'", "1", "x", "summarize", "by", "\n", ",", "project", "let", "=", ";", "join", "on", "{", "}", "[", "]", "\"", "has", "1d", "*");
        Prop.ForAll(words.ListOf(25).Select(w => string.Join(' ', w)).ToArbitrary(), text =>
        {
            var compilation = KqlCompiler.Bind(text, TestSchema.Hunting);
            return compilation.Diagnostics.All(d => d.Span.Start >= 0 && d.Span.End <= text.Length && d.Line >= 1 && d.Column >= 1);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }
}
