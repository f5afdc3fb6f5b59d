using System.Text;
using System.Xml;
using Microsoft.OData.Edm;
using Microsoft.OData.Edm.Csdl;
using Vedette.Server.Http;
using Vedette.Server.Http.OData;

namespace Vedette.Server.ThreatProtection;

/// <summary>
/// Describes the entities behind the prefix that the Endpoint and Threat Protection APIs share: what the contexts of their answers point at. It
/// is written from the tables that answer the calls.
/// </summary>
internal sealed class MetadataHandlers(IServiceProvider services) : IThreatProtectionHandlers
{
    private const string One = "/$entity";
    private string? _text;

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        // The surfaces hold these handlers, so they are asked for when they are there.
        new("GET /api/$metadata", _ => new(new PlainResult("application/xml", _text ??= Write(services.GetServices<ApiSurface>())))),
    ];

    private static string Write(IEnumerable<ApiSurface> surfaces)
    {
        var model = new EdmModel();
        var types = new Dictionary<string, EdmEntityType>(StringComparer.Ordinal);
        var container = new EdmEntityContainer("Default", "Container");
        var nested = new EdmComplexType("Default", "Nested", baseType: null, isAbstract: false, isOpen: true);
        model.AddElement(nested);
        foreach (var surface in surfaces.Where(surface => surface.Prefix == EndpointPrefix))
        {
            foreach (var row in surface.Endpoints.Where(surface.Handlers.ContainsKey))
            {
                if (row.Context is not { } context || !surface.Entities.TryGetValue(row.Entity, out var table)) continue;
                var set = context.EndsWith(One, StringComparison.Ordinal) ? context[..^One.Length] : context;
                if (!set.All(char.IsLetterOrDigit) || container.FindEntitySet(set) is not null) continue;
                if (!types.TryGetValue(table.Name, out var type))
                {
                    types.Add(table.Name, type = EdmModels.Describe(table, nested));
                    model.AddElement(type);
                }

                container.AddEntitySet(set, type);
            }
        }

        model.AddElement(container);
        var text = new StringBuilder();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { OmitXmlDeclaration = true }))
        {
            if (!CsdlWriter.TryWriteCsdl(model, xml, CsdlTarget.OData, out var errors))
                throw new InvalidOperationException(string.Join(' ', errors.Select(error => error.ErrorMessage)));
        }

        return $"<?xml version=\"1.0\" encoding=\"utf-8\"?>{text}";
    }

    private static string EndpointPrefix => Endpoint.EndpointSurface.Prefix;
}
