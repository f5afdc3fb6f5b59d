using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vedette.Defender.Actions;

namespace Vedette.Defender.LiveResponse;

/// <summary>A command on its way: its arguments and what it prints to.</summary>
internal sealed class ScriptCall
{
    private readonly StringBuilder _printed;
    private readonly StringBuilder _errors;

    /// <summary>Takes words apart into options and values.</summary>
    public ScriptCall(
        ScriptPlace place, ScriptLanguage language, IReadOnlyList<string> switches, IEnumerable<ScriptWord> words, StringBuilder printed, StringBuilder errors)
    {
        (Place, Language, _printed, _errors) = (place, language, printed, errors);
        var list = words.ToArray();
        var values = new List<string>();
        for (var at = 0; at < list.Length; at++)
        {
            var (text, isQuoted) = list[at];
            if (isQuoted || text.Length < 2 || text[0] != '-' || !char.IsLetter(text[1]))
            {
                values.Add(text);
            }
            else if (switches.FirstOrDefault(s => s.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known)
            {
                Options[known] = "";
            }
            else if (language == ScriptLanguage.PowerShell && at + 1 < list.Length)
            {
                Options[text] = list[++at].Text;
            }
            else
            {
                throw new ScriptProblem($"the option '{text}' is not known to simulated devices");
            }
        }

        Values = values;
    }

    public ScriptPlace Place { get; }

    public ScriptLanguage Language { get; }

    /// <summary>Values without a name, in order.</summary>
    public IReadOnlyList<string> Values { get; }

    /// <summary>Options by name, with their dash.</summary>
    public Dictionary<string, string> Options { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Time that the command takes.</summary>
    public TimeSpan Waited { get; set; }

    /// <summary>A value by name or, failing that, by place; null when there is none.</summary>
    public string? Value(string option, int place) => Options.TryGetValue(option, out var named) ? named : place < Values.Count ? Values[place] : null;

    /// <summary>A value that the command cannot do without.</summary>
    public string Needed(string option, int place) => Value(option, place) ?? throw new ScriptProblem($"a value for {option} is missing");

    public bool Print(string line)
    {
        _printed.Append(line).Append('\n');
        return true;
    }

    public bool PrintAsIs(string text)
    {
        _printed.Append(text);
        return true;
    }

    public bool Fail(string line)
    {
        _errors.Append(line).Append('\n');
        return false;
    }

    /// <summary>Tells that a file is not there, in the words of the language.</summary>
    public bool Missing(string command, string path) => Fail(Language == ScriptLanguage.PowerShell
        ? $"{command} : Cannot find path '{Place.Disk.Style.Full(path)}' because it does not exist."
        : $"{command}: {path}: No such file or directory");
}

/// <summary>A command that simulated devices know.</summary>
/// <param name="PowerShell">Its names in PowerShell.</param>
/// <param name="Shell">Its names in a shell.</param>
/// <param name="RunAsync">What it does; false when it failed.</param>
internal sealed record ScriptCommand(IReadOnlyList<string> PowerShell, IReadOnlyList<string> Shell, Func<ScriptCall, ValueTask<bool>> RunAsync)
{
    /// <summary>Options that stand alone.</summary>
    public IReadOnlyList<string> Switches { get; init; } = [];
}

/// <summary>The commands that simulated devices know. All of them work on the device's own files and facts.</summary>
internal static class ScriptCommands
{
    private static readonly ScriptCommand[] All =
    [
        new(["Write-Output", "Write-Host", "echo", "write"], ["echo"], call => new(call.Print(string.Join(' ', call.Values)))),
        new(["Write-Error"], [], call => new(call.Fail(string.Join(' ', call.Values)))),
        new(["Get-Content", "gc", "cat", "type"], ["cat"], ReadAsync) { Switches = ["-Raw"] },
        new(["Set-Content", "sc"], [], call => WriteAsync(call, appends: false)),
        new(["Add-Content", "ac"], [], call => WriteAsync(call, appends: true)),
        new([], ["touch"], Touch),
        new(["Remove-Item", "rm", "del", "ri"], ["rm"], Remove) { Switches = ["-Force", "-f", "-Recurse", "-r", "-rf"] },
        new(["Copy-Item", "cp", "copy"], ["cp"], call => CopyAsync(call, moves: false)) { Switches = ["-Force", "-f"] },
        new(["Move-Item", "mv", "move"], ["mv"], call => CopyAsync(call, moves: true)) { Switches = ["-Force", "-f"] },
        new(["Test-Path"], [], call => new(call.Print(call.Place.Disk.Has(call.Needed("-Path", 0)) ? "True" : "False"))),
        new(["Get-ChildItem", "dir", "ls", "gci"], ["ls"], List) { Switches = ["-Name", "-l", "-a", "-la"] },
        new(["Get-FileHash"], [], call => HashAsync(call, call.Value("-Algorithm", 1) ?? "SHA256")),
        new([], ["sha1sum"], call => HashAsync(call, "SHA1")),
        new([], ["sha256sum"], call => HashAsync(call, "SHA256")),
        new(["hostname"], ["hostname"], call => new(call.Print(call.Language == ScriptLanguage.PowerShell ? call.Place.HostName.Split('.')[0] : call.Place.HostName))),
        new(["whoami"], ["whoami"], call => new(call.Print(call.Language == ScriptLanguage.PowerShell ? @"nt authority\system" : "root"))),
        new(["Get-Location", "pwd"], ["pwd"], call => new(call.Print(call.Place.Disk.Style.WorkingFolder))),
        new([], ["uname"], call => new(call.Print(ActionFacts.FamilyOf(call.Place.Platform) == OsFamily.MacOs ? "Darwin" : "Linux"))),
        new(["Get-Date"], ["date"], call => new(call.Print(call.Place.Now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)))),
        new(["Start-Sleep", "sleep"], ["sleep"], Sleep),
    ];

    private static readonly FrozenDictionary<string, ScriptCommand> PowerShell =
        All.SelectMany(c => c.PowerShell.Select(name => (name, c))).ToFrozenDictionary(p => p.name, p => p.c, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, ScriptCommand> Shell =
        All.SelectMany(c => c.Shell.Select(name => (name, c))).ToFrozenDictionary(p => p.name, p => p.c, StringComparer.Ordinal);

    /// <summary>A command by name; null when it is not known.</summary>
    public static ScriptCommand? Find(ScriptLanguage language, string name) => (language == ScriptLanguage.PowerShell ? PowerShell : Shell).GetValueOrDefault(name);

    /// <summary>Names of all commands of a language.</summary>
    public static IEnumerable<string> Names(ScriptLanguage language) => (language == ScriptLanguage.PowerShell ? PowerShell : Shell).Keys;

    private static async ValueTask<bool> ReadAsync(ScriptCall call)
    {
        var path = call.Needed("-Path", 0);
        if (await call.Place.Disk.ReadAsync(path) is not { } content) return call.Missing(call.Language == ScriptLanguage.PowerShell ? "Get-Content" : "cat", path);
        var text = Encoding.UTF8.GetString(content);
        return call.PrintAsIs(call.Language == ScriptLanguage.PowerShell && text.Length > 0 && !text.EndsWith('\n') ? text + "\n" : text);
    }

    private static async ValueTask<bool> WriteAsync(ScriptCall call, bool appends)
    {
        var path = call.Needed("-Path", 0);
        var before = appends ? await call.Place.Disk.ReadAsync(path) ?? [] : [];
        call.Place.Disk.Write(path, [.. before, .. Encoding.UTF8.GetBytes(call.Needed("-Value", 1) + "\n")]);
        return true;
    }

    private static ValueTask<bool> Touch(ScriptCall call)
    {
        foreach (var path in call.Values)
            if (!call.Place.Disk.Has(path)) call.Place.Disk.Write(path, []);
        return new(true);
    }

    private static ValueTask<bool> Remove(ScriptCall call)
    {
        var path = call.Needed("-Path", 0);
        if (call.Place.Disk.Delete(path) || call.Options.ContainsKey("-f") || call.Options.ContainsKey("-rf")) return new(true);
        return new(call.Missing(call.Language == ScriptLanguage.PowerShell ? "Remove-Item" : "rm", path));
    }

    private static async ValueTask<bool> CopyAsync(ScriptCall call, bool moves)
    {
        var (from, to) = (call.Needed("-Path", 0), call.Needed("-Destination", 1));
        if (await call.Place.Disk.ReadAsync(from) is not { } content) return call.Missing(moves ? "mv" : "cp", from);
        call.Place.Disk.Write(to, content);
        if (moves && call.Place.Disk.Style.Key(call.Place.Disk.Style.Full(from)) != call.Place.Disk.Style.Key(call.Place.Disk.Style.Full(to))) call.Place.Disk.Delete(from);
        return true;
    }

    // Names below a folder, one each line. Folders exist as far as there are files in them.
    private static ValueTask<bool> List(ScriptCall call)
    {
        var style = call.Place.Disk.Style;
        var folder = style.Full(call.Value("-Path", 0) ?? ".");
        var prefix = style.Key(folder).TrimEnd(style.Separator) + style.Separator;
        var names = call.Place.Disk.Files.Where(f => style.Key(f.Path).StartsWith(prefix, StringComparison.Ordinal))
            .Select(f => f.Path[prefix.Length..].Split(style.Separator)[0]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        if (names.Length == 0 && style.Key(folder) != style.Key(style.WorkingFolder)) return new(call.Missing(call.Language == ScriptLanguage.PowerShell ? "Get-ChildItem" : "ls", call.Value("-Path", 0)!));
        foreach (var name in names) call.Print(name);
        return new(true);
    }

    private static async ValueTask<bool> HashAsync(ScriptCall call, string algorithm)
    {
        var path = call.Needed("-Path", 0);
        if (await call.Place.Disk.ReadAsync(path) is not { } content) return call.Missing(call.Language == ScriptLanguage.PowerShell ? "Get-FileHash" : "sha256sum", path);
        var hash = algorithm.ToUpperInvariant() switch
        {
            "SHA1" => DeviceDisks.Sha1(content),
            "SHA256" => Convert.ToHexStringLower(SHA256.HashData(content)),
            _ => throw new ScriptProblem($"the algorithm '{algorithm}' is not known to simulated devices"),
        };
        return call.Language == ScriptLanguage.PowerShell
            ? call.Print($"{algorithm.ToUpperInvariant(),-15} {hash.ToUpperInvariant()}  {call.Place.Disk.Style.Full(path)}")
            : call.Print($"{hash}  {path}");
    }

    private static ValueTask<bool> Sleep(ScriptCall call)
    {
        if (!double.TryParse(call.Needed("-Seconds", 0), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) || seconds is < 0 or > 1_000_000)
            throw new ScriptProblem("a number of seconds is needed");
        call.Waited = TimeSpan.FromSeconds(seconds);
        return new(true);
    }
}
