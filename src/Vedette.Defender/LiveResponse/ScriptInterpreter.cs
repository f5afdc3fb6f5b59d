using System.Text;
using System.Text.RegularExpressions;

namespace Vedette.Defender.LiveResponse;

/// <summary>How a script ended.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">What it printed.</param>
/// <param name="Errors">What it printed as errors.</param>
/// <param name="Took">How long it would have taken: simulated devices do not wait.</param>
internal sealed record ScriptResult(int ExitCode, string Output, string Errors, TimeSpan Took);

/// <summary>Where a script runs.</summary>
/// <param name="Disk">The device's files.</param>
/// <param name="HostName">The device's name.</param>
/// <param name="Platform">The device's platform.</param>
/// <param name="Now">Start of the script, UTC.</param>
internal sealed record ScriptPlace(DeviceDisk Disk, string HostName, string Platform, DateTime Now);

/// <summary>
/// Runs scripts on simulated devices: the commands of <see cref="ScriptCommands"/>, variables, quotes, redirections to files. Everything else
/// ends the script with a problem that names it, because output that nobody computed must not look like a result.
/// The page docs/live-response.md lists what is understood.
/// </summary>
internal sealed partial class ScriptInterpreter
{
    /// <summary>Longest run of a script. Source: the service's page on live response.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private const int MostStatements = 10_000;
    private const int MostOutput = 1024 * 1024;

    private readonly ScriptPlace _place;
    private readonly ScriptLanguage _language;
    private readonly IReadOnlyList<string> _arguments;
    private readonly Dictionary<string, string> _variables;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private TimeSpan _took;

