"""ESTree and its kin: acorn, espree, Babel, typescript-estree, SWC, oxc, Hermes, Flow."""

import re

from common import Path, Scope, language_of, name_of

FUNCTIONS = {"FunctionExpression", "ArrowFunctionExpression"}
MEMBERS = {"MethodDefinition", "TSAbstractMethodDefinition", "ClassMethod", "ClassPrivateMethod", "TSDeclareMethod", "Constructor", "PrivateMethod",
           "AbstractMethodDefinition", "DeclareMethodDefinition"}
STATIC_FIELD = "RecordDeclarationStaticProperty"
FIELDS = {"PropertyDefinition", "ClassProperty", "ClassPrivateProperty", "PrivateProperty", "AccessorProperty", "ClassAccessorProperty",
          "AutoAccessor", "RecordDeclarationProperty", STATIC_FIELD}
NAMED = {
    "FunctionDeclaration": "function", "TSDeclareFunction": "function", "DeclareFunction": "function", "ClassDeclaration": "class",
    "DeclareClass": "class", "TSInterfaceDeclaration": "interface", "TsInterfaceDeclaration": "interface",
    "InterfaceDeclaration": "interface", "TSEnumDeclaration": "enum", "TsEnumDeclaration": "enum", "EnumDeclaration": "enum",
    "TSTypeAliasDeclaration": "type_alias", "TsTypeAliasDeclaration": "type_alias", "TypeAlias": "type_alias",
    "OpaqueType": "type_alias", "ComponentDeclaration": "function", "HookDeclaration": "function", "DeclareComponent": "function",
    "DeclareHook": "function", "RecordDeclaration": "class", "DeclareInterface": "interface", "DeclareEnum": "enum",
    "DeclareTypeAlias": "type_alias", "DeclareOpaqueType": "type_alias", "DeclareModule": "module", "DeclareNamespace": "module",
}
SPACES = {"TSModuleDeclaration", "TsModuleDeclaration", "TsNamespaceDeclaration"}
BLOCK_SPACES = {"DeclareModule", "DeclareNamespace"}
VARIABLES = {"VariableDeclaration", "DeclareVariable", "UsingDeclaration"}
IMPORT_TYPES = {"TSImportType", "TsImportType", "ImportType"}

BODIES = {"Program", "Module", "Script", "TSModuleBlock", "TsModuleBlock"}
EXPORTS = {"ExportNamedDeclaration", "ExportDeclaration", "DeclareExportDeclaration"}
PRIVATE = {"PrivateIdentifier", "PrivateName", "TSPrivateIdentifier"}
BRANCHES = {"IfStatement", "ConditionalExpression", "ForStatement", "ForInStatement", "ForOfStatement", "ForAwaitStatement", "WhileStatement",
            "DoWhileStatement", "CatchClause", "LogicalExpression"}
THROUGH = {
    "ChainExpression", "TSNonNullExpression", "TSAsExpression", "TSSatisfiesExpression", "TSTypeAssertion", "TSInstantiationExpression",
    "ParenthesizedExpression", "TypeCastExpression", "ParenthesisExpression", "OptionalChainingExpression", "TsNonNullExpression",
    "TsAsExpression", "TsSatisfiesExpression", "TsTypeAssertion", "TsConstAssertion", "TsInstantiation", "AsExpression", "AsConstExpression",
    "SatisfiesExpression", "NonNullExpression"}


def walk(document, path, found):
    typed = []
    visit(document, Scope(), found, (None, None, None), typed)
    spoken = language_of(path)
    return "typescript" if typed or spoken == "typescript" else "javascript"


def kind_of(node):
    kind = node.get("type") if isinstance(node, dict) else None
    return kind if isinstance(kind, str) else None


def get(node, *names):
    """The first of the members that is there."""
    return next((node[name] for name in names if isinstance(node, dict) and node.get(name) is not None), None)


def bare(node):
    """What stands in parentheses."""
    while kind_of(node) in ("ParenthesizedExpression", "ParenthesisExpression"):
        node = node.get("expression")
    return node


def lines_of(node):
    loc = node.get("loc")
    if not isinstance(loc, dict):
        return None, None
    return tuple((loc.get(end) or {}).get("line") for end in ("start", "end"))


def visit(node, scope, found, around, typed):
    """`around`: the kinds of the nodes around, the nearest first."""
    if isinstance(node, list):
        for item in node:
            visit(item, scope, found, around, typed)
    if not isinstance(node, dict):
        return
    for line in lines_of(node):
        found.line(line)
    kind = kind_of(node)
    if kind and re.match("T[Ss][A-Z]", kind):
        typed.append(kind)
    if kind in BRANCHES or kind == "SwitchCase" and node.get("test") or kind == "BinaryExpression" and node.get("operator") in ("&&", "||", "??"):
        found.branch(scope)
    elif kind in ("MatchExpressionCase", "MatchStatementCase") and (kind_of(node.get("pattern")) != "MatchWildcardPattern" or node.get("guard")):
        found.branch(scope)
    call_or_import(node, kind, scope, found)
    if kind in VARIABLES:
        declaration(node, scope, found, around, typed)
        return
    inner = opened(node, kind, scope, found, around[0])
    for key, item in node.items():
        if kind == "DeclareClass" and key == "body" and kind_of(item) == "ObjectTypeAnnotation":
            declared_members(item, inner, found, typed)
        else:
            visit(item, inner, found, (kind, *around[:2]) if kind else around, typed)


