namespace Vedette.Foundation.Tests;

public sealed class DataFolderLockTests
{
    [Fact]
    public void Only_one_holder_at_a_time()
    {
        var folder = Path.Combine(Directory.CreateTempSubdirectory("vedette-lock-").FullName, "data");
        using (DataFolderLock.Acquire(folder))
        {
            var refusal = Should.Throw<DataFolderInUseException>(() => DataFolderLock.Acquire(folder));
            refusal.Message.ShouldContain(folder);
            refusal.Message.ShouldContain($"process {Environment.ProcessId}");
        }

        DataFolderLock.Acquire(folder).Dispose();
    }
}
