using Vedette.Defender.Detections;

namespace Vedette.Defender.Tests.Detections;

public sealed class RuleFileExtrasTests
{
    private const string Rule = """
        id: 433e58b1-970c-55e3-a2cf-4f4203b16361
        title: Odd program
        description: An odd program ran.
        finds: odd.exe
        severity: Medium
        category: Execution
        frequency: 1h
        query: DeviceProcessEvents
        entities: [{ type: Device }]

        """;

    [Fact]
    public void A_file_says_details_scope_and_responses()
    {
        var rule = Parse("""
            recommendedActions: Ask them.
            customDetails: { Command: ProcessCommandLine, Parent: InitiatingProcessFileName }
            deviceGroups: [Lab]
            responses:
              - { type: isolateDevice, isolationType: selective }
              - { type: stopAndQuarantineFile }
              - { type: blockFile, identifier: initiatingProcessSHA256, deviceGroups: [Lab, Office] }
              - { type: disableUser, identifier: requestAccountSid }
            """, out var problems);
        problems.ShouldBeEmpty();
        rule!.RecommendedActions.ShouldBe("Ask them.");
        rule.DeviceGroups.ShouldBe(["Lab"]);
        rule.CustomDetails.ShouldBe([new CustomDetail("Command", "ProcessCommandLine"), new CustomDetail("Parent", "InitiatingProcessFileName")]);
        rule.Responses.Select(response => (response.Kind, string.Join(',', response.Columns.Select(pair => $"{pair.Key}={pair.Value}")), response.IsolationType, string.Join(',', response.DeviceGroups))).ShouldBe([
            (ResponseKind.IsolateDevice, "device=DeviceId", "Selective", ""), (ResponseKind.StopAndQuarantineFile, "device=DeviceId,sha1=SHA1", null, ""),
            (ResponseKind.BlockFile, "sha256=InitiatingProcessSHA256", null, "Lab,Office"), (ResponseKind.DisableUser, "sid=RequestAccountSid", null, "")]);
    }

    [Fact]
    public void Mistakes_are_told_with_their_places()
    {
        Parse("""
            customDetails: [x]
            responses:
              - { type: explode }
              - { type: isolateDevice, isolationType: half }
              - { type: disableUser, identifier: accountUpn, why: not }
            """, out var problems).ShouldBeNull();
        problems.Select(problem => problem.ToString()).ShouldBe([
            "rule.yaml(10,16): customDetails maps names to columns, such as { Command: ProcessCommandLine }",
            "rule.yaml(12,13): 'explode' is not a response; use one of isolateDevice, collectInvestigationPackage, runAntivirusScan, initiateInvestigation, restrictAppExecution, stopAndQuarantineFile, allowFile, blockFile, disableUser, forceUserPasswordReset, markUserAsCompromised, hardDelete, softDelete, moveToInbox, moveToDeletedItems, moveToJunk",
            "rule.yaml(13,43): 'half' is not a type of isolation; use full or selective",
            "rule.yaml(14,50): a response has no key 'why'; the keys are type, identifier, isolationType, deviceGroups",
            "rule.yaml(14,38): 'accountUpn' is not an identifier of disableUser; use accountSid, initiatingProcessAccountSid, requestAccountSid, onPremSid",
        ]);
    }

    private static DetectionRule? Parse(string more, out List<RuleProblem> problems) => RuleFileParser.Parse(Rule + more, "rule.yaml", false, problems = []);
}