def declared_members(body, scope, found, typed):
    """The members of a class that Flow declares: its methods are symbols."""
    for line in lines_of(body):
        found.line(line)
    for value in body.values():
        for member in value if isinstance(value, list) else [value]:
            inner = scope
            if kind_of(member) == "ObjectTypeProperty" and (member.get("method") is True or member.get("kind") in ("get", "set")):
                inner = found.symbol(scope, "method", dotted(member.get("key")), *lines_of(member), static=member.get("static") is True)
            visit(member, inner, found, ("ObjectTypeAnnotation", "DeclareClass", None), typed)


def declaration(node, scope, found, around, typed):
    holders = around[1:] if around[0] in EXPORTS else around
    at_top = holders[0] in BODIES or holders[0] == "BlockStatement" and holders[1] in BLOCK_SPACES
    what = "constant" if node.get("kind") == "const" else "variable"
    if at_top and not scope.in_function and not scope.in_type and kind_of(node.get("id")) == "Identifier":
        found.symbol(scope, what, dotted(node["id"]), *lines_of(node))
    for declarator in get(node, "declarations", "decls") or []:
        init, inner, lines = bare(declarator.get("init")), scope, lines_of(declarator)
        names = bound(declarator.get("id"))
        named = kind_of(declarator.get("id")) == "Identifier"
        if named and kind_of(init) in FUNCTIONS | {"ClassExpression"}:
            of_value = "class" if kind_of(init) == "ClassExpression" else "function"
            inner = found.symbol(scope, of_value, names[0] if names else None, *lines, is_async=init.get("async") is True)
        elif at_top and not scope.in_function and not scope.in_type:
            for name in names:
                found.symbol(scope, what, name, *lines)
        visit(declarator, inner, found, ("VariableDeclaration", *around[:2]), typed)


def with_decorators(node, lines):
    """The lines, from the first decorator's on."""
    starts = [lines_of(one)[0] for one in node.get("decorators") or [] if kind_of(one) == "Decorator"]
    starts = [line for line in starts if line]
    return (min(lines[0], *starts), lines[1]) if lines[0] and starts else lines


def opened(node, kind, scope, found, parent):
    lines = lines_of(node)
    if kind in NAMED and NAMED[kind] == "class" or kind in MEMBERS or kind in FIELDS:
        lines = with_decorators(node, lines)
    if parent == "ExportDefaultDeclaration" and kind in ("FunctionExpression", "ClassExpression") and dotted(node.get("identifier")):
        what = "function" if kind[0] == "F" else "class"
        return found.symbol(scope, what, dotted(node["identifier"]), *lines, is_async=node.get("async") is True)
    if kind in SPACES:
        return space(node, scope, found, lines)
    if kind in NAMED:
        name = dotted(get(node, "id", "identifier"))
        return found.symbol(scope, NAMED[kind], name, *lines, is_async=node.get("async") is True)
    if kind in MEMBERS or kind in FIELDS and kind_of(bare(get(node, "value", "defaultValue"))) in FUNCTIONS:
        name = key_name(node, kind)
        parts = [node] + [bare(node[part]) for part in ("value", "defaultValue", "function") if isinstance(node.get(part), dict)]
        visibility = "private" if name and name.startswith("#") else node.get("accessibility")
        return found.symbol(
            scope, "method", name, *lines, visibility=visibility, is_async=any(part.get("async") is True for part in parts),
            static=node.get("static") is True or node.get("isStatic") is True or kind == STATIC_FIELD)
    if kind in FUNCTIONS or kind in ("ObjectMethod", "MethodProperty", "GetterProperty", "SetterProperty"):
        return Scope(scope, function=True)
    if kind in ("ClassBody", "ClassExpression"):
        inner = Scope(scope)
        inner.in_type = True
        return inner
    return scope


def space(node, scope, found, lines):
    """A namespace: one symbol, also where its name has parts or the next part is its body."""
    name = dotted(node.get("id"))
    if name and kind_of(node.get("body")) in SPACES:
        return Scope(scope, name)
    if name and kind_of(node["id"]) in ("TSQualifiedName", "TsQualifiedName"):
        *outer, name = name.split(".")
        scope = Scope(scope, ".".join(outer))
    return found.symbol(scope, "module", name, *lines)


def dotted(node):
    """The name that a declaration's `id` gives."""
    kind = kind_of(node)
    if kind == "Identifier":
        return get(node, "name", "value")
    if kind in ("Literal", "StringLiteral"):
        return node.get("value") if isinstance(node.get("value"), str) else None
    if kind in ("TSQualifiedName", "TsQualifiedName"):
        left, right = dotted(node.get("left")), dotted(node.get("right"))
        return f"{left}.{right}" if left and right else None
    return None


