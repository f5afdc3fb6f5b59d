namespace Vedette.Defender.State;

/// <summary>Hunting rows that follow from a change of state, waiting to be moved into telemetry.</summary>
public sealed class OutboxEntry
{
    /// <summary>Number of the entry, which gives the order and the deduplication token.</summary>
    public long Id { get; set; }

    /// <summary>Whose.</summary>
    public Guid TenantId { get; set; }

    /// <summary>When it was written, UTC.</summary>
    public DateTime CreatedAt { get; set; }

    /// <summary>The rows as JSON.</summary>
    public string Rows { get; set; } = "[]";

    /// <summary>Number of rows.</summary>
    public int RowCount { get; set; }

    /// <summary>
    /// The delivery that the entry is part of; null until it is first tried. After a crash the same entries are delivered under the same name.
    /// </summary>
    public long? Delivery { get; set; }
}

/// <summary>How far the import of one content has come.</summary>
public sealed class ImportJournalEntry
{
    /// <summary>Whose telemetry.</summary>
    public Guid TenantId { get; set; }

    /// <summary>SHA-256 of the unpacked content, lower-case hexadecimal.</summary>
    public string ContentHash { get; set; } = "";

    /// <summary>The file that it came from first.</summary>
    public string File { get; set; } = "";

    /// <summary>How far its times are moved, in ticks of 100 ns.</summary>
    public long Shift { get; set; }

    /// <summary>Chunks from the first on that are stored.</summary>
    public int ChunksDone { get; set; }

    /// <summary>Everything is stored.</summary>
    public bool Complete { get; set; }

    /// <summary>Events read.</summary>
    public long Events { get; set; }

    /// <summary>Rows stored.</summary>
    public long Rows { get; set; }

    /// <summary>When the import began, UTC.</summary>
    public DateTime BeganAt { get; set; }

    /// <summary>Last change, UTC.</summary>
    public DateTime UpdatedAt { get; set; }
}

/// <summary>A tenant's settings.</summary>
public sealed class TenantSettings
{
    /// <summary>Whose.</summary>
    public Guid TenantId { get; set; }

    /// <summary>How simulated devices take actions.</summary>
    public ActionTiming ActionTiming { get; set; } = ActionTiming.Default;

    /// <summary>Whether a repeated order is refused or answered with the pending action.</summary>
    public DuplicateOrders DuplicateOrders { get; set; } = DuplicateOrders.Refuse;

    /// <summary>Whether automated investigations start by themselves.</summary>
    public bool AutomatedInvestigations { get; set; } = true;
}

/// <summary>What happens to an order when the same is already under way. Both were seen in the service.</summary>
public enum DuplicateOrders
{
    /// <summary>It is refused with 400.</summary>
    Refuse,

    /// <summary>The caller gets the action that is under way.</summary>
    ReturnPending,
}

/// <summary>When a simulated device takes an action a step further.</summary>
/// <param name="Mode">By what.</param>
/// <param name="Start">Seconds, or reads, until the action is in progress.</param>
/// <param name="Finish">Seconds, or reads, from then until it is done.</param>
/// <param name="Outcome">How it ends.</param>
public sealed record ActionTiming(ActionTimingMode Mode, double Start, double Finish, MachineActionStatus Outcome = MachineActionStatus.Succeeded)
{
    /// <summary>In progress after one second, done after two more.</summary>
    public static readonly ActionTiming Default = new(ActionTimingMode.AfterSeconds, 1, 2);

    /// <summary>Done before anybody can look.</summary>
    public static readonly ActionTiming AtOnce = new(ActionTimingMode.AtOnce, 0, 0);
}

/// <summary>What moves an action on.</summary>
public enum ActionTimingMode
{
    /// <summary>Nothing is waited for.</summary>
    AtOnce,

    /// <summary>Time passes.</summary>
    AfterSeconds,

    /// <summary>A client reads the action.</summary>
    AfterReads,

    /// <summary>Nothing: the device never takes it, as if switched off.</summary>
    Never,
}
