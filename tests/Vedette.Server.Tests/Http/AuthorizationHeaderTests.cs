using Vedette.Server.Http.Steps;

namespace Vedette.Server.Tests.Http;

public sealed class AuthorizationHeaderTests
{
    [Theory]
    [InlineData("Bearer a.b.c", false, "a.b.c")]
    [InlineData("bearer  a.b.c ", false, "a.b.c")]
    [InlineData("a.b.c", false, null)]
    [InlineData("a.b.c", true, "a.b.c")]
    [InlineData("Bearer a.b.c", true, "a.b.c")]
    [InlineData("Basic abc", true, null)]
    [InlineData("", true, null)]
    public void A_token_stands_after_its_scheme_and_alone_only_where_that_is_taken(string header, bool takesBare, string? token) =>
        Authenticate.TokenOf(header, takesBare).ShouldBe(token);
}
