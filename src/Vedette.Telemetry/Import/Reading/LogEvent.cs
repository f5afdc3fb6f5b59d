using System.Text;
using System.Text.Json;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>
/// One event of a log: a bag of named texts plus what every event has (kind, host, time). Fields that came as JSON stay in the batch's bytes
/// until somebody asks for them, because most are never asked for.
/// </summary>
internal sealed class LogEvent
{
    private Slot[] _slots = new Slot[48];
    private int _count;

    /// <summary>The batch whose bytes the fields point into.</summary>
    public EventBatch? Batch { get; set; }

    /// <summary>Family of the provider, for instance <c>sysmon</c>; the provider's own name when no mapping knows it.</summary>
    public string Family { get; set; } = "";

    /// <summary>Number or name of the event inside its family.</summary>
    public string Id { get; set; } = "";

    /// <summary>Host name as the log spells it; empty when the log names none.</summary>
    public string Host { get; set; } = "";

    /// <summary>Time as the log's envelope gives it, without regard to its zone; null when it gives none.</summary>
    public DateTime? EnvelopeTime { get; set; }

    /// <summary>Time that is known to be UTC because the event itself carries it (Sysmon's UtcTime, an audit time stamp).</summary>
    public DateTime? ExactTime { get; set; }

    /// <summary>What to add to the envelope's time to get UTC as far as the event alone tells; null when it does not tell.</summary>
    public TimeSpan? EnvelopeOffset { get; set; }

    /// <summary>Where it stands.</summary>
    public LogPosition Position { get; set; }

    /// <summary>Number of fields.</summary>
    public int Count => _count;

    /// <summary>Forgets everything so that the object can be used again.</summary>
    public void Clear()
    {
        Array.Clear(_slots, 0, _count);
        _count = 0;
        Batch = null;
        Family = Id = Host = "";
        EnvelopeTime = ExactTime = null;
        EnvelopeOffset = null;
        Position = default;
    }

    /// <summary>Adds a field whose bytes lie in the batch.</summary>
    public void AddRaw(int name, int start, int length, bool escaped) =>
        Add(new Slot { Name = name, Start = start, Length = length, Escaped = escaped });

    /// <summary>Adds a field whose text is known.</summary>
    public void AddText(int name, string text) => Add(new Slot { Name = name, Text = text });

    /// <summary>The text of a field; null when it is absent, empty or the single dash that Windows writes for nothing.</summary>
    public string? Text(int name)
    {
        if (name < 0) return null;
        for (var index = 0; index < _count; index++)
        {
            ref var slot = ref _slots[index];
            if (slot.Name != name) continue;
            slot.Text ??= Decode(slot);
            return slot.Text is "" or "-" ? null : slot.Text;
        }

        return null;
    }

    /// <summary>The first text among several fields; null when none has any.</summary>
    public string? Text(int[] names)
    {
        foreach (var name in names)
        {
            if (Text(name) is { } text) return text;
        }

        return null;
    }

    private void Add(in Slot slot)
    {
        if (slot.Name < 0) return;
        if (_count == _slots.Length) Array.Resize(ref _slots, _count * 2);
        _slots[_count++] = slot;
    }

    private string Decode(in Slot slot)
    {
        var bytes = Batch!.Bytes;
        if (!slot.Escaped) return Encoding.UTF8.GetString(bytes, slot.Start, slot.Length);
        try
        {
            var reader = new Utf8JsonReader(bytes.AsSpan(slot.Start - 1, slot.Length + 2));
            reader.Read();
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, or bytes that are not UTF-8: keep what can be read.
            return Encoding.UTF8.GetString(bytes, slot.Start, slot.Length);
        }
    }

    private struct Slot
    {
        public int Name;
        public int Start;
        public int Length;
        public bool Escaped;
        public string? Text;
    }
}

/// <summary>Where a record stands.</summary>
/// <param name="Member">File, or archive and member, as people name it.</param>
/// <param name="Line">Line from 1 on which the record begins.</param>
/// <param name="Ordinal">Number of the event from 0 in the whole recording.</param>
internal readonly record struct LogPosition(string Member, long Line, long Ordinal);

/// <summary>A handful of events and the bytes that they point into, handed from the reading thread to the mapping thread.</summary>
internal sealed class EventBatch
{
    private const int Events = 512;
    private const int ByteGoal = 1024 * 1024;
    private readonly LogEvent[] _events = new LogEvent[Events];

    /// <summary>Bytes of the records.</summary>
    public byte[] Bytes { get; private set; } = new byte[ByteGoal];

    /// <summary>Bytes in use.</summary>
    public int Used { get; private set; }

    /// <summary>Events in use.</summary>
    public int Count { get; private set; }

    /// <summary>Input bytes read up to and including this batch, for progress.</summary>
    public long BytesRead { get; set; }

    /// <summary>Whether it should be handed over before more is added.</summary>
    public bool IsFull => Count == Events || Used >= ByteGoal;

    /// <summary>An event in the batch.</summary>
    public LogEvent this[int index] => _events[index];

    /// <summary>Empties the batch for another use.</summary>
    public void Clear()
    {
        Used = 0;
        Count = 0;
        if (Bytes.Length > 8 * ByteGoal) Bytes = new byte[ByteGoal];
    }

    /// <summary>Copies a record into the batch and tells where.</summary>
    public int Append(ReadOnlySpan<byte> record)
    {
        if (Used + record.Length > Bytes.Length)
        {
            var bytes = Bytes;
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, Used + record.Length));
            Bytes = bytes;
        }

        record.CopyTo(Bytes.AsSpan(Used));
        Used += record.Length;
        return Used - record.Length;
    }

    /// <summary>Takes back the bytes of a record that turned out to be no event.</summary>
    public void Forget(int start) => Used = start;

    /// <summary>An empty event that the batch will hold once <see cref="Commit"/> is called.</summary>
    public LogEvent Next()
    {
        var next = _events[Count] ??= new LogEvent();
        next.Clear();
        next.Batch = this;
        return next;
    }

    /// <summary>Keeps the event that <see cref="Next"/> gave.</summary>
    public void Commit() => Count++;
}
