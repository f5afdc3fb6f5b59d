using System.Text.Json;
using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Machines;

/// <summary>Hunting rows that tell of devices.</summary>
internal static class MachineRows
{
    /// <summary>A row of DeviceInfo with the device's present state.</summary>
    internal static HuntingRow DeviceInfo(Machine machine, DateTime now)
    {
        var row = HuntingRow.For("DeviceInfo");
        row["Timestamp"] = now;
        row["DeviceId"] = machine.Id;
        row["DeviceName"] = machine.ComputerDnsName;
        row["ClientVersion"] = machine.AgentVersion;
        row["PublicIP"] = machine.LastExternalIpAddress;
        row["OSArchitecture"] = machine.OsArchitecture;
        row["OSPlatform"] = machine.OsPlatform;
        row["OSBuild"] = machine.OsBuild;
        row["OSVersion"] = machine.OsVersion;
        row["OSVersionInfo"] = machine.Version;
        row["OSDistribution"] = machine.OsDistribution;
        row["IsAzureADJoined"] = machine.IsAadJoined;
        row["AadDeviceId"] = machine.AadDeviceId?.ToString();
        row["MachineGroup"] = machine.RbacGroupName;
        row["OnboardingStatus"] = machine.OnboardingStatus == OnboardingStatus.CanBeOnboarded ? "Can be onboarded" : machine.OnboardingStatus.ToString();
        row["SensorHealthState"] = machine.HealthStatus.ToString();
        row["DeviceType"] = machine.DeviceType;
        row["DeviceCategory"] = "Endpoint";
        row["IsExcluded"] = machine.IsExcluded;
        row["ExclusionReason"] = machine.ExclusionReason;
        row["ExposureLevel"] = machine.ExposureLevel.ToString();
        row["AssetValue"] = machine.DeviceValue.ToString();
        row["DeviceManualTags"] = JsonSerializer.Serialize(machine.MachineTags);
        row["MergedToDeviceId"] = machine.MergedIntoMachineId;
        row["MitigationStatus"] = Mitigation(machine);
        row["ReportId"] = now.Ticks / TimeSpan.TicksPerMillisecond;
        return row;
    }

    private static string? Mitigation(Machine machine)
    {
        if (machine.Isolation == IsolationState.None && !machine.IsCodeExecutionRestricted) return null;
        return JsonSerializer.Serialize(new Dictionary<string, bool>
        {
            ["isolated"] = machine.Isolation is IsolationState.Full or IsolationState.Selective,
            ["contained"] = machine.Isolation == IsolationState.Contained,
            ["restricted"] = machine.IsCodeExecutionRestricted,
        });
    }
}
