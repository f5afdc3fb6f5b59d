namespace Vedette.Kql;

/// <summary>The scalar types of the Kusto Query Language.</summary>
public enum KqlType
{
    /// <summary>Not known at compile time, or the result of a failed binding.</summary>
    Unknown,
    Bool,
    Int,
    Long,
    Real,
    Decimal,
    String,
    DateTime,
    TimeSpan,
    Guid,
    Dynamic,
}
