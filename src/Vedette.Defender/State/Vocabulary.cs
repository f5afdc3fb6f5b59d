namespace Vedette.Defender.State;

// The names are the service's own, as they appear in its answers; members without a comment of their own mean what they say.
#pragma warning disable CS1591

/// <summary>Severity of an alert.</summary>
public enum AlertSeverity { UnSpecified, Informational, Low, Medium, High }

/// <summary>Status of an alert.</summary>
public enum AlertStatus { Unknown, New, InProgress, Resolved }

/// <summary>What an analyst found an alert to be.</summary>
public enum AlertClassification { Unknown, TruePositive, InformationalExpectedActivity, FalsePositive }

/// <summary>What an alert was, more exactly.</summary>
public enum AlertDetermination
{
    NotAvailable, MultiStagedAttack, MaliciousUserActivity, CompromisedUser, Malware, Phishing, UnwantedSoftware, SecurityTesting,
    LineOfBusinessApplication, ConfirmedUserActivity, Clean, InsufficientData, Other, Apt, SecurityPersonnel,
}

/// <summary>State of an automated investigation.</summary>
public enum InvestigationState
{
    Unknown, Terminated, SuccessfullyRemediated, Benign, Failed, PartiallyRemediated, Running, PendingApproval, PendingResource,
    PartiallyInvestigated, TerminatedByUser, TerminatedBySystem, Queued, InnerFailure, PreexistingAlert, UnsupportedOs,
    UnsupportedAlertType, SuppressedAlert,
}

/// <summary>Status of an incident.</summary>
public enum IncidentStatus { Active, InProgress, Resolved, Redirected }

/// <summary>Kind of evidence. The first have columns of their own; what the others hold is in <see cref="AlertEvidence.Details"/>.</summary>
public enum EvidenceKind
{
    User, Process, File, Ip, Url, RegistryKey, RegistryValue, Mailbox,
    ActiveDirectoryDomain, AiAgent, AmazonResource, AzureResource, Blob, BlobContainer, CloudApplication, CloudLogonRequest, CloudLogonSession, Container,
    ContainerImage, ContainerRegistry, Device, Dns, FileHash, GitHubOrganization, GitHubRepo, GitHubUser, GoogleCloudResource, HostLogonSession, IoTDevice,
    KubernetesCluster, KubernetesController, KubernetesNamespace, KubernetesPod, KubernetesSecret, KubernetesService, KubernetesServiceAccount, MailCluster,
    MailMessage, MailboxConfiguration, Malware, NetworkConnection, Nic, OAuthApplication, SasToken, SecurityGroup, ServicePrincipal, SubmissionMail,
    TeamsMessage,
}

/// <summary>State of a device's sensor.</summary>
public enum HealthStatus { Active, Inactive, ImpairedCommunication, NoSensorData, NoSensorDataImpairedCommunication, Unknown }

/// <summary>What a device is worth to the organisation.</summary>
public enum DeviceValue { Normal, Low, High }

/// <summary>Risk of a device by its open alerts.</summary>
public enum RiskScore { None, Informational, Low, Medium, High }

/// <summary>Exposure of a device by its weaknesses.</summary>
public enum ExposureLevel { None, Low, Medium, High }

/// <summary>Whether a device is onboarded. <c>Offboarded</c> is shown as <c>CanBeOnboarded</c> by the API.</summary>
public enum OnboardingStatus { Onboarded, CanBeOnboarded, Unsupported, InsufficientInfo }

/// <summary>Whether a device is cut off: fully, except for chosen programs, or contained by its neighbours.</summary>
public enum IsolationState { None, Full, Selective, Contained }

/// <summary>How a device is reached.</summary>
public enum DeviceChannelKind { None, Simulated, Agent }

/// <summary>What automated investigations may do without asking.</summary>
public enum AutomationLevel { None, SemiAllFolders, SemiNonTempFolders, SemiCoreFolders, Full }

/// <summary>Kind of order to a device.</summary>
public enum MachineActionType
{
    RunAntiVirusScan, Offboard, LiveResponse, CollectInvestigationPackage, Isolate, Unisolate, StopAndQuarantineFile, RestrictCodeExecution,
    UnrestrictCodeExecution,
}

/// <summary>How far an order is.</summary>
public enum MachineActionStatus { Pending, InProgress, Succeeded, Failed, TimeOut, Cancelled }

/// <summary>Kind of indicator.</summary>
public enum IndicatorType { FileSha1, FileSha256, FileMd5, CertificateThumbprint, IpAddress, DomainName, Url }

/// <summary>What to do when an indicator matches.</summary>
public enum IndicatorAction { Warn, Block, Audit, Alert, AlertAndBlock, BlockAndRemediate, Allowed }
