using System.Text.Json.Nodes;
using Vedette.Defender.Alerts.Evidence;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.Alerts;

public sealed class ColumnEvidenceTests
{
    [Fact]
    public void A_mail_is_a_message_with_its_senders_and_a_cluster()
    {
        var evidence = Of(
            ("NetworkMessageId", "n-1"), ("Subject", "Invoice"), ("SenderFromAddress", "a@b.example"), ("SenderMailFromAddress", "c@d.example"), ("RecipientEmailAddress", "dana@contoso.example"),
            ("ThreatTypes", "Phish, Malware"), ("DetectionMethods", """{"Phish":["URL reputation"]}"""), ("AttachmentCount", 2L), ("EmailClusterId", 77L), ("ThreatNames", "Emotet"));
        evidence.Select(item => item.EntityType).ShouldBe([EvidenceKind.MailMessage, EvidenceKind.MailCluster, EvidenceKind.Malware]);
        var message = Details(evidence[0]);
        (message["subject"]!.ToString(), message["attachmentsCount"]!.ToString(), message["threats"]!.AsArray().Count).ShouldBe(("Invoice", "2", 2));
        message["p2Sender"]!["emailAddress"]!.ToString().ShouldBe("a@b.example");
        message["threatDetectionMethods"]![0]!.ToString().ShouldBe("Phish");
        Details(evidence[1])["clusterByValue"]!.ToString().ShouldBe("77");
    }

    [Fact]
    public void Applications_are_told_apart_by_their_ids()
    {
        Of(("Application", "Microsoft Exchange Online"), ("ApplicationId", 20893L), ("ActionType", "New-InboxRule"), ("ObjectName", "dana@contoso.example"))
            .Select(item => item.EntityType).ShouldBe([EvidenceKind.MailboxConfiguration, EvidenceKind.CloudApplication]);
        var signIn = Of(("Application", "Portal"), ("ApplicationId", Guid.NewGuid().ToString()), ("SessionId", "s"), ("RequestId", "r"), ("CorrelationId", "c"), ("AccountUpn", "dana@contoso.example"));
        signIn.Select(item => item.EntityType).ShouldBe([EvidenceKind.OAuthApplication, EvidenceKind.CloudLogonSession, EvidenceKind.CloudLogonRequest]);
        Details(signIn[1])["account"]!["userAccount"]!["userPrincipalName"]!.ToString().ShouldBe("dana@contoso.example");
        Of(("ServicePrincipalId", "p"), ("ServicePrincipalName", "n"), ("IsManagedIdentity", "true")).Single().Details!.ShouldContain("managedIdentity");
    }

    [Theory]
    [InlineData("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1", EvidenceKind.AzureResource, "vm1", "Microsoft.Compute/virtualMachines")]
    [InlineData("arn:aws:s3:eu-west-1:123456789012:bucket/logs", EvidenceKind.AmazonResource, "logs", "s3")]
    [InlineData("//compute.googleapis.com/projects/p1/zones/z/instances/i1", EvidenceKind.GoogleCloudResource, "i1", "instances")]
    public void Resources_belong_to_their_cloud(string id, EvidenceKind kind, string name, string type)
    {
        var resource = Of(("ResourceId", id)).Single();
        resource.EntityType.ShouldBe(kind);
        (Details(resource)["resourceName"]!.ToString(), Details(resource)["resourceType"]!.ToString()).ShouldBe((name, type));
    }

    [Fact]
    public void A_container_brings_its_image_registry_pod_and_namespace() =>
        Of(("ContainerId", "c1"), ("ContainerImageName", "registry.example.com/app:1"), ("KubernetesPodName", "p"), ("KubernetesNamespace", "n"), ("DnsQuery", "x.example"))
            .Select(item => item.EntityType).ShouldBe(
                [EvidenceKind.Container, EvidenceKind.ContainerImage, EvidenceKind.ContainerRegistry, EvidenceKind.KubernetesPod, EvidenceKind.KubernetesNamespace, EvidenceKind.Dns]);

    [Fact]
    public void An_ordinary_event_of_a_device_tells_nothing_more() =>
        Of(("DeviceId", "d"), ("DeviceName", "pc"), ("FileName", "a.exe"), ("AccountName", "dana"), ("ActionType", "ProcessCreated"), ("ReportId", 1L)).ShouldBeEmpty();

    [Fact]
    public void Details_compare_without_regard_to_order_and_spaces() =>
        EvidenceKinds.Canonical("""{"b": [1, {"d": 2, "c": 1}], "a": "x"}""").ShouldBe(EvidenceKinds.Canonical("""{"a":"x","b":[1,{"c":1,"d":2}]}"""));

    private static IReadOnlyList<AlertEvidence> Of(params (string Column, object Value)[] columns)
    {
        var values = columns.ToDictionary(pair => pair.Column, pair => pair.Value, StringComparer.Ordinal);
        return ColumnEvidence.Of(new HuntingValues(
            column => values.GetValueOrDefault(column)?.ToString(), column => values.GetValueOrDefault(column) as long?, column => values.GetValueOrDefault(column) as DateTime?));
    }

    private static JsonObject Details(AlertEvidence evidence) => JsonNode.Parse(evidence.Details!)!.AsObject();
}
