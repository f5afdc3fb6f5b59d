using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Defender.State;

namespace Vedette.Defender.Alerts.Evidence;

/// <summary>A row of hunting: its values by column.</summary>
/// <param name="text">A text that is not empty.</param>
/// <param name="number">A number.</param>
/// <param name="time">A moment.</param>
internal sealed class HuntingValues(Func<string, string?> text, Func<string, long?> number, Func<string, DateTime?> time)
{
    /// <summary>The first of the columns that has a text.</summary>
    public string? Text(params ReadOnlySpan<string> columns)
    {
        foreach (var column in columns)
            if (text(column) is { Length: > 0 } value) return value;
        return null;
    }

    /// <summary>A number, also when the column holds it as text.</summary>
    public long? Number(string column) =>
        number(column) ?? (long.TryParse(text(column), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null);

    /// <summary>A truth value.</summary>
    public bool? Flag(string column) => bool.TryParse(text(column), out var value) ? value : number(column) is { } flag ? flag != 0 : null;

    /// <summary>A moment as evidence holds it.</summary>
    public string? Time(string column) => time(column)?.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}

/// <summary>
/// Reads the evidence that rows tell of beside devices, processes, files, users, addresses and registry values: messages, applications, sessions,
/// cloud resources and containers. A kind is there when its own column is.
/// </summary>
internal static class ColumnEvidence
{
    // What people do to mailboxes, by the name of the operation.
    private static readonly Dictionary<string, string> MailboxOperations = new(StringComparer.OrdinalIgnoreCase)
    {
        ["New-InboxRule"] = "userInboxRule", ["Set-InboxRule"] = "userInboxRule", ["UpdateInboxRules"] = "userInboxRule", ["Set-Mailbox"] = "mailForwardingRule",
        ["New-TransportRule"] = "mailForwardingRule", ["Add-MailboxPermission"] = "mailDelegation", ["Set-CASMailbox"] = "owaSettings",
    };

    /// <summary>Every column that is looked at.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "NetworkMessageId", "InternetMessageId", "Subject", "EmailSubject", "RecipientEmailAddress", "SenderIPv4", "SenderIPv6", "DeliveryAction", "DeliveryLocation", "EmailDirection",
        "EmailLanguage", "AttachmentCount", "UrlCount", "ThreatTypes", "ThreatNames", "DetectionMethods", "SenderMailFromAddress", "SenderMailFromDomain", "SenderFromAddress", "SenderFromDomain",
        "SenderDisplayName", "EmailClusterId", "TeamsMessageId", "MessageSubject", "SenderEmailAddress", "ThreadId", "ThreadSubtype", "GroupId", "ParentMessageId", "IsExternalThread",
        "IsOwnedThread", "LastEditedTime", "Application", "ApplicationId", "AppInstanceId", "OAuthAppId", "OAuthApplicationId", "AppName", "VerifiedPublisher", "ServicePrincipalId",
        "ServicePrincipalName", "IsManagedIdentity", "SessionId", "RequestId", "CorrelationId", "Browser", "UserAgent", "OSPlatform", "AccountUpn", "AccountObjectId", "AccountName", "AccountDomain",
        "AccountDisplayName", "AzureResourceId", "AwsResourceName", "GcpFullResourceName", "ResourceId", "ResourceID", "ContainerId", "ContainerName", "ContainerImageName", "ImageName",
        "ImageDigest", "KubernetesPodName", "KubernetesNamespace", "DnsQuery", "StorageContainer", "StorageAccount", "AgentId", "AgentName", "AIAgentId", "AIAgentName", "Platform",
        "Instructions", "ActionType", "ObjectName", "LogonId", "DeviceName",
    ];

    /// <summary>The evidence of a row.</summary>
    public static IReadOnlyList<AlertEvidence> Of(HuntingValues row)
    {
        var evidence = new List<AlertEvidence>();
        void Add(EvidenceKind kind, params ReadOnlySpan<(string, JsonNode?)> values)
        {
            if (EvidenceKinds.Details(kind, values) is { } details) evidence.Add(new AlertEvidence { EntityType = kind, Details = details });
        }

        Messages(row, Add);
        Applications(row, Add);
        Sessions(row, Add);
        Resources(row, Add);
        Containers(row, Add);
        return evidence;
    }

    private delegate void Adder(EvidenceKind kind, params ReadOnlySpan<(string, JsonNode?)> values);

