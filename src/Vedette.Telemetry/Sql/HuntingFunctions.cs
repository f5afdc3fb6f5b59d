using Vedette.Kql;

namespace Vedette.Telemetry.Sql;

/// <summary>The functions that advanced hunting adds to the language.</summary>
public static class HuntingFunctions
{
    /// <summary>Columns that FileProfile adds.</summary>
    private static readonly KqlColumnDefinition[] Profile =
    [
        new("SHA1", KqlType.String), new("SHA256", KqlType.String), new("MD5", KqlType.String), new("FileSize", KqlType.Int), new("GlobalPrevalence", KqlType.Int),
        new("GlobalFirstSeen", KqlType.DateTime), new("GlobalLastSeen", KqlType.DateTime), new("Signer", KqlType.String), new("Issuer", KqlType.String), new("SignerHash", KqlType.String),
        new("IsCertificateValid", KqlType.Bool), new("IsRootSignerMicrosoft", KqlType.Bool), new("SignatureState", KqlType.String), new("IsExecutable", KqlType.Bool),
        new("ThreatName", KqlType.String), new("Publisher", KqlType.String), new("SoftwareName", KqlType.String), new("ProfileAvailability", KqlType.String),
    ];

    /// <summary>The functions as names for the binder.</summary>
    public static IReadOnlyList<KqlTableFunction> Schema { get; } =
    [
        new("FileProfile", true, [new("x", KqlType.String, false, true), new("y", KqlType.Int, false)], KqlTableFunctionShape.Extends, Profile),
        new("DeviceFromIP", true, [new("x", KqlType.String, false, true), new("y", KqlType.DateTime, false)], KqlTableFunctionShape.Returns, [new("IP", KqlType.String), new("DeviceId", KqlType.String)]),
        new("SeenBy", true, [new("x", KqlType.String, false, true)], KqlTableFunctionShape.Returns, [new("DeviceId", KqlType.String)]),
        new("AssignedIPAddresses", false, [new("x", KqlType.String, true), new("y", KqlType.DateTime, false)], KqlTableFunctionShape.Returns,
        [
            new("Timestamp", KqlType.DateTime), new("IPAddress", KqlType.String), new("IPType", KqlType.String), new("NetworkAdapterType", KqlType.String), new("ConnectedNetworks", KqlType.String),
        ]),
    ];
}
