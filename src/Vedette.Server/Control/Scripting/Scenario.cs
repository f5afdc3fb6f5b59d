using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Vedette.Server.Control.Scripting;

/// <summary>
/// A YAML file with steps that bring a server into a wanted state before its ports open. Each step is an operation of the control API; the whole
/// file is checked before the first step runs.
/// </summary>
internal sealed class Scenario
{
    private const long LargestFile = 1 << 20;

    // A step's name, the operation that it runs, and the argument that a bare value stands for.
    private static readonly Dictionary<string, (string Operation, string? Bare)> Steps = new(StringComparer.Ordinal)
    {
        ["reset"] = ("data.reset", null),
        ["seed"] = ("data.seed", null),
        ["generate"] = ("data.generate", null),
        ["import"] = ("import", null),
        ["restore"] = ("snapshots.restore", "name"),
        ["snapshot"] = ("snapshots.take", "name"),
        ["clock"] = ("clock.set", "time"),
        ["timing"] = ("timing.set", "timing"),
        ["fault"] = ("faults.add", null),
        ["quotas"] = ("quotas.set", "mode"),
    };

    private readonly IReadOnlyList<Step> _steps;
    private readonly string _file;

    private Scenario(string file, IReadOnlyList<Step> steps)
    {
        _file = file;
        _steps = steps;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="OperationException">It cannot be read, or is not a scenario; the message names the line.</exception>
    public static Scenario Load(string file)
    {
        try
        {
            if (new FileInfo(file).Length > LargestFile) throw new OperationException("bad_input", $"{file} is larger than {LargestFile} bytes.");
            using var reader = File.OpenText(file);
            var yaml = new YamlStream();
            yaml.Load(reader);
            if (yaml.Documents is not [{ RootNode: YamlMappingNode root }]
                || root.Children is not { Count: 1 } members || members.Single() is not (YamlScalarNode { Value: "steps" }, YamlSequenceNode list))
            {
                throw new OperationException("bad_input", $"{file}: a scenario is a mapping with the one member 'steps', a list.");
            }

            return new Scenario(file, [.. list.Children.Select(node => Read(file, node))]);
        }
        catch (YamlException exception)
        {
            throw new OperationException("bad_input", $"{file}({exception.Start.Line},{exception.Start.Column}): {exception.Message}", exception);
        }
        catch (FileNotFoundException exception)
        {
            throw new OperationException("bad_input", $"There is no scenario file '{file}'.", exception);
        }
    }

    /// <summary>Checks all steps, then runs them in their order.</summary>
    /// <exception cref="OperationException">A step is wrong or failed; the message names its line.</exception>
    public async Task RunAsync(OperationRegistry operations, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        foreach (var step in _steps) Located(step, () => operations.Get(step.Operation).Check(step.Input));
        foreach (var step in _steps)
        {
            progress.Report(new OperationProgress($"Scenario: {step.Name}", 0, null));
            try
            {
                await operations.Get(step.Operation).RunAsync(step.Input, progress, cancellationToken);
            }
            catch (OperationException exception)
            {
                throw At(step, exception);
            }
        }
    }

    private void Located(Step step, Action check)
    {
        try
        {
            check();
        }
        catch (OperationException exception)
        {
            throw At(step, exception);
        }
    }

    private OperationException At(Step step, OperationException exception) => new(exception.Code, $"{_file}({step.Line}): {step.Name}: {exception.Message}", exception);

    private static Step Read(string file, YamlNode node)
    {
        // A step without arguments may be its bare name.
        var (name, value) = node switch
        {
            YamlScalarNode { Value: { } bare } => (bare, new YamlMappingNode()),
            YamlMappingNode { Children: { Count: 1 } only } when only.Single().Key is YamlScalarNode { Value: { } named } => (named, only.Single().Value),
            _ => throw new OperationException("bad_input", $"{file}({node.Start.Line}): a step is a name with its arguments, for instance '- seed' or '- clock: {{ frozen: true }}'."),
        };
        if (!Steps.TryGetValue(name, out var step))
            throw new OperationException("bad_input", $"{file}({node.Start.Line}): there is no step '{name}'; there are {string.Join(", ", Steps.Keys)}.");
        var input = Json(value) switch
        {
            JsonObject arguments => arguments,
            null => [],
            { } bare when step.Bare is { } argument => new JsonObject { [argument] = bare },
            _ => throw new OperationException("bad_input", $"{file}({node.Start.Line}): {name} takes arguments by name."),
        };
        return new Step(name, step.Operation, JsonSerializer.SerializeToElement(input, OperationJson.Options), node.Start.Line);
    }

    private static JsonNode? Json(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value ?? "", Json(pair.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Json)]),
        YamlScalarNode { Style: not ScalarStyle.Plain } quoted => JsonValue.Create(quoted.Value),
        YamlScalarNode { Value: null or "" or "null" or "~" } => null,
        YamlScalarNode { Value: "true" or "false" } flag => JsonValue.Create(flag.Value == "true"),
        YamlScalarNode scalar when long.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
        YamlScalarNode scalar when double.TryParse(scalar.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) => JsonValue.Create(real),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => null,
    };

    private sealed record Step(string Name, string Operation, JsonElement Input, long Line);
}