    private ScriptInterpreter(ScriptPlace place, ScriptLanguage language, IReadOnlyList<string> arguments)
    {
        (_place, _language, _arguments) = (place, language, arguments);
        _variables = new(language == ScriptLanguage.PowerShell ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
    }

    /// <summary>Runs a script.</summary>
    /// <exception cref="ScriptProblem">It uses something that simulated devices do not have, or takes too long.</exception>
    public static async Task<ScriptResult> RunAsync(ScriptPlace place, ScriptLanguage language, string script, string? arguments)
    {
        var words = ScriptText.Read(arguments ?? "", language, name => "$" + name).Words;
        return await new ScriptInterpreter(place, language, [.. words.Select(w => w.Text)]).RunAsync(script);
    }

    private async Task<ScriptResult> RunAsync(string script)
    {
        var status = 0;
        var ran = 0;
        foreach (var (line, text) in ScriptText.Statements(script))
        {
            if (++ran > MostStatements) throw new ScriptProblem($"The script has more than {MostStatements} statements.");
            try
            {
                if (Bind(text)) continue;
                var statement = ScriptText.Read(text, _language, Value);
                if (statement.Words.Count == 0) continue;
                var name = statement.Words[0].Text;
                if (name.Equals("exit", StringComparison.OrdinalIgnoreCase))
                    return Result(statement.Words.Count > 1 && int.TryParse(statement.Words[1].Text, out var code) ? code : status);
                status = await RunAsync(name, statement) ? 0 : 1;
            }
            catch (ScriptProblem problem)
            {
                throw new ScriptProblem($"Line {line}: {problem.Message}.");
            }
            catch (DiskFullException full)
            {
                throw new ScriptProblem($"Line {line}: {full.Message}");
            }

            if (_took > Longest) throw new ScriptProblem($"The script was ended after {Longest.TotalMinutes:0} minutes.");
            if (_output.Length + _errors.Length > MostOutput) throw new ScriptProblem($"The script printed more than {MostOutput} characters.");
        }

        // Errors of PowerShell commands do not end a script and leave its exit code alone; a shell's script ends with its last command's.
        return Result(_language == ScriptLanguage.Shell ? status : 0);
    }

    private ScriptResult Result(int exitCode) => new(exitCode, _output.ToString(), _errors.ToString(), _took);

    private async Task<bool> RunAsync(string name, ScriptStatement statement)
    {
        var command = ScriptCommands.Find(_language, name) ?? throw new ScriptProblem($"'{name}' is not known to simulated devices");
        var printed = new StringBuilder();
        var call = new ScriptCall(_place, _language, command.Switches, statement.Words.Skip(1), printed, _errors);
        var succeeded = await command.RunAsync(call);
        _took += call.Waited;
        if (statement.Target is not { } target)
        {
            _output.Append(printed);
            return succeeded;
        }

        var before = statement.Appends ? await _place.Disk.ReadAsync(target) ?? [] : [];
        _place.Disk.Write(target, [.. before, .. Encoding.UTF8.GetBytes(printed.ToString())]);
        return succeeded;
    }

    // Assignments, and the parameters that a PowerShell script declares.
    private bool Bind(string text)
    {
        if (_language == ScriptLanguage.PowerShell && Parameters().Match(text) is { Success: true } declared)
        {
            var names = VariableName().Matches(declared.Groups[1].Value).Select(m => m.Groups[1].Value).ToArray();
            var positional = new Queue<string>();
            for (var i = 0; i < _arguments.Count; i++)
            {
                var named = names.FirstOrDefault(n => _arguments[i].Equals("-" + n, StringComparison.OrdinalIgnoreCase));
                if (named is not null && i + 1 < _arguments.Count) _variables[named] = _arguments[++i];
                else positional.Enqueue(_arguments[i]);
            }

            foreach (var name in names.Where(n => !_variables.ContainsKey(n))) _variables[name] = positional.TryDequeue(out var value) ? value : "";
            return true;
        }

        var assignment = _language == ScriptLanguage.PowerShell ? PowerShellAssignment().Match(text) : ShellAssignment().Match(text);
        if (!assignment.Success) return false;
        var words = ScriptText.Read(assignment.Groups[2].Value, _language, Value);
        if (words.Words.Count > 1 || words.Target is not null) throw new ScriptProblem("only a single value can be assigned on simulated devices");
        _variables[assignment.Groups[1].Value] = words.Words.Count == 0 ? "" : words.Words[0].Text;
        return true;
    }

    private string Value(string name)
    {
        if (_variables.TryGetValue(name, out var value)) return value;
        if (_language == ScriptLanguage.Shell)
        {
            return name switch
            {
                "@" => string.Join(' ', _arguments),
                "#" => _arguments.Count.ToString(System.Globalization.CultureInfo.InvariantCulture),
                "HOSTNAME" => _place.HostName,
                "USER" => "root",
                "PWD" => _place.Disk.Style.WorkingFolder,
                _ when int.TryParse(name, out var place) => place > 0 && place <= _arguments.Count ? _arguments[place - 1] : "",
                _ => "",
            };
        }

        if (ArgumentAt().Match(name) is { Success: true } at)
            return int.TryParse(at.Groups[1].Value, out var place) && place < _arguments.Count ? _arguments[place] : "";
        return name.ToLowerInvariant() switch
        {
            "args" => string.Join(' ', _arguments),
            "env:computername" => _place.HostName.Split('.')[0].ToUpperInvariant(),
            "env:username" => "SYSTEM",
            "pwd" => _place.Disk.Style.WorkingFolder,
            "true" => "True",
            "false" => "False",
            _ => "",
        };
    }

    [GeneratedRegex(@"^param\s*\((.*)\)$", RegexOptions.IgnoreCase)]
    private static partial Regex Parameters();

    [GeneratedRegex(@"\$(\w+)")]
    private static partial Regex VariableName();

    [GeneratedRegex(@"^\$(\w+)\s*=\s*(.*)$")]
    private static partial Regex PowerShellAssignment();

    [GeneratedRegex(@"^([A-Za-z_]\w*)=(.*)$")]
    private static partial Regex ShellAssignment();

    [GeneratedRegex(@"^args\[(\d+)\]$", RegexOptions.IgnoreCase)]
    private static partial Regex ArgumentAt();
}
