using Microsoft.AspNetCore.Http;
using Vedette.Server.Endpoint;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Tests.Http;

public sealed class ODataTests
{
    private static readonly EntityTable Things = new("Thing", "things t", "t.tenant_id", "id", "t.made DESC",
    [
        new("id", ValueKind.String, "t.id") { NotNull = true },
        new("name", ValueKind.String, "t.name"),
        new("severity", ValueKind.String, "t.severity") { Values = ["Low", "High"] },
        new("made", ValueKind.Time, "t.made") { NotNull = true },
        new("size", ValueKind.Int64, "t.size"),
        new("tags", ValueKind.Strings, "t.tags"),
        new("secret", ValueKind.String, "t.secret"),
        new("key", ValueKind.Guid, "t.key"),
    ]);

    private static readonly ODataAbilities Abilities = new()
    {
        Filter = ["id", "name", "severity", "made", "size", "tags", "key"], OrderBy = ["made", "size"], Select = true, NotSelectable = ["size"],
        Count = true, Skip = true, Top = 100, Expand = ["tags"],
    };

    [Theory]
    [InlineData("name eq 'a'", "(t.name = $1)", "a")]
    [InlineData("NAME eq 'it''s'", "(t.name = $1)", "it's")]
    [InlineData("name ne 'a'", "(t.name IS DISTINCT FROM $1)", "a")]
    [InlineData("id ne 'a'", "(t.id <> $1)", "a")]
    [InlineData("name eq null", "(t.name IS NULL)", null)]
    [InlineData("name ne null", "(t.name IS NOT NULL)", null)]
    [InlineData("severity eq 'high'", "(t.severity = $1)", "High")]
    [InlineData("startswith(name,'a')", "starts_with(t.name, $1)", "a")]
    [InlineData("contains(tolower(name),'a')", "(position($1 in lower(t.name)) > 0)", "a")]
    [InlineData("not contains(name,'a')", "(NOT coalesce((position($1 in t.name) > 0), false))", "a")]
    [InlineData("tags/any(t:t eq 'a')", "EXISTS (SELECT 1 FROM unnest(t.tags) AS x0(v) WHERE (x0.v = $1))", "a")]
    public void Translates_texts(string filter, string sql, string? value) => Translate(filter, sql, value is null ? [] : [value]);

    [Theory]
    [InlineData("name eq 'a' and name ne 'b'")]
    [InlineData("name eq 'a' AND name ne 'b'")]
    [InlineData("(name eq 'a')  and  (name ne 'b')")]
    public void Joins_conditions(string filter) => Translate(filter, "((t.name = $1) AND (t.name IS DISTINCT FROM $2))", ["a", "b"]);

    [Fact]
    public void Reads_lists() => Translate("name in ('a','b')", "(t.name IN ($1, $2))", ["a", "b"]);

    [Fact]
    public void Reads_numbers_and_guids()
    {
        Translate("size gt 5", "(t.size > $1)", [5L]);
        var key = Guid.NewGuid();
        Translate($"key eq {key}", "(t.key = $1)", [key]);
    }

    [Theory]
    [InlineData("made gt 2018-08-01Z", 0)]
    [InlineData("made gt 2018-08-01", 0)]
    [InlineData("made gt 2018-08-01T00:00:00Z", 0)]
    [InlineData("made gt 2018-08-01T00:00:00", 0)]
    [InlineData("made gt 2018-08-01T00:00:01.5000000Z", 1.5)]
    [InlineData("made gt 2018-08-01T02:00:00+02:00", 0)]
    public void Reads_moments_in_every_spelling(string filter, double seconds) =>
        Translate(filter, "(t.made > $1)", [new DateTime(2018, 8, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(seconds)]);

    [Fact]
    public void Leaves_dates_inside_texts_alone() => Translate("name eq '2018-08-01Z'", "(t.name = $1)", ["2018-08-01Z"]);

    [Theory]
    [InlineData("$filter=secret eq 'a'", "ODataError", "The property 'secret' cannot be used in the $filter query option.")]
    [InlineData("$filter=nothing eq 'a'", "ODataError", "Could not find a property named 'nothing' on type 'microsoft.windowsDefenderATP.api.Thing'.")]
    [InlineData("$filter=severity eq 'Huge'", "ODataError", "The string 'Huge' is not a valid enumeration type constant.")]
    [InlineData("$filter=name eq", "ODataError", "Expression expected at position 7 in 'name eq'.")]
    [InlineData("$filter=size eq 'a'", "ODataError", "A binary operator with incompatible types was detected. Found operand types 'Edm.Int64' and 'Edm.String' for operator kind 'Equal'.")]
    [InlineData("$orderby=name", "ODataError", "The property 'name' cannot be used in the $orderby query option.")]
    [InlineData("$select=size", "ODataError", "The property 'size' cannot be used in the $select query option.")]
    [InlineData("$expand=name", "ODataError", "The property 'name' cannot be used in the $expand query option.")]
    [InlineData("$top=x", "ODataError", "Invalid value 'x' for $top query option found. The $top query option requires a non-negative integer value.")]
    [InlineData("$top=101", "ODataError", "The limit of '100' for Top query has been exceeded. The value from the incoming request is '101'.")]
    [InlineData("$skip=-1", "ODataError", "Invalid value '-1' for $skip query option found. The $skip query option requires a non-negative integer value.")]
    [InlineData("$count=maybe", "ODataError", "Invalid value 'maybe' for $count query option found. Valid values are 'true' or 'false'.")]
    [InlineData("$stop=10", "", "Custom query option '$stop' that starts with '$' is not supported.")]
    public void Refuses_with_the_text_of_the_service(string query, string code, string text)
    {
        var refused = Should.Throw<ApiException>(() => Sql(query));
        refused.Error.Template.Status.ShouldBe(400);
        refused.Error.Template.Code.ShouldBe(code);
        refused.Error.Message.ShouldBe("The query specified in the URI is not valid. " + text);
    }

    [Fact]
    public void Bounds_the_depth_of_a_filter()
    {
        var deep = string.Concat(Enumerable.Repeat("(", 5000)) + "name eq 'a'" + new string(')', 5000);
        Should.Throw<ApiException>(() => Sql("$filter=" + deep)).Error.Template.Code.ShouldBe("ODataError");
    }

    [Fact]
    public void Ignores_options_without_a_dollar_sign() => Parse("api-version=1.0&foo=bar").ShouldBe(ODataQuery.Empty);

    private static void Translate(string filter, string sql, object[] values)
    {
        var text = Sql("$filter=" + Uri.EscapeDataString(filter));
        text.Sql.ShouldBe(sql);
        text.Values.ShouldBe(values);
    }

    private static (string Sql, object?[] Values) Sql(string query)
    {
        var sql = new SqlText();
        return (new FilterSql(Things, sql).Translate(Parse(query).Filter!), [.. sql.Parameters.Select(p => p.Value)]);
    }

    private static ODataQuery Parse(string query)
    {
        var http = new DefaultHttpContext();
        http.Request.QueryString = new QueryString("?" + query);
        var row = new ApiEndpoint { Group = "", Name = "", Method = "GET", Path = "/api/things", OData = Abilities };
        var surface = EndpointSurface.Create([]);
        return ODataParser.Parse(new ApiCall(http, surface, row, _ => new(EmptyResult.Instance), new RouteMatch(), Guid.NewGuid()), Things);
    }
}
