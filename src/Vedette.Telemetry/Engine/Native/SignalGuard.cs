using System.Runtime.InteropServices;

namespace Vedette.Telemetry.Engine.Native;

/// <summary>
/// Keeps the signal handlers of this process across a call into libchdb. Switching the library's own handlers off sets the deadly signals to
/// their default action, and so does every connect; .NET turns SIGSEGV and SIGFPE into exceptions and would die of the first null reference.
/// </summary>
internal static unsafe partial class SignalGuard
{
    // Larger than struct sigaction on every supported platform; the content is only kept and put back.
    private const int ActionSize = 256;

    private static readonly Lock Gate = new();

    private static readonly int[] Signals = OperatingSystem.IsMacOS()
        ? [4, 5, 6, 8, 10, 11, 12, 18]   // ILL TRAP ABRT FPE BUS SEGV SYS TSTP
        : [4, 5, 6, 7, 8, 11, 20, 31];   // ILL TRAP ABRT BUS FPE SEGV TSTP SYS

    public static T Run<T>(Func<T> call)
    {
        lock (Gate)
        {
            var saved = stackalloc byte[ActionSize * Signals.Length];
            for (var i = 0; i < Signals.Length; i++) _ = SigAction(Signals[i], null, saved + i * ActionSize);
            using var ended = new ManualResetEventSlim();
            var address = (nint)saved;
            var keeper = new Thread(() =>
            {
                // The first connect takes 100 ms and may have reset the handlers at its beginning.
                while (!ended.Wait(TimeSpan.FromMilliseconds(1))) PutBack((byte*)address);
            });
            keeper.Start();
            try
            {
                return call();
            }
            finally
            {
                ended.Set();
                keeper.Join();
                PutBack(saved);
            }
        }
    }

    private static void PutBack(byte* saved)
    {
        for (var i = 0; i < Signals.Length; i++) _ = SigAction(Signals[i], saved + i * ActionSize, null);
    }

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int SigAction(int signal, byte* action, byte* previous);
}
