using System.Text;
using System.Text.RegularExpressions;
using Vedette.Telemetry.Import.Reading;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Import.Tables;

/// <summary>How a file holds rows of hunting tables.</summary>
internal enum TableForm
{
    /// <summary>JSON objects whose members are columns: lines, a list, or the answer of a hunting query.</summary>
    Rows,

    /// <summary>Records of the streaming API, each naming its table.</summary>
    Records,

    /// <summary>Separated values with a line of column names.</summary>
    Separated,
}

/// <summary>A file that holds rows of hunting tables.</summary>
/// <param name="Form">How.</param>
/// <param name="Table">The table of all its rows; null when records name their own.</param>
internal sealed record TableFile(TableForm Form, HuntingTable? Table)
{
    private static readonly Dictionary<string, HuntingTable> ByName = HuntingSchema.Tables.Values.ToDictionary(table => table.Name, StringComparer.OrdinalIgnoreCase);
    private static readonly Regex Record = new("\"category\"\\s*:\\s*\"AdvancedHunting-", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);
    private static readonly Regex Answer = new("^\\s*\\{\\s*\"(schema|results|stats|@odata\\.context)\"\\s*:", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);

    /// <summary>A table by its name, whatever its case; null when there is none.</summary>
    public static HuntingTable? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>What a file is, by its content and its name; null when it is no export of hunting tables.</summary>
    /// <param name="path">The file.</param>
    /// <param name="table">The table that the user names; null leaves it to the file's name.</param>
    /// <param name="limits">Bounds.</param>
    /// <exception cref="InvalidDataException">It is an answer of a query, and nothing tells which table its rows belong to; or a damaged archive.</exception>
    public static TableFile? Recognise(string path, HuntingTable? table, ImportLimits limits)
    {
        using var handle = LogFiles.Open(path, limits);
        if (handle.Members.Count == 0) return null;
        var head = Head(handle.Members[0]);
        if (head.Length == 0) return table is null ? null : new TableFile(TableForm.Rows, table);
        if (head.TrimStart() is ['{' or '[', ..] && Record.IsMatch(head)) return new TableFile(TableForm.Records, null);
        table ??= Named(Path.GetFileName(path)) ?? Named(handle.Members[0].Name[(handle.Members[0].Name.LastIndexOfAny(['!', '/']) + 1)..]);
        if (table is not null) return new TableFile(head.TrimStart() is ['{' or '[', ..] ? TableForm.Rows : TableForm.Separated, table);
        return Answer.IsMatch(head)
            ? throw new InvalidDataException("this is the answer of a hunting query, which names no table: say which with --table, or name the file after it")
            : null;
    }

    // EmailEvents.jsonl, EmailEvents-2026-11.json.gz, emailevents (1).csv
    private static HuntingTable? Named(string name)
    {
        var letters = name.TakeWhile(char.IsAsciiLetter).Count();
        return Find(name[..letters]);
    }

    private static string Head(LogMember member)
    {
        using var stream = member.Open();
        var buffer = new byte[16 * 1024];
        var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return Encoding.UTF8.GetString(buffer, 0, length).TrimStart('\uFEFF');
    }
}
