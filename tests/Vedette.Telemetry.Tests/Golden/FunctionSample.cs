using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Kql.Symbols;

namespace Vedette.Telemetry.Tests.Golden;

/// <summary>A call of a scalar function that a recorded query makes.</summary>
/// <param name="Name">The function.</param>
/// <param name="Arguments">Its arguments, as they are written.</param>
internal sealed partial record FunctionSample(string Name, IReadOnlyList<string> Arguments)
{
    private const int PerFunction = 6;

    /// <summary>Up to some calls of each scalar function whose arguments need no row.</summary>
    public static IReadOnlyList<FunctionSample> All { get; } = [.. Find()];

    /// <summary>The call.</summary>
    public string Text => $"{Name}({string.Join(", ", Arguments)})";

    private static IEnumerable<FunctionSample> Find()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var block in GoldenBlock.Files.SelectMany(GoldenBlock.Read).Where(b => !b.Expected.StartsWith("error:", StringComparison.Ordinal)))
        {
            foreach (Match match in CallHead().Matches(block.Query))
            {
                var name = match.Groups[1].Value;
                if (!FunctionTable.Scalars.ContainsKey(name) || counts.GetValueOrDefault(name) >= PerFunction || Split(block.Query, match.Index + match.Length) is not { } arguments)
                    continue;
                var sample = new FunctionSample(name, arguments);
                if (seen.Add(sample.Text) && KqlCompiler.Bind("print r = " + sample.Text, KqlSchema.Empty).Succeeded)
                {
                    counts[name] = counts.GetValueOrDefault(name) + 1;
                    yield return sample;
                }
            }
        }
    }

    /// <summary>The arguments behind an opening parenthesis; null when they do not end.</summary>
    private static List<string>? Split(string text, int start)
    {
        var (arguments, from, depth) = (new List<string>(), start, 0);
        for (var i = start; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"' or '\'':
                {
                    var (quote, verbatim) = (text[i], i > 0 && text[i - 1] == '@');
                    for (i++; i < text.Length && (text[i] != quote || (verbatim && i + 1 < text.Length && text[i + 1] == quote)); i++)
                    {
                        if (text[i] == '\\' && !verbatim)
                            i++;
                        else if (verbatim && text[i] == quote)
                            i++;
                    }

                    break;
                }

                case '(' or '[' or '{':
                    depth++;
                    break;
                case ')' when depth == 0:
                    if (text[from..i].Trim() is { Length: > 0 } last)
                        arguments.Add(last);
                    return arguments;
                case ')' or ']' or '}':
                    depth--;
                    break;
                case ',' when depth == 0:
                    arguments.Add(text[from..i].Trim());
                    from = i + 1;
                    break;
            }
        }

        return null;
    }

    [GeneratedRegex(@"\b([a-z_][a-z0-9_]*)\(")]
    private static partial Regex CallHead();
}
