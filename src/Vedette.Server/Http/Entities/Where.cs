using NpgsqlTypes;

namespace Vedette.Server.Http.Entities;

/// <summary>Conditions that handlers add to a statement.</summary>
internal static class Where
{
    /// <summary>An expression equals a text.</summary>
    public static SqlCondition Equals(string expression, string value) =>
        sql => sql.Add($" AND {expression} = {sql.Parameter(value, NpgsqlDbType.Text)}");

    /// <summary>An expression equals a GUID.</summary>
    public static SqlCondition Equals(string expression, Guid value) =>
        sql => sql.Add($" AND {expression} = {sql.Parameter(value, NpgsqlDbType.Uuid)}");

    /// <summary>An expression is one of several texts.</summary>
    public static SqlCondition In(string expression, IEnumerable<string> values) =>
        sql => sql.Add($" AND {expression} = ANY({sql.Parameter(values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text)})");
}
