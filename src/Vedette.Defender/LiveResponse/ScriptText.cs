using System.Text;

namespace Vedette.Defender.LiveResponse;

/// <summary>Languages of scripts.</summary>
internal enum ScriptLanguage
{
    /// <summary>Files ending in <c>.ps1</c>.</summary>
    PowerShell,

    /// <summary>Files ending in <c>.sh</c>.</summary>
    Shell,
}

/// <summary>A script uses something that simulated devices do not have. The session's step fails with this text.</summary>
internal sealed class ScriptProblem(string message) : Exception(message);

/// <summary>A word of a statement.</summary>
/// <param name="Text">The word after variables and quotes were taken out.</param>
/// <param name="IsQuoted">Whether any of it was quoted: a quoted word is never an option.</param>
internal readonly record struct ScriptWord(string Text, bool IsQuoted);

/// <summary>One statement, ready to be run.</summary>
/// <param name="Words">Command and arguments.</param>
/// <param name="Target">File that the output goes to; null for the session's output.</param>
/// <param name="Appends">Whether the output is added to that file.</param>
internal sealed record ScriptStatement(IReadOnlyList<ScriptWord> Words, string? Target, bool Appends);

/// <summary>Cuts scripts into lines, statements and words.</summary>
internal static class ScriptText
{
    // Pipes, substitutions, blocks, patterns: what these mean is beyond a simulated device, and passing over them would give wrong results.
    private const string Unsupported = "|&(){}<`*?[]";

    /// <summary>The statements of a script with their line numbers, comments left out.</summary>
    public static IEnumerable<(int Line, string Text)> Statements(string script)
    {
        var number = 0;
        foreach (var line in script.TrimStart('\uFEFF').Split('\n'))
        {
            number++;
            foreach (var statement in Cut(line.TrimEnd('\r')))
                if (statement.Length > 0) yield return (number, statement);
        }
    }

    /// <summary>Reads a statement.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="language">Decides how a quote is escaped.</param>
    /// <param name="variable">Gives the value of a variable.</param>
    /// <exception cref="ScriptProblem">It has a form that is not understood.</exception>
    public static ScriptStatement Read(string text, ScriptLanguage language, Func<string, string> variable)
    {
        var words = new List<ScriptWord>();
        string? target = null;
        var appends = false;
        var at = 0;
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
            if (at == text.Length) break;
            if (text[at] == '>')
            {
                appends = at + 1 < text.Length && text[at + 1] == '>';
                at += appends ? 2 : 1;
                while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
                target = Word(text, ref at, language, variable).Text;
                if (target.Length == 0) throw new ScriptProblem("a redirection needs a file");
                continue;
            }

            words.Add(Word(text, ref at, language, variable));
        }

        return new ScriptStatement(words, target, appends);
    }

    private static ScriptWord Word(string text, ref int at, ScriptLanguage language, Func<string, string> variable)
    {
        var word = new StringBuilder();
        var quoted = false;
        var escape = language == ScriptLanguage.PowerShell ? '`' : '\\';
        while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] != '>')
        {
            var c = text[at];
            if (c == '\'')
            {
                quoted = true;
                var end = text.IndexOf('\'', at + 1);
                if (end < 0) throw new ScriptProblem("a text has no end");
                word.Append(text, at + 1, end - at - 1);
                at = end + 1;
            }
            else if (c == '"')
            {
                quoted = true;
                at++;
                while (at < text.Length && text[at] != '"')
                {
                    if (text[at] == escape && at + 1 < text.Length)
                    {
                        word.Append(Escaped(text[at + 1], language));
                        at += 2;
                    }
                    else if (text[at] == '$')
                    {
                        Variable(text, ref at, variable, word);
                    }
                    else
                    {
                        word.Append(text[at++]);
                    }
                }

                if (at == text.Length) throw new ScriptProblem("a text has no end");
                at++;
            }
            else if (c == '$')
            {
                Variable(text, ref at, variable, word);
            }
            else if (c == escape && language == ScriptLanguage.Shell && at + 1 < text.Length)
            {
                word.Append(text[at + 1]);
                at += 2;
            }
            else if (Unsupported.Contains(c, StringComparison.Ordinal))
            {
                throw new ScriptProblem($"'{c}' is not understood by simulated devices");
            }
            else
            {
                word.Append(c);
                at++;
            }
        }

        return new ScriptWord(word.ToString(), quoted);
    }

    private static char Escaped(char c, ScriptLanguage language) => (language, c) switch
    {
        (ScriptLanguage.PowerShell, 'n') => '\n',
        (ScriptLanguage.PowerShell, 't') => '\t',
        _ => c,
    };

    // $name, ${name}, $env:name, $args[0], $1, $@, $#
    private static void Variable(string text, ref int at, Func<string, string> variable, StringBuilder word)
    {
        at++;
        if (at == text.Length || (!char.IsLetterOrDigit(text[at]) && !"_{@#".Contains(text[at], StringComparison.Ordinal)))
        {
            if (at < text.Length && text[at] == '(') throw new ScriptProblem("'$(' is not understood by simulated devices");
            word.Append('$');
            return;
        }

        string name;
        if (text[at] == '{')
        {
            var end = text.IndexOf('}', at);
            if (end < 0) throw new ScriptProblem("'${' has no end");
            name = text[(at + 1)..end];
            at = end + 1;
        }
        else if (text[at] is '@' or '#')
        {
            name = text[at++].ToString();
        }
        else
        {
            var start = at;
            while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] == '_' || (text[at] == ':' && text[start..at].Equals("env", StringComparison.OrdinalIgnoreCase)))) at++;
            name = text[start..at];
            if (name.Equals("args", StringComparison.OrdinalIgnoreCase) && at < text.Length && text[at] == '[')
            {
                var end = text.IndexOf(']', at);
                if (end < 0) throw new ScriptProblem("'$args[' has no end");
                name = text[start..(end + 1)];
                at = end + 1;
            }
        }

        word.Append(variable(name));
    }

    private static IEnumerable<string> Cut(string line)
    {
        var start = 0;
        var quote = '\0';
        for (var at = 0; at < line.Length; at++)
        {
            var c = line[at];
            if (quote != '\0')
            {
                if (c == quote) quote = '\0';
            }
            else if (c is '\'' or '"')
            {
                quote = c;
            }
            else if (c == '#' && (at == 0 || char.IsWhiteSpace(line[at - 1])))
            {
                yield return line[start..at].Trim();
                yield break;
            }
            else if (c == ';')
            {
                yield return line[start..at].Trim();
                start = at + 1;
            }
        }

        yield return line[start..].Trim();
    }
}