    private static void Messages(HuntingValues row, Adder add)
    {
        var message = row.Text("NetworkMessageId");
        if (message is not null && row.Text("SenderFromAddress", "SenderMailFromAddress", "RecipientEmailAddress", "Subject", "EmailSubject") is not null)
        {
            add(EvidenceKind.MailMessage,
                ("networkMessageId", message), ("internetMessageId", row.Text("InternetMessageId")), ("subject", row.Text("Subject", "EmailSubject")),
                ("recipientEmailAddress", row.Text("RecipientEmailAddress")), ("senderIp", row.Text("SenderIPv4", "SenderIPv6")), ("deliveryAction", row.Text("DeliveryAction")),
                ("deliveryLocation", row.Text("DeliveryLocation")), ("antiSpamDirection", row.Text("EmailDirection")), ("language", row.Text("EmailLanguage")),
                ("attachmentsCount", row.Number("AttachmentCount")), ("urlCount", row.Number("UrlCount")), ("threats", Words(row.Text("ThreatTypes"))),
                ("threatDetectionMethods", Words(row.Text("DetectionMethods"))), ("receivedDateTime", row.Time("Timestamp")),
                ("p1Sender", EvidenceKinds.Value(("emailAddress", row.Text("SenderMailFromAddress")), ("domainName", row.Text("SenderMailFromDomain")))),
                ("p2Sender", EvidenceKinds.Value(
                    ("displayName", row.Text("SenderDisplayName")), ("emailAddress", row.Text("SenderFromAddress")), ("domainName", row.Text("SenderFromDomain")))));
        }

        if (row.Text("EmailClusterId") is { } cluster)
            add(EvidenceKind.MailCluster, ("clusterBy", "EmailClusterId"), ("clusterByValue", cluster), ("networkMessageIds", message is null ? null : new JsonArray(message)));
        if (row.Text("ThreatNames") is { } malware) add(EvidenceKind.Malware, ("name", malware), ("category", row.Text("ThreatTypes")));
        if (row.Text("TeamsMessageId") is { } teams)
        {
            add(EvidenceKind.TeamsMessage,
                ("messageId", teams), ("subject", row.Text("MessageSubject")), ("senderFromAddress", row.Text("SenderEmailAddress")), ("threadId", row.Text("ThreadId")),
                ("threadType", row.Text("ThreadSubtype")), ("groupId", row.Text("GroupId")), ("parentMessageId", row.Text("ParentMessageId")),
                ("deliveryAction", row.Text("DeliveryAction")), ("deliveryLocation", row.Text("DeliveryLocation")), ("isExternal", row.Flag("IsExternalThread")),
                ("isOwned", row.Flag("IsOwnedThread")), ("receivedDateTime", row.Time("Timestamp")), ("lastModifiedDateTime", row.Time("LastEditedTime")));
        }

        if (row.Text("ActionType") is { } operation && MailboxOperations.TryGetValue(operation, out var type) && row.Text("ObjectName") is { } mailbox)
            add(EvidenceKind.MailboxConfiguration, ("configurationType", type), ("displayName", operation), ("mailboxPrimaryAddress", mailbox), ("upn", row.Text("AccountUpn")));
    }

    private static void Applications(HuntingValues row, Adder add)
    {
        var (name, id) = (row.Text("Application"), row.Text("ApplicationId"));
        var number = row.Number("ApplicationId");
        if (name is not null && number is not null)
            add(EvidenceKind.CloudApplication, ("appId", number), ("saasAppId", number), ("displayName", name), ("instanceId", row.Number("AppInstanceId")));
        if (row.Text("OAuthAppId", "OAuthApplicationId") is { } grant)
            add(EvidenceKind.OAuthApplication, ("appId", grant), ("displayName", row.Text("AppName")), ("objectId", row.Text("ServicePrincipalId")), ("publisher", row.Text("VerifiedPublisher")));
        else if (Guid.TryParse(id, out _) && row.Text("ServicePrincipalId") is null)
            add(EvidenceKind.OAuthApplication, ("appId", id), ("displayName", name));
        if (row.Text("ServicePrincipalId") is { } principal)
        {
            add(EvidenceKind.ServicePrincipal,
                ("servicePrincipalObjectId", principal), ("servicePrincipalName", row.Text("ServicePrincipalName", "AppName")), ("appId", Guid.TryParse(id, out _) ? id : null),
                ("servicePrincipalType", row.Flag("IsManagedIdentity") == true ? "managedIdentity" : "application"));
        }

        if (row.Text("AIAgentId", "AgentId") is { } agent && row.Text("AIAgentName", "AgentName") is { } agentName)
            add(EvidenceKind.AiAgent, ("agentId", agent), ("agentName", agentName), ("instructions", row.Text("Instructions")), ("hostingPlatformType", Platform(row.Text("Platform"))));
    }

    private static void Sessions(HuntingValues row, Adder add)
    {
        if (row.Text("SessionId") is { } session)
        {
            add(EvidenceKind.CloudLogonSession,
                ("sessionId", session), ("account", Account(row)), ("browser", row.Text("Browser")), ("deviceName", row.Text("DeviceName")), ("operatingSystem", row.Text("OSPlatform")),
                ("userAgent", row.Text("UserAgent")), ("startUtcDateTime", row.Time("Timestamp")));
        }

        if (row.Text("RequestId") is { } request && row.Text("CorrelationId") is not null) add(EvidenceKind.CloudLogonRequest, ("requestId", request));
        if (row.Text("LogonId") is { } logon && row.Text("DeviceName") is { } host)
        {
            add(EvidenceKind.HostLogonSession,
                ("sessionId", logon), ("account", Account(row)), ("host", EvidenceKinds.Value(("deviceDnsName", host), ("hostName", host.Split('.')[0]))), ("startUtcDateTime", row.Time("Timestamp")));
        }
    }