def key_name(node, kind):
    key = node.get("key")
    if kind == "Constructor" and not isinstance(key, dict):
        return "constructor"
    if node.get("computed") is True:
        return None
    if kind_of(key) in PRIVATE:
        return private(key)
    return dotted(key) if kind_of(key) != "TSQualifiedName" else None


def private(key):
    name = get(key, "name", "value", "escapedText") or get(get(key, "id"), "name", "value")
    if isinstance(name, str) and name.startswith("#"):
        return name
    return f"#{name}" if name_of(name) else None


def bound(node):
    kind = kind_of(node)
    if kind == "Identifier":
        name = get(node, "name", "value")
        return [name] if name_of(name) else []
    if kind == "ObjectPattern":
        return [name for item in node.get("properties") or [] for name in bound(item)]
    if kind in ("Property", "ObjectProperty", "KeyValuePatternProperty", "BindingProperty"):
        return bound(node.get("value"))
    if kind == "AssignmentPatternProperty":
        return bound(node.get("key"))
    if kind == "ArrayPattern":
        return [name for item in node.get("elements") or [] for name in bound(item)]
    if kind == "AssignmentPattern":
        return bound(node.get("left"))
    return bound(node.get("argument")) if kind == "RestElement" else []


def literal(node):
    """A string literal's value."""
    if kind_of(node) in ("Literal", "StringLiteral") and isinstance(node.get("value"), str):
        return node["value"]
    return None


def call_or_import(node, kind, scope, found):
    line = lines_of(node)[0]
    if kind in IMPORT_TYPES:
        found.import_(literal(get(node, "source")) or literal(node.get("argument")) or literal(get(get(node, "argument", "parameter"), "literal")), (), None, line)
    elif kind == "ImportExpression":
        found.import_(literal(get(node, "source")), (), None, line)
    elif kind == "ImportDeclaration":
        found.import_(literal(node.get("source")), [specifier(item) for item in node.get("specifiers") or []], None, line)
    elif kind in ("ExportNamedDeclaration", "DeclareExportDeclaration") and node.get("source"):
        found.import_(literal(node["source"]), [specifier(item) for item in node.get("specifiers") or []], None, line)
    elif kind in ("ExportAllDeclaration", "DeclareExportAllDeclaration"):
        found.import_(literal(node.get("source")), [("*", module_name(node.get("exported")))], None, line)
    elif kind in ("TSImportEqualsDeclaration", "TsImportEqualsDeclaration", "ImportEqualsDeclaration"):
        module = get(get(node, "moduleReference", "moduleRef"), "expression")
        found.import_(literal(module), (), dotted(node.get("id")), line)
    elif kind == "TaggedTemplateExpression":
        found.call(scope, callee(node.get("tag")))
    elif kind in ("CallExpression", "NewExpression", "OptionalCallExpression"):
        call(node, kind, scope, found, line)
    elif kind == "OptionalChainingExpression" and isinstance(node.get("base"), dict) and not kind_of(node["base"]) and "callee" in node["base"]:
        found.call(scope, callee(node["base"]["callee"]))


def call(node, kind, scope, found, line):
    target, arguments = node.get("callee"), node.get("arguments") or []
    first = arguments[0] if len(arguments) == 1 else None
    if isinstance(first, dict) and not kind_of(first):
        first = first.get("expression") if not first.get("spread") else None
    if kind_of(target) == "Import":
        found.import_(literal(arguments[0] if arguments and kind_of(arguments[0]) else get(arguments[0] if arguments else None, "expression")), (), None, line)
    elif kind != "NewExpression" and kind_of(target) == "Identifier" and dotted(target) == "require" and literal(first) is not None:
        found.import_(literal(first), (), None, line)
    else:
        found.call(scope, callee(target))


def module_name(node):
    return dotted(node) if node else None


def specifier(item):
    kind = kind_of(item)
    local, exported = module_name(item.get("local")), module_name(item.get("exported"))
    if kind == "ImportDefaultSpecifier":
        return "default", local
    if kind == "ImportNamespaceSpecifier":
        return "*", local
    if kind == "ImportSpecifier":
        name = module_name(item.get("imported")) or local
        return name, local if local != name else None
    if kind == "ExportNamespaceSpecifier":
        return "*", exported or module_name(item.get("name"))
    if kind == "ExportDefaultSpecifier":
        return "default", exported
    name = local or module_name(item.get("orig"))
    return name, exported if exported != name else None


def callee(node):
    kind = kind_of(node)
    if kind == "Identifier":
        return Path() + get(node, "name", "value")
    if kind in ("ThisExpression", "Super"):
        return Path("this" if kind[0] == "T" else "super")
    if kind in ("MemberExpression", "OptionalMemberExpression", "SuperPropExpression", "StaticMemberExpression", "PrivateFieldExpression"):
        prop = get(node, "property", "field")
        if node.get("computed") is True or kind_of(prop) not in PRIVATE | {"Identifier"}:
            return Path()
        name = dotted(prop) if kind_of(prop) == "Identifier" else private(prop)
        return callee(get(node, "object", "obj")) + name
    if kind in THROUGH:
        return callee(get(node, "expression", "base"))
    return Path()
