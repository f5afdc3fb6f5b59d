using System.Text.Json.Serialization;

namespace Vedette.Kql;

/// <summary>JSON forms this assembly writes, generated at build time.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class KqlJson : JsonSerializerContext;
