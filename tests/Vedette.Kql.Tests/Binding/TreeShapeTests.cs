using Vedette.Kql.Bound;

namespace Vedette.Kql.Tests.Binding;

/// <summary>What operators become in the bound tree.</summary>
public sealed class TreeShapeTests
{
    [Fact]
    public void Top_is_a_sort_under_a_take_with_nulls_last()
    {
        var take = TestSchema.Plan("DT | top 3 by l").ShouldBeOfType<TakeRelation>();
        var key = take.Input.ShouldBeOfType<SortRelation>().Keys.ShouldHaveSingleItem();
        (key.Descending, key.NullsFirst).ShouldBe((true, false));
    }

    [Theory]
    [InlineData("asc", false, true)]
    [InlineData("desc", true, false)]
    [InlineData("asc nulls last", false, false)]
    [InlineData("nulls first", true, true)]
    public void Sort_applies_the_defaults(string order, bool descending, bool nullsFirst)
    {
        var key = TestSchema.Plan("DT | sort by l " + order).ShouldBeOfType<SortRelation>().Keys.ShouldHaveSingleItem();
        (key.Descending, key.NullsFirst).ShouldBe((descending, nullsFirst));
    }

    [Fact]
    public void Join_defaults_to_innerunique_and_orders_each_condition_left_to_right()
    {
        var join = TestSchema.Plan("DT | join (DT | project k = s, l) on $right.k == $left.s and $left.l == $right.l").ShouldBeOfType<JoinRelation>();
        join.Kind.ShouldBe(JoinKind.InnerUnique);
        join.Conditions.Count.ShouldBe(2);
        var left = join.Left.Columns.Select(c => c.Id).ToHashSet();
        join.Conditions.ShouldAllBe(c => left.Contains(((BoundColumnRef)c.Left).Column.Id) && !left.Contains(((BoundColumnRef)c.Right).Column.Id));
    }

    [Fact]
    public void Sides_of_a_self_join_share_no_column()
    {
        var join = TestSchema.Plan("let t = DeviceInfo | take 5; t | join kind=inner t on DeviceId").ShouldBeOfType<JoinRelation>();
        join.Left.Columns.Select(c => c.Id).Intersect(join.Right.Columns.Select(c => c.Id)).ShouldBeEmpty();
        join.Left.ShouldBeOfType<SharedScan>().Shared.ShouldBeSameAs(join.Right.ShouldBeOfType<SharedScan>().Shared);
    }

    [Fact]
    public void A_table_used_once_stands_in_place() =>
        TestSchema.Plan("let recent = DeviceInfo | take 5; recent | count").ShouldBeOfType<SummarizeRelation>().Input.ShouldBeOfType<TakeRelation>();

    [Fact]
    public void Materialize_is_shared_and_must_be_computed_once()
    {
        var union = TestSchema.Plan("let m = materialize(DeviceInfo | take 5); union m, m").ShouldBeOfType<UnionRelation>();
        var plans = union.Inputs.Select(i => i.Input.ShouldBeOfType<SharedScan>().Shared).ToList();
        plans[0].ShouldBeSameAs(plans[1]);
        plans[0].Kind.ShouldBe(SharedPlanKind.Materialize);
    }

    [Fact]
    public void A_let_bound_toscalar_is_one_computation()
    {
        var print = TestSchema.Plan("let x = toscalar(DeviceInfo | count); print x, x + 1").ShouldBeOfType<PrintRelation>();
        var first = print.Values[0].Value.ShouldBeOfType<BoundScalarSubquery>();
        print.Values[1].Value.ShouldBeOfType<BoundBinary>().Left.ShouldBeOfType<BoundScalarSubquery>().Id.ShouldBe(first.Id);
    }

    [Fact]
    public void Expressions_over_aggregates_stand_above_pure_aggregates()
    {
        var project = TestSchema.Plan("DT | summarize p = round(100.0 * sum(l) / count(), 2), m = max(l) by s").ShouldBeOfType<ProjectRelation>();
        var summarize = project.Input.ShouldBeOfType<SummarizeRelation>();
        summarize.Aggregates.Select(a => a.Function.Name).ShouldBe(["sum", "count", "max"]);
        summarize.Keys.ShouldHaveSingleItem().Column.Name.ShouldBe("s");
        TestSchema.Plan("DT | summarize m = max(l), count() by s").ShouldBeOfType<SummarizeRelation>();
    }

    [Fact]
    public void Arg_max_of_everything_returns_all_but_the_keys_from_one_row()
    {
        var item = TestSchema.Plan("DT | summarize arg_max(t, *) by s, l").ShouldBeOfType<SummarizeRelation>().Aggregates.ShouldHaveSingleItem();
        item.Outputs.Select(o => o.Name).ShouldBe(["t", "d", "i", "r", "b", "ts", "g"]);
        item.Arguments.Count.ShouldBe(item.Outputs.Count);
    }

    [Fact]
    public void Old_spellings_come_as_their_canonical_functions()
    {
        var calls = ((ProjectRelation)TestSchema.Plan("DT | project iif(b, 1, 2), todynamic(s), todouble(l), arraylength(d), notempty(s)")).Values
            .Select(v => v.Value.ShouldBeOfType<BoundCall>().Function.Name);
        calls.ShouldBe(["iff", "parse_json", "toreal", "array_length", "isnotempty"]);
        ((SummarizeRelation)TestSchema.Plan("DT | summarize makeset(s), makelist(l), any(s)")).Aggregates.Select(a => a.Function.Name)
            .ShouldBe(["make_set", "make_list", "take_any"]);
    }

