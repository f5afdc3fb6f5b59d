namespace Vedette.Defender.Streaming;

/// <summary>Where an export goes.</summary>
public enum ExportKind
{
    /// <summary>Files of JSON lines below a folder, laid out as the service lays them out in a storage account.</summary>
    Folder,

    /// <summary>An address that takes <c>{"records":[…]}</c> by POST, the form of an event hub's messages.</summary>
    Webhook,

    /// <summary>Append blobs of an Azure storage account, one container a table.</summary>
    Storage,
}

/// <summary>A standing order to send raw events somewhere as they arrive.</summary>
/// <param name="Id">Identity.</param>
/// <param name="TenantId">Whose events.</param>
/// <param name="Name">Name, unique within the tenant.</param>
/// <param name="Kind">Where it goes.</param>
/// <param name="Target">Folder, address, or the storage account's blob endpoint.</param>
/// <param name="Tables">Hunting tables that are sent.</param>
/// <param name="Enabled">False while it is paused; nothing is lost meanwhile but what retention takes.</param>
/// <param name="CreatedAt">When it was ordered, UTC.</param>
/// <param name="Records">Records delivered so far; a repeated delivery counts again.</param>
/// <param name="LastDelivery">Last delivery that was taken, UTC.</param>
/// <param name="LastError">Why the last delivery was not taken; null when it was.</param>
public sealed record DataExport(
    Guid Id, Guid TenantId, string Name, ExportKind Kind, string Target, IReadOnlyList<string> Tables, bool Enabled, DateTime CreatedAt, long Records,
    DateTime? LastDelivery, string? LastError);

/// <summary>Asks for an export.</summary>
/// <param name="TenantId">Whose events.</param>
/// <param name="Name">Name, unique within the tenant.</param>
/// <param name="Kind">Where it goes.</param>
/// <param name="Target">Absolute folder, address, or a storage connection string.</param>
/// <param name="Tables">Hunting tables; those that the service streams when empty, every one for the word <c>all</c>.</param>
/// <param name="FromStart">True to begin with what is stored already; else with what arrives from now on.</param>
public sealed record NewDataExport(Guid TenantId, string Name, ExportKind Kind, string Target, IReadOnlyList<string> Tables, bool FromStart);