    private static void Resources(HuntingValues row, Adder add)
    {
        var resource = row.Text("AzureResourceId", "AwsResourceName", "GcpFullResourceName", "ResourceId", "ResourceID");
        if (resource is null) return;
        var parts = resource.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (resource.StartsWith("/subscriptions/", StringComparison.OrdinalIgnoreCase))
        {
            var provider = Array.FindIndex(parts, part => part.Equals("providers", StringComparison.OrdinalIgnoreCase));
            add(EvidenceKind.AzureResource,
                ("resourceId", resource), ("resourceName", parts[^1]), ("resourceType", provider >= 0 && provider + 2 < parts.Length ? $"{parts[provider + 1]}/{parts[provider + 2]}" : null));
        }
        else if (resource.StartsWith("arn:", StringComparison.Ordinal))
        {
            // arn:partition:service:region:account:resource
            var fields = resource.Split(':', 6);
            add(EvidenceKind.AmazonResource,
                ("amazonResourceId", resource), ("amazonAccountId", fields.ElementAtOrDefault(4)), ("resourceType", fields.ElementAtOrDefault(2)), ("resourceName", fields.ElementAtOrDefault(5)?.Split('/')[^1]));
        }
        else if (resource.StartsWith("//", StringComparison.Ordinal))
        {
            var project = Array.IndexOf(parts, "projects");
            add(EvidenceKind.GoogleCloudResource,
                ("fullResourceName", resource), ("resourceName", parts[^1]), ("resourceType", parts.Length > 1 ? parts[^2] : null),
                ("projectId", project >= 0 && project + 1 < parts.Length ? parts[project + 1] : null));
        }

        if (row.Text("StorageContainer") is { } container && row.Text("StorageAccount") is { } account)
        {
            add(EvidenceKind.BlobContainer,
                ("name", container), ("url", $"https://{account}.blob.core.windows.net/{container}"),
                ("storageResource", EvidenceKinds.Value(("resourceId", resource), ("resourceName", account))));
        }
    }

    private static void Containers(HuntingValues row, Adder add)
    {
        var (image, pod, space) = (row.Text("ContainerImageName", "ImageName"), row.Text("KubernetesPodName"), row.Text("KubernetesNamespace"));
        var inSpace = EvidenceKinds.Value(("name", space));
        if (row.Text("ContainerId") is { } container)
        {
            add(EvidenceKind.Container,
                ("containerId", container), ("name", row.Text("ContainerName")), ("image", EvidenceKinds.Value(("imageId", image))),
                ("pod", pod is null ? null : EvidenceKinds.Value(("name", pod), ("namespace", inSpace?.DeepClone()))));
        }

        if (image is not null)
        {
            var registry = image.IndexOf('/', StringComparison.Ordinal) is var cut and > 0 && image[..cut].Contains('.', StringComparison.Ordinal) ? image[..cut] : null;
            add(EvidenceKind.ContainerImage,
                ("imageId", image), ("digestImage", EvidenceKinds.Value(("imageId", row.Text("ImageDigest")))), ("registry", EvidenceKinds.Value(("registry", registry))));
            if (registry is not null) add(EvidenceKind.ContainerRegistry, ("registry", registry));
        }

        if (pod is not null) add(EvidenceKind.KubernetesPod, ("name", pod), ("namespace", inSpace?.DeepClone()));
        if (space is not null) add(EvidenceKind.KubernetesNamespace, ("name", space));
        if (row.Text("DnsQuery") is { } query) add(EvidenceKind.Dns, ("domainName", query));
    }

    private static JsonObject? Account(HuntingValues row)
    {
        var account = EvidenceKinds.Value(
            ("accountName", row.Text("AccountName")), ("domainName", row.Text("AccountDomain")), ("userPrincipalName", row.Text("AccountUpn")), ("azureAdUserId", row.Text("AccountObjectId")),
            ("displayName", row.Text("AccountDisplayName")));
        return account is null ? null : EvidenceKinds.Value(("userAccount", account));
    }

    private static string? Platform(string? name) => name?.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant() switch
    {
        null => null,
        "copilotstudio" => "copilotStudio",
        "azureaifoundry" or "aifoundry" => "azureAIFoundry",
        "copilot" or "microsoft365copilot" => "copilot",
        _ => "unknown",
    };

    // Lists of words, and objects whose names are the words.
    private static JsonArray? Words(string? text)
    {
        if (text is null) return null;
        if (text.StartsWith('{') || text.StartsWith('['))
        {
            try
            {
                return JsonNode.Parse(text) switch
                {
                    JsonObject methods => [.. methods.Select(pair => (JsonNode)pair.Key)],
                    JsonArray list => [.. list.Select(item => item?.DeepClone())],
                    _ => null,
                };
            }
            catch (System.Text.Json.JsonException)
            {
                return [text];
            }
        }

        return [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(word => (JsonNode)word)];
    }
}
