namespace Vedette.Kql.Tests.Binding;

/// <summary>Names, types and order of result columns for every operator.</summary>
public sealed class ResultColumnTests
{
    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        string? query = null;
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "result-columns.txt")))
        {
            if (line.StartsWith("  => ", StringComparison.Ordinal))
                data.Add(query!, line[5..]);
            else
                query = line;
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Result_has_the_columns(string query, string columns) => TestSchema.Print(TestSchema.Plan(query).Columns).ShouldBe(columns);
}
