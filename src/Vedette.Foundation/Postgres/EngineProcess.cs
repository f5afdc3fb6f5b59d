using System.Diagnostics;

namespace Vedette.Foundation.Postgres;

/// <summary>
/// A child process that ends when this process ends, even by SIGKILL, and that a Ctrl-C in the terminal does not reach.
/// </summary>
internal sealed class EngineProcess
{
    private const int KeptLines = 40;
    private readonly Queue<string> _lines = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string? _readyText;
    private readonly Action<string>? _log;

    private EngineProcess(string? readyText, Action<string>? log)
    {
        _readyText = readyText;
        _log = log;
    }

    /// <summary>Completes when the process has written the text that means ready.</summary>
    internal Task Ready => _ready.Task;

    /// <summary>Completes with the exit code.</summary>
    internal Task<int> Ended => _ended.Task;

    /// <summary>The process's identifier.</summary>
    internal int Id { get; private set; }

    /// <summary>The last lines that it wrote, for error messages.</summary>
    internal string LastWords
    {
        get
        {
            lock (_lines) return string.Join('\n', _lines);
        }
    }

    /// <summary>Starts a program.</summary>
    /// <param name="program">Path of the program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="account">Whom to become, or null to stay.</param>
    /// <param name="deathSignal">What the program gets when this process ends: INT, QUIT or KILL.</param>
    /// <param name="workingFolder">A folder that the account can enter.</param>
    /// <param name="readyText">The text on its output that means ready.</param>
    /// <param name="log">Receives every line.</param>
    internal static EngineProcess Start(
        string program,
        IEnumerable<string> arguments,
        Account? account,
        string deathSignal,
        string workingFolder,
        string? readyText = null,
        Action<string>? log = null)
    {
        var engine = new EngineProcess(readyText, log);
        var command = Wrap(program, arguments, account, deathSignal);
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = workingFolder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        start.Environment["LC_ALL"] = "C";
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal)).ToArray()) start.Environment.Remove(name);

        // The death signal comes when the *thread* that forked ends, so that thread must live as long as the child.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => engine.Run(start, started)) { IsBackground = true, Name = Path.GetFileName(program) }.Start();
        started.Task.GetAwaiter().GetResult();
        return engine;
    }

    /// <summary>Sends a signal, if the process still runs.</summary>
    internal void Signal(int signal)
    {
        if (!Ended.IsCompleted) Posix.Signal(Id, signal);
    }

    private static List<string> Wrap(string program, IEnumerable<string> arguments, Account? account, string deathSignal)
    {
        var command = new List<string>();
        if (OperatingSystem.IsLinux() && Find("setpriv") is { } setPrivileges)
        {
            if (Find("setsid") is { } ownSession) command.Add(ownSession);
            command.AddRange([setPrivileges, "--pdeathsig", deathSignal]);
            if (account is not null)
            {
                command.AddRange([$"--reuid={account.UserId}", $"--regid={account.GroupId}", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]);
            }

            command.Add("--");
        }
        else if (account is not null)
        {
            throw new PostgresStartException("PostgreSQL does not run as root, and the program setpriv (package util-linux) is missing: install it, or start the server as an ordinary user.");
        }

        return [.. command, program, .. arguments];
    }

    private static string? Find(string program) =>
        new[] { "/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin" }.Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);

    private void Run(ProcessStartInfo start, TaskCompletionSource started)
    {
        try
        {
            using var process = new Process { StartInfo = start };
            process.OutputDataReceived += (_, line) => Hear(line.Data);
            process.ErrorDataReceived += (_, line) => Hear(line.Data);
            process.Start();
            Id = process.Id;
            process.StandardInput.Close();
            process.BeginErrorReadLine();
            process.BeginOutputReadLine();
            started.SetResult();
            process.WaitForExit();
            _ended.TrySetResult(process.ExitCode);
        }
        catch (Exception exception)
        {
            if (!started.TrySetException(new PostgresStartException($"{start.FileName} cannot be started: {exception.Message}", exception)))
            {
                _ended.TrySetException(exception);
            }
        }
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines) _lines.Dequeue();
        }

        if (_readyText is not null && line.Contains(_readyText, StringComparison.Ordinal)) _ready.TrySetResult();
        _log?.Invoke(line);
    }
}
