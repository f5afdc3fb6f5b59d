namespace Vedette.Foundation.Tests;

public sealed class DataFolderLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-lock-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Only_one_holder_at_a_time()
    {
        var folder = Path.Combine(_folder, "data");
        using (DataFolderLock.Acquire(folder))
        {
            var refusal = Should.Throw<DataFolderInUseException>(() => DataFolderLock.Acquire(folder));
            refusal.Message.ShouldContain(folder);
            refusal.Message.ShouldContain($"process {Environment.ProcessId}");
        }

        DataFolderLock.Acquire(folder).Dispose();
    }
}
