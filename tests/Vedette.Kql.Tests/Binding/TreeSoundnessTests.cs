namespace Vedette.Kql.Tests.Binding;

/// <summary>Every operator's tree keeps the promises of the bound tree.</summary>
public sealed class TreeSoundnessTests
{
    [Theory]
    [MemberData(nameof(ResultColumnTests.Cases), MemberType = typeof(ResultColumnTests))]
    public void Trees_are_sound(string query, string columns)
    {
        columns.ShouldNotBeEmpty();
        TreeValidator.Problems(TestSchema.Bind(query)).ShouldBeEmpty();
    }
}