    [Fact]
    public void Between_a_datetime_and_a_timespan_ends_after_the_start()
    {
        var between = ((FilterRelation)TestSchema.Plan("DT | where t between (datetime(2026-01-01) .. 1d)")).Predicate.ShouldBeOfType<BoundBetween>();
        between.High.ShouldBeOfType<BoundLiteral>().Value.ShouldBe(new DateTime(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc));
    }

    [Theory]
    [InlineData("s has 'x'", KqlOperator.Has, false)]
    [InlineData("s !has_cs 'x'", KqlOperator.HasCs, true)]
    [InlineData("s !~ 'x'", KqlOperator.EqualIgnoreCase, true)]
    [InlineData("s notcontains 'x'", KqlOperator.Contains, true)]
    [InlineData("s matches regex 'x'", KqlOperator.MatchesRegex, false)]
    [InlineData("s <> 'x'", KqlOperator.NotEqual, false)]
    [InlineData("b = true", KqlOperator.Equal, false)]
    public void Negated_operators_are_the_positive_ones_negated(string predicate, KqlOperator op, bool negated)
    {
        var binary = ((FilterRelation)TestSchema.Plan("DT | where " + predicate)).Predicate.ShouldBeOfType<BoundBinary>();
        (binary.Operator, binary.Negated).ShouldBe((op, negated));
    }

    [Fact]
    public void Members_are_read_from_dynamics_and_from_json_in_string_columns()
    {
        var member = ((ProjectRelation)TestSchema.Plan("DeviceEvents | project AdditionalFields.Name['First Name'][0]")).Values[0].Value
            .ShouldBeOfType<BoundIndex>().Value.ShouldBeOfType<BoundMember>();
        member.Name.ShouldBe("First Name");
        member.Value.ShouldBeOfType<BoundMember>().Value.ShouldBeOfType<BoundColumnRef>().Type.ShouldBe(KqlType.String);
    }

    [Fact]
    public void In_takes_a_table_or_a_list()
    {
        var list = ((FilterRelation)TestSchema.Plan("DT | where s !in~ ('a', 'b')")).Predicate.ShouldBeOfType<BoundIn>();
        (list.Operator, list.Negated, list.Items!.Count).ShouldBe((KqlSetOperator.InIgnoreCase, true, 2));
        var table = ((FilterRelation)TestSchema.Plan("DT | where s in ((DeviceInfo | project DeviceId))")).Predicate.ShouldBeOfType<BoundIn>();
        table.Items.ShouldBeNull();
        table.Subquery.ShouldBeOfType<ProjectRelation>();
    }

    [Fact]
    public void An_open_plug_in_closes_with_the_columns_the_run_brings()
    {
        const string query = "DeviceEvents | project DeviceId, d = parse_json(AdditionalFields) | evaluate bag_unpack(d) | where Port == 1";
        var open = KqlCompiler.Bind(query, TestSchema.Hunting).Root.ShouldBeOfType<FilterRelation>().Input.ShouldBeOfType<EvaluateRelation>();
        open.IsOpen.ShouldBeTrue();
        open.LateColumns.ShouldHaveSingleItem().Name.ShouldBe("Port");
        var options = new KqlOptions
        {
            LateSchemas = new Dictionary<KqlPluginCall, IReadOnlyList<KqlColumnDefinition>>
            {
                [open.Call] = [new("Port", KqlType.Long), new("Name", KqlType.String)],
            },
        };
        var closed = KqlCompiler.Bind(query, TestSchema.Hunting, options);
        TestSchema.Print(closed.Columns).ShouldBe("DeviceId:string, Port:long, Name:string");
    }

    [Fact]
    public void Host_functions_extend_their_input()
    {
        var plan = TestSchema.Plan("DeviceFileEvents | project SHA1, FileName | invoke FileProfile(SHA1, 500)").ShouldBeOfType<TableFunctionRelation>();
        plan.Arguments[0].ShouldBeOfType<BoundColumnRef>();
        plan.Arguments[1].ShouldBeOfType<BoundLiteral>().Value.ShouldBe(500L);
        plan.Columns.Select(c => c.Name).ShouldContain("GlobalPrevalence");
        TestSchema.Plan("AssignedIPAddresses('host', now())").ShouldBeOfType<TableFunctionRelation>().Input.ShouldBeNull();
    }

    [Fact]
    public void Fork_and_statements_give_several_results()
    {
        var compilation = TestSchema.Bind("print a = 1; DT | fork all = (count) (project s)");
        compilation.Results.Select(r => r.Name).ShouldBe([null, "all", null]);
        TestSchema.Print(compilation.Columns).ShouldBe("Count:long");
    }

    [Fact]
    public void Query_parameters_take_their_values_from_outside()
    {
        var options = new KqlOptions { Parameters = new Dictionary<string, string> { ["name"] = "x'; drop", ["n"] = "7" } };
        var print = KqlCompiler.Bind("declare query_parameters(name:string, n:long = 1, d:timespan = 1d); print name, n, d", KqlSchema.Empty, options)
            .Root.ShouldBeOfType<PrintRelation>();
        print.Values.Select(v => ((BoundLiteral)v.Value).Value).ShouldBe(["x'; drop", 7L, TimeSpan.FromDays(1)]);
    }
}
