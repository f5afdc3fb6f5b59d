using System.Threading.Channels;

namespace Vedette.Defender.Vulnerabilities;

/// <summary>Tells that a tenant's inventory or what is known of it changed; <see cref="Guid.Empty"/> stands for all tenants.</summary>
public sealed class TvmSignal
{
    private readonly Channel<Guid> _changes = Channel.CreateBounded<Guid>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Something of a tenant changed.</summary>
    public void Raise(Guid tenantId) => _changes.Writer.TryWrite(tenantId);

    internal ChannelReader<Guid> Changes => _changes.Reader;
}
