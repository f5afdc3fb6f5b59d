using System.Globalization;
using Vedette.Defender.State;

namespace Vedette.Defender.Actions;

/// <summary>Checks an order against the table of actions and the device: everything that needs no look at the queue.</summary>
internal static class OrderCheck
{
    private const int LongestComment = 4000;
    private const int MostCommands = 100;

    /// <summary>Keys that each live response command needs (the first) and may have, in the order that the commands must come, and whether it is advanced live response.</summary>
    private static readonly IReadOnlyList<(string Type, string Needed, string? Optional, bool Advanced)> CommandFacts =
        [("PutFile", "FileName", null, true), ("RunScript", "ScriptName", "Args", true), ("GetFile", "Path", null, false)];

    /// <summary>Whether a command changes the device or runs something there, as opposed to one that reads.</summary>
    internal static bool IsAdvanced(LiveResponseCommand command) => CommandFacts.Any(fact => fact.Advanced && fact.Type.Equals(command.Type, StringComparison.OrdinalIgnoreCase));

    /// <summary>The body of an order, whatever the device: the scope in the API's spelling, or why not.</summary>
    internal static Outcome<string?> Body(ActionOrder order)
    {
        var fact = ActionFacts.Table[order.Type];
        if (fact.NeedsComment && string.IsNullOrWhiteSpace(order.Comment)) return new DomainError(Refusal.MissingRequiredParameter, "Comment");
        if (order.Comment?.Length > LongestComment) return new DomainError(Refusal.InvalidInput, "Comment");

        string? scope = null;
        if (fact.Scopes.Count > 0)
        {
            if (string.IsNullOrEmpty(order.Scope))
            {
                if (fact.ScopeRequired) return new DomainError(Refusal.MissingRequiredParameter, fact.ScopeKey);
                scope = fact.Scopes[0].Name;
            }
            else
            {
                scope = fact.Scopes.FirstOrDefault(s => s.Name.Equals(order.Scope, StringComparison.OrdinalIgnoreCase))?.Name;
                if (scope is null) return new DomainError(Refusal.InvalidInput, fact.ScopeKey);
            }
        }

        if (order.Type == MachineActionType.StopAndQuarantineFile)
        {
            if (string.IsNullOrEmpty(order.Sha1)) return new DomainError(Refusal.MissingRequiredParameter, "Sha1");
            if (order.Sha1.Length != 40 || !order.Sha1.All(char.IsAsciiHexDigit)) return new DomainError(Refusal.InvalidHashValue, order.Sha1);
        }

        if (order.Type == MachineActionType.LiveResponse && Commands(order.Commands) is { } wrong) return wrong;
        return scope;
    }

    /// <summary>Whether the device can do it; null means yes.</summary>
    internal static DomainError? Device(ActionOrder order, string? scope, Machine machine)
    {
        var fact = ActionFacts.Table[order.Type];
        var chosen = fact.Scopes.FirstOrDefault(s => s.Name == scope);
        var systems = chosen?.Systems ?? fact.Systems;
        var family = ActionFacts.FamilyOf(machine.OsPlatform);
        if ((systems & family) == 0 && !(family == OsFamily.None && chosen is { Onboarded: false })) return new DomainError(Refusal.OsPlatformNotSupported, machine.OsPlatform);

        var release = Math.Max(fact.Windows10Release, chosen?.Windows10Release ?? 0);
        if (machine.OsPlatform.Equals("Windows10", StringComparison.OrdinalIgnoreCase)
            && int.TryParse(machine.Version, NumberStyles.None, CultureInfo.InvariantCulture, out var has) && has < release)
        {
            return new DomainError(Refusal.ClientVersionNotSupported, order.Type.ToString(), release.ToString(CultureInfo.InvariantCulture));
        }

        var onboarded = machine.OnboardingStatus == OnboardingStatus.Onboarded;
        var contained = order.Type == MachineActionType.Unisolate && machine.Isolation == IsolationState.Contained;
        if ((chosen?.Onboarded ?? true) == onboarded || contained) return null;
        return new DomainError(
            Refusal.DisallowedOperation,
            onboarded
                ? $"Operation {order.Type} with {fact.ScopeKey} {scope} is not allowed: machine {machine.Id} is managed."
                : $"Operation {order.Type} is not allowed: machine {machine.Id} is not onboarded.");
    }

    private static DomainError? Commands(IReadOnlyList<LiveResponseCommand> commands)
    {
        if (commands.Count == 0) return new DomainError(Refusal.MissingRequiredParameter, "Commands");
        if (commands.Count > MostCommands) return new DomainError(Refusal.MaximumBatchSizeExceeded, $"{commands.Count}", $"{MostCommands}");
        var reached = 0;
        foreach (var command in commands)
        {
            var place = CommandFacts.ToList().FindIndex(f => f.Type.Equals(command.Type, StringComparison.OrdinalIgnoreCase));
            if (place < 0) return new DomainError(Refusal.InvalidInput, $"Commands: {command.Type}");
            if (place < reached) return new DomainError(Refusal.InvalidInput, "Commands: the order must be PutFile, RunScript, GetFile");
            reached = place;
            var fact = CommandFacts[place];
            var needed = command.Params.FirstOrDefault(p => p.Key.Equals(fact.Needed, StringComparison.OrdinalIgnoreCase));
            if (string.IsNullOrWhiteSpace(needed?.Value)) return new DomainError(Refusal.MissingRequiredParameter, fact.Needed);
        }

        return null;
    }
}
