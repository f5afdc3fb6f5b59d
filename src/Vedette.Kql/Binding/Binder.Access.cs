using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>
/// restrict access: which tables, views and patterns the statements after it may read. Bodies of functions keep the access of the place they were declared at.
/// </summary>
internal sealed partial class Binder
{
    private Access? _access;

    private void Restrict(RestrictStatement statement)
    {
        var variables = new List<string>();
        var entities = new List<string>();
        foreach (var entity in statement.Entities)
            Collect(entity, variables, entities);
        var hidden = new HashSet<NamedValue>();
        foreach (var name in _scope.AllNames())
        {
            if (_scope.Find(name) is { } value and (TableVariable or PatternVariable or FunctionVariable)
                && !(value is FunctionVariable function && !IsTabularBody(function))
                && !variables.Exists(v => Wildcards.Matches(v, name)))
            {
                hidden.Add(value);
            }
        }

        _access = new Access(_access, name => entities.Exists(e => Wildcards.Matches(e, name)), hidden);
    }

    /// <summary>A bare star means the query's own variables; other names and patterns mean the database's entities as well.</summary>
    private void Collect(Expr entity, List<string> variables, List<string> entities)
    {
        switch (entity)
        {
            case StarExpr:
                variables.Add("*");
                break;
            case NameExpr { Name: var name }:
                variables.Add(name);
                entities.Add(name);
                break;
            case WildcardExpr { Pattern: var pattern }:
                variables.Add(pattern);
                entities.Add(pattern);
                break;
            case ParenExpr { Inner: var inner }:
                Collect(inner, variables, entities);
                break;
            case MemberExpr { Selector: StarExpr } m when IsDatabase(m.Target):
                entities.Add("*");
                break;
            case MemberExpr { Selector: WildcardExpr { Pattern: var pattern } } m when IsDatabase(m.Target):
                entities.Add(pattern);
                break;
            case MemberExpr { Selector: NameExpr { Name: var name } } m when IsDatabase(m.Target):
                entities.Add(name);
                break;
            case MissingExpr:
                break;
            default:
                Error("KS204", $"Failed to resolve table or column expression named '{_text.AsSpan(entity.Span.Start, entity.Span.Length)}'", entity.Span);
                break;
        }
    }

    /// <summary>The meaning of a name, unless it is out of sight.</summary>
    private NamedValue? FindVariable(string name) => _scope.Find(name) is { } value && _access?.Hides(value) != true ? value : null;

    private KqlTable? FindTable(string name) => _access?.Allows(name) == false ? null : _schema.FindTable(name);

    private KqlTableFunction? FindHostFunction(string name) => _access?.Allows(name) == false ? null : _schema.FindFunction(name);

    private IEnumerable<KqlTable> VisibleTables() => _access is null ? _schema.Tables : _schema.Tables.Where(t => _access.Allows(t.Name));

    private IEnumerable<TableVariable> VisibleViews() => _access is null ? _scope.Views() : _scope.Views().Where(v => !_access.Hides(v));
}
