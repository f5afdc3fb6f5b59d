namespace Vedette.Telemetry.Import.Mapping;

/// <summary>Takes apart the texts in which PowerShell logs what a pipeline did.</summary>
internal static class PowerShellText
{
    private const string Invocation = "CommandInvocation(";
    private const int MaxCommands = 256;

    /// <summary>The commands that a pipeline invoked, in order.</summary>
    public static List<string> Commands(string payload)
    {
        var commands = new List<string>();
        for (var at = payload.IndexOf(Invocation, StringComparison.Ordinal); at >= 0 && commands.Count < MaxCommands;
            at = payload.IndexOf(Invocation, at + 1, StringComparison.Ordinal))
        {
            // Only at the start of a line: a bound value may quote the words.
            if (at > 0 && payload[at - 1] is not ('\n' or '\r')) continue;
            var start = at + Invocation.Length;
            var end = payload.IndexOf("):", start, StringComparison.Ordinal);
            if (end < 0) break;
            commands.Add(payload[start..end]);
        }

        return commands;
    }

    /// <summary>The text of the pipeline that event 800 quotes; null when the message has another form.</summary>
    public static string? Pipeline(string message)
    {
        const string lead = "Pipeline execution details for command line:";
        if (!message.StartsWith(lead, StringComparison.Ordinal)) return null;
        var end = message.IndexOf("Context Information:", StringComparison.Ordinal);
        var text = (end < 0 ? message[lead.Length..] : message[lead.Length..end]).Trim();
        return (text.EndsWith('.') ? text[..^1] : text).Trim();
    }

    /// <summary>The details of event 800; null when it has none.</summary>
    public static string? Details(string message)
    {
        const string lead = "Details:";
        var at = message.LastIndexOf(lead, StringComparison.Ordinal);
        if (at < 0) return null;
        var text = message[(at + lead.Length)..].Trim();
        return text.Length == 0 ? null : text;
    }
}
