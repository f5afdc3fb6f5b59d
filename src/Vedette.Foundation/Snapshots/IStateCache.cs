namespace Vedette.Foundation.Snapshots;

/// <summary>Something that remembers parts of the stored state, and must not when the whole state is replaced.</summary>
public interface IStateCache
{
    /// <summary>Forgets everything that was read from the store.</summary>
    void Forget();
}
