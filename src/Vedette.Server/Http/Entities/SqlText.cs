using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Vedette.Server.Http.Entities;

/// <summary>A statement under construction with its positional parameters.</summary>
internal sealed class SqlText
{
    private readonly StringBuilder _text = new(1024);
    private readonly List<NpgsqlParameter> _parameters = [];

    /// <summary>Appends text.</summary>
    public SqlText Add(string text)
    {
        _text.Append(text);
        return this;
    }

    /// <summary>Appends another statement's way of writing itself.</summary>
    public SqlText Add(Action<SqlText> write)
    {
        write(this);
        return this;
    }

    /// <summary>Adds a value and returns the placeholder that stands for it.</summary>
    public string Parameter<T>(T value, NpgsqlDbType? type = null)
    {
        var parameter = new NpgsqlParameter<T> { TypedValue = value };
        if (type is { } known) parameter.NpgsqlDbType = known;
        _parameters.Add(parameter);
        return "$" + _parameters.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The values, in the order of their placeholders.</summary>
    public IReadOnlyList<NpgsqlParameter> Parameters => _parameters;

    /// <summary>The command that runs the statement.</summary>
    public NpgsqlCommand ToCommand(NpgsqlDataSource database)
    {
        var command = database.CreateCommand(_text.ToString());
        foreach (var parameter in _parameters) command.Parameters.Add(parameter);
        return command;
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
