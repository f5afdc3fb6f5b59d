using System.Collections.Concurrent;
using Microsoft.OData.Edm;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Http.OData;

/// <summary>OData models built from entity tables, one per entity, kept once built.</summary>
internal static class EdmModels
{
    private static readonly ConcurrentDictionary<EntityTable, (IEdmModel Model, IEdmEntityType Type, IEdmEntitySet Set)> Built = new();

    /// <summary>The model of an entity, its type and its entity set.</summary>
    public static (IEdmModel Model, IEdmEntityType Type, IEdmEntitySet Set) For(EntityTable table) => Built.GetOrAdd(table, Build);

    private static (IEdmModel, IEdmEntityType, IEdmEntitySet) Build(EntityTable table)
    {
        var model = new EdmModel();
        var type = new EdmEntityType(table.Namespace, table.Name);
        AddProperties(type, table, TypeOf);
        model.AddElement(type);
        var container = new EdmEntityContainer(table.Namespace, "Container");
        model.AddElement(container);
        return (model, type, container.AddEntitySet(table.Name + "s", type));
    }

    /// <summary>An entity as clients see it.</summary>
    /// <param name="table">The entity.</param>
    /// <param name="nested">An open type that stands for nested values; those that are never null are lists.</param>
    public static EdmEntityType Describe(EntityTable table, IEdmComplexType nested)
    {
        var type = new EdmEntityType(table.Namespace, table.Name);
        AddProperties(type, table, property => property.Kind != ValueKind.Json ? TypeOf(property)
            : property.NotNull ? EdmCoreModel.GetCollection(new EdmComplexTypeReference(nested, isNullable: false))
            : new EdmComplexTypeReference(nested, isNullable: true));
        return type;
    }

    private static void AddProperties(EdmEntityType type, EntityTable table, Func<EntityProperty, IEdmTypeReference> typeOf)
    {
        foreach (var property in table.Properties.Where(property => !property.IsAnnotation))
        {
            var structural = type.AddStructuralProperty(property.Name, typeOf(property));
            if (property == table.Key) type.AddKeys(structural);
        }
    }

    private static IEdmTypeReference TypeOf(EntityProperty property)
    {
        var kind = property.Kind switch
        {
            ValueKind.Int32 => EdmPrimitiveTypeKind.Int32,
            ValueKind.Int64 => EdmPrimitiveTypeKind.Int64,
            ValueKind.Double => EdmPrimitiveTypeKind.Double,
            ValueKind.Boolean => EdmPrimitiveTypeKind.Boolean,
            ValueKind.Time => EdmPrimitiveTypeKind.DateTimeOffset,
            ValueKind.Guid => EdmPrimitiveTypeKind.Guid,
            _ => EdmPrimitiveTypeKind.String,
        };
        var primitive = EdmCoreModel.Instance.GetPrimitive(kind, isNullable: !property.NotNull);
        return property.Kind == ValueKind.Strings ? EdmCoreModel.GetCollection(primitive) : primitive;
    }
}
