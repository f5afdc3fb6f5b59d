using System.Collections.Concurrent;
using System.Threading.Channels;
using Vedette.Foundation.Snapshots;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Ingest.Sieve;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Detections;

/// <summary>What is known of rows that arrived in a window, as far as one rule goes.</summary>
/// <param name="Any">Whether there may be rows that the rule matches.</param>
/// <param name="Events">Times of those rows, first and last; null when they are not known.</param>
/// <param name="Imported">Whether all of them were imported.</param>
internal readonly record struct ArrivalNews(bool Any, (DateTime From, DateTime To)? Events, bool Imported);

/// <summary>
/// Looks at rows while they are being stored, and remembers which continuous rules can have something to say about them, until those have looked.
/// What is not known here (rows from before the start, rules that are new) is looked at by running the rule.
/// </summary>
internal sealed class DetectionArrivals(HuntingCatalogue? names, TimeProvider clock) : IArrivalListener, IStateCache
{
    // Looks that wait for the rules; beyond that they are forgotten, and the rules are run.
    private const int MostWaiting = 4_096;

    // Rows that are kept until the tenant's rules are known.
    private const int MostUnseen = 50_000;

    // Within what the store keeps of times.
    private static readonly DateTime OldestKept = new(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime NewestKept = new(2299, 12, 31, 0, 0, 0, DateTimeKind.Utc);

    private readonly ConcurrentDictionary<Guid, Tenant> _tenants = new();
    private readonly Channel<Guid> _signals = Channel.CreateUnbounded<Guid>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Tenants for whom rows have arrived, one by one; a tenant may be named again at any time.</summary>
    public ChannelReader<Guid> Signals => _signals.Reader;

    /// <summary>Names a tenant as if rows had arrived.</summary>
    public void Signal(Guid tenantId) => _signals.Writer.TryWrite(tenantId);

    /// <inheritdoc/>
    public void Forget() => _tenants.Clear();

    /// <inheritdoc/>
    public void Arriving(Arrivals arrivals)
    {
        var tenant = Of(arrivals.TenantId);
        var rules = tenant.Rules;
        var look = new Look(arrivals.Arrived, arrivals.Imported);
        if (rules is not null) look.Take(arrivals.Rows, rules);
        lock (tenant)
        {
            if (rules is null) tenant.Keep(look, arrivals.Rows);
            tenant.Looks.Add(look);
            if (tenant.Looks.Count <= MostWaiting) return;
            tenant.Looks.Clear();
            tenant.Unseen.Clear();
            tenant.UnseenRows = 0;
            tenant.KnownFrom = arrivals.Arrived.AddTicks(1);
        }
    }

    /// <inheritdoc/>
    public void Arrived(Guid tenantId) => Signal(tenantId);

    /// <summary>Sets the rules to look for from now on.</summary>
    public void Watch(Guid tenantId, RuleSet rules)
    {
        var tenant = Of(tenantId);
        if (ReferenceEquals(tenant.Rules?.Set, rules)) return;
        var watched = new WatchedRules(rules, names);
        lock (tenant)
        {
            tenant.Rules = watched;
            foreach (var (look, rows) in tenant.Unseen) look.Take(rows, watched);
            tenant.Unseen.Clear();
            tenant.UnseenRows = 0;
        }
    }

    /// <summary>What is known of the rows that arrived from <paramref name="from"/> to before <paramref name="until"/>; null when that is not all of them.</summary>
    public ArrivalNews? NewsFor(Guid tenantId, DetectionRule rule, DateTime from, DateTime until)
    {
        var tenant = Of(tenantId);
        lock (tenant)
        {
            if (tenant.KnownFrom is not { } known || known > from) return null;
            var news = new ArrivalNews(false, null, true);
            var isKnown = true;
            WatchedRules? rules = null;
            var number = -1;
            foreach (var look in tenant.Looks)
            {
                if (look.Arrived < from || look.Arrived >= until) continue;
                if (look.Rules is null) return null;
                if (look.Rules != rules)
                {
                    rules = look.Rules;
                    number = rules.NumberOf(rule);
                }

                if (number < 0) return null;
                if (!look.Found.Contains(number)) continue;
                var times = rules!.Sieve.OnlyTable(number) is { } table && look.Times.TryGetValue(table, out var found) ? found : ((DateTime, DateTime)?)null;
                isKnown &= times is not null;
                news = new ArrivalNews(true, isKnown ? Both(news.Events, times!.Value) : null, news.Imported && look.Imported);
            }

            return news;
        }
    }

    /// <summary>Whether it is sure that nothing arrived since the mark that any rule could match.</summary>
    public bool IsQuiet(Guid tenantId, DateTime until, TimeSpan longest)
    {
        var tenant = Of(tenantId);
        lock (tenant)
        {
            return tenant.Mark is { } mark && tenant.KnownFrom <= mark && clock.GetElapsedTime(tenant.MarkedAt) < longest
                && tenant.Looks.TrueForAll(look => look.Arrived >= until || (look.Found.Count == 0 && look.Rules == tenant.Rules && look.Rules is not null));
        }
    }

    /// <summary>Rules have caught up, and have to be taken along: the next look is a whole one.</summary>
    public void Unsettle(Guid tenantId)
    {
        var tenant = Of(tenantId);
        lock (tenant)
        {
            tenant.Mark = null;
            tenant.Unsettled++;
        }

        Signal(tenantId);
    }

    /// <summary>A number that tells whether rules have caught up since; asked for before it is read how far they are.</summary>
    public long Settlement(Guid tenantId)
    {
        var tenant = Of(tenantId);
        lock (tenant) return tenant.Unsettled;
    }

    /// <summary>The tenant's mark was stored: what arrived before it need not be remembered.</summary>
    /// <param name="tenantId">Whose.</param>
    /// <param name="mark">The mark.</param>
    /// <param name="settlement">The number from before the look; null when not all rules go along yet.</param>
    public void Marked(Guid tenantId, DateTime mark, long? settlement)
    {
        var tenant = Of(tenantId);
        lock (tenant)
        {
            tenant.Mark = settlement == tenant.Unsettled ? mark : null;
            tenant.MarkedAt = clock.GetTimestamp();
            tenant.Looks.RemoveAll(look => look.Arrived < mark);
            if (tenant.KnownFrom is null || tenant.KnownFrom < mark) tenant.KnownFrom = mark;
        }
    }

    private static (DateTime, DateTime) Both((DateTime From, DateTime To)? one, (DateTime From, DateTime To) other) => one is { } known
        ? (known.From < other.From ? known.From : other.From, known.To > other.To ? known.To : other.To)
        : other;

    private Tenant Of(Guid tenantId) => _tenants.GetOrAdd(tenantId, static _ => new Tenant());

    private sealed class Tenant
    {
        private volatile WatchedRules? _rules;

        public WatchedRules? Rules
        {
            get => _rules;
            set => _rules = value;
        }

        /// <summary>Everything that arrived since is among the looks. Nothing is known of what arrived before the first look of all rules.</summary>
        public DateTime? KnownFrom { get; set; }

        /// <summary>The mark, as long as all rules go along with it.</summary>
        public DateTime? Mark { get; set; }

        public long Unsettled { get; set; }

        public long MarkedAt { get; set; }

        public List<Look> Looks { get; } = [];

        /// <summary>Rows that arrived before the rules were known here.</summary>
        public List<(Look Look, IReadOnlyList<HuntingRow> Rows)> Unseen { get; } = [];

        public int UnseenRows { get; set; }

        public void Keep(Look look, IReadOnlyList<HuntingRow> rows)
        {
            if (UnseenRows + rows.Count > MostUnseen) return;
            Unseen.Add((look, rows));
            UnseenRows += rows.Count;
        }
    }

    /// <summary>What was seen in rows that were stored together.</summary>
    private sealed class Look(DateTime arrived, bool imported)
    {
        public DateTime Arrived => arrived;

        public bool Imported => imported;

        /// <summary>The rules that were looked for; null when they were not known yet.</summary>
        public WatchedRules? Rules { get; private set; }

        /// <summary>Numbers of the rules that may match.</summary>
        public HashSet<int> Found { get; } = [];

        /// <summary>First and last time of the events, by table.</summary>
        public Dictionary<string, (DateTime From, DateTime To)> Times { get; } = new(StringComparer.Ordinal);

        public void Take(IReadOnlyList<HuntingRow> rows, WatchedRules rules)
        {
            rules.Sieve.Sift(rows, Found);
            Rules = rules;
            if (Found.Count == 0) return;
            foreach (var row in rows) AddTime(row);
        }

        private void AddTime(HuntingRow row)
        {
            if (PhysicalTable.All[row.Table.Name].TimeColumn is not { } column) return;
            var time = row[column] as DateTime? ?? DateTime.UnixEpoch;
            if (time.Kind == DateTimeKind.Local) time = time.ToUniversalTime();
            if (time < OldestKept || time > NewestKept) time = time < OldestKept ? OldestKept : NewestKept;
            Times[row.Table.Name] = Both(Times.TryGetValue(row.Table.Name, out var known) ? known : null, (time, time));
        }
    }

    /// <summary>The continuous rules of a set, and what finds those that arrivals concern.</summary>
    private sealed class WatchedRules
    {
        private readonly Dictionary<(Guid, string), int> _numbers = [];

        public WatchedRules(RuleSet set, HuntingCatalogue? names)
        {
            Set = set;
            var rules = names is null ? [] : set.Rules.Where(rule => rule.Enabled && rule.Schedule.IsContinuous).ToArray();
            for (var number = 0; number < rules.Length; number++) _numbers[(rules[number].Id, DetectionWork.HashOf(rules[number]))] = number;
            Sieve = new QuerySieve([.. rules.Select(rule => names!.Bind(rule.Query))]);
        }

        public RuleSet Set { get; }

        public QuerySieve Sieve { get; }

        public int NumberOf(DetectionRule rule) => _numbers.GetValueOrDefault((rule.Id, DetectionWork.HashOf(rule)), -1);
    }
}
