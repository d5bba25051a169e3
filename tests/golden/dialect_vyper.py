"""Vyper's AST, which resembles Python's."""

from common import Path, Scope

KINDS = {"EventDef", "StructDef", "FlagDef", "EnumDef", "InterfaceDef", "VariableDecl", "ImplementsDecl", "UsesDecl", "InitializesDecl",
         "ExportsDecl", "Log", "ExtCall", "StaticCall", "DocStr", "Int", "Decimal", "Hex", "HexBytes"}
TYPES = {"EventDef": "struct", "StructDef": "struct", "FlagDef": "enum", "EnumDef": "enum", "InterfaceDef": "interface"}
BRANCHES = {"If", "IfExp", "For"}


def is_it(node):
    if isinstance(node, list):
        return any(map(is_it, node))
    if not isinstance(node, dict):
        return False
    return "ast_type" in node and ("doc_string" in node or node["ast_type"] in KINDS) or any(map(is_it, node.values()))


def visit(node, scope, found, in_type=False):
    if isinstance(node, list):
        for item in node:
            visit(item, scope, found, in_type)
    if not isinstance(node, dict):
        return
    kind, lines = node.get("ast_type"), (node.get("lineno"), node.get("end_lineno"))
    for line in lines:
        found.line(line)
    if kind in BRANCHES:
        found.branch(scope)
    elif kind == "BoolOp":
        found.branch(scope, len(node["values"]) - 1)
    elif kind == "Call" and not in_type:
        found.call(scope, callee(node["func"]))
    elif kind == "Import":
        found.import_(node["name"], (), node["alias"], lines[0])
    elif kind == "ImportFrom":
        found.import_("." * node["level"] + (node["module"] or ""), [(node["name"], node["alias"])], None, lines[0])
    elif kind == "VariableDecl" or kind == "AnnAssign" and not scope.in_function and not scope.in_type:
        variable(node, scope, found, lines)
    inner = opened(node, kind, scope, found, lines)
    for name, item in node.items():
        if name != "imports":
            visit(item, inner, found, in_type or name == "annotation")


def opened(node, kind, scope, found, lines):
    if kind in TYPES:
        return found.symbol(scope, TYPES[kind], node["name"], *lines)
    if kind == "FunctionDef":
        words = {item.get("id") for item in node["decorator_list"]}
        seen = scope.kind == "interface" or words & {"external", "public", "deploy"}
        return found.symbol(scope, "function", node["name"], *lines, visibility="public" if seen else "package")
    return scope


def variable(node, scope, found, lines):
    target, words = node["target"]["id"], {name for name in ("public", "constant", "immutable") if node.get(f"is_{name}")}
    told = node["annotation"]
    while told.get("ast_type") == "Call" and told["args"]:
        words.add(told["func"].get("id"))
        told = told["args"][0]
    if target != "implements":
        kind = "constant" if words & {"constant", "immutable"} else "variable"
        found.symbol(scope, kind, target, *lines, visibility="public" if "public" in words else "package")


def callee(node):
    if node.get("ast_type") == "Name":
        return Path() + node["id"]
    return callee(node["value"]) + node["attr"] if node.get("ast_type") == "Attribute" else Path()
