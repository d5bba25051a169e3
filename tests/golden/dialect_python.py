"""Python's own AST."""

import dialect_vyper
from common import Path, Scope, language_of, name_of

FIELDS = ("_type", "node_type", "nodeType", "_kind", "ast_type", "type", "kind")
BRANCHES = {"If", "IfExp", "For", "AsyncFor", "While", "ExceptHandler", "comprehension", "match_case"}


def walk(document, path, found):
    if dialect_vyper.is_it(document):
        dialect_vyper.visit(document, Scope(), found)
        return "vyper"
    visit(document, Scope(), found)
    return "unknown" if language_of(path) == "unknown" else "python"


def kind_of(node):
    for field in FIELDS:
        if isinstance(node, dict) and isinstance(node.get(field), str) and node[field][:1].isalpha():
            return node[field]
    return None


def visit(node, scope, found):
    if isinstance(node, list):
        for item in node:
            visit(item, scope, found)
    if not isinstance(node, dict):
        return
    lines = node.get("lineno"), node.get("end_lineno")
    for line in lines:
        found.line(line)
    kind = kind_of(node)
    if kind in BRANCHES:
        found.branch(scope)
    elif kind == "BoolOp":
        found.branch(scope, len(node.get("values", [])) - 1)
    elif kind == "Call":
        found.call(scope, callee(node.get("func")))
    elif kind == "Import":
        for alias in node.get("names", []):
            found.import_(alias.get("name"), (), alias.get("asname"), lines[0])
    elif kind == "ImportFrom":
        module = "." * (node.get("level") or 0) + (node.get("module") or "")
        found.import_(module, [(alias.get("name"), alias.get("asname")) for alias in node.get("names", [])], None, lines[0])
    elif kind in ("Assign", "AnnAssign") and not scope.in_function and not scope.in_type:
        for target in node.get("targets", []) + [node.get("target")]:
            for name in bound(target):
                upper = any(letter.isupper() for letter in name) and not any(letter.islower() for letter in name)
                found.symbol(scope, "constant" if upper else "variable", name, *lines)
    inner = opened(node, kind, scope, found, lines)
    for name, item in node.items():
        if (kind, name) != ("Tuple", "dims"):
            visit(item, inner, found)


def opened(node, kind, scope, found, lines):
    """The scope of what is in the node."""
    if kind in ("FunctionDef", "AsyncFunctionDef"):
        decorators = [item.get("id") for item in node.get("decorator_list", []) if kind_of(item) == "Name"]
        static = "staticmethod" in decorators or "classmethod" in decorators
        return found.symbol(scope, "function", node.get("name"), *lines, is_async=kind[0] == "A", static=static)
    if kind == "ClassDef":
        return found.symbol(scope, "class", node.get("name"), *lines)
    if kind == "TypeAlias":
        return found.symbol(scope, "type_alias", (node.get("name") or {}).get("id"), *lines)
    return Scope(scope, function=True) if kind == "Lambda" else scope


def bound(target):
    kind = kind_of(target)
    if kind == "Name":
        return [target["id"]] if name_of(target.get("id")) else []
    if kind in ("Tuple", "List"):
        return [name for item in target.get("elts", []) for name in bound(item)]
    return bound(target.get("value")) if kind == "Starred" else []


def callee(node):
    kind = kind_of(node)
    if kind == "Name":
        return Path() + node.get("id")
    return callee(node.get("value")) + node.get("attr") if kind == "Attribute" else Path()
