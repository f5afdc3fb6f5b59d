namespace Vedette.Foundation.Postgres;

/// <summary>The embedded PostgreSQL could not be made or started.</summary>
public sealed class PostgresStartException(string message, Exception? inner = null) : Exception(message, inner);
