"""How the dumps tell a node's children, fields, text and lines; and paths of names."""

import re

from common import Path, name_of
from tree_sitter_tables import ASSERTING, COMMENTS, JOINS, NAMES, OPERANDS, SIGNS, THROUGH


def kind_of(node):
    kind = node.get("type") if isinstance(node, dict) else None
    return kind if isinstance(kind, str) else ""


def children(node):
    """The child nodes: the elements of `children`, else of `namedChildren`, that have a type."""
    for member in ("children", "namedChildren"):
        if isinstance(node, dict) and isinstance(node.get(member), list):
            return [child for child in node[member] if kind_of(child)]
    return []


def field(node, name):
    for child in children(node):
        if name in (child.get("field"), child.get("field_name"), child.get("fieldName")):
            return child
    return None


def first(node, *kinds):
    return next((child for child in children(node) if kind_of(child) in kinds), None)


def text(node):
    """The own text, else the texts of the leaves one behind the other; None without any."""
    if not isinstance(node, dict):
        return None
    if isinstance(node.get("text"), str):
        return node["text"]
    parts = [text(child) for child in children(node)]
    return "".join(parts) if parts and all(part is not None for part in parts) else None


def string(node):
    """The text between a string's quotes, or Lua's long brackets."""
    told = text(node)
    if told and kind_of(node) == "string" and re.match(r"\[=*\[", told):
        return re.fullmatch(r"\[(=*)\[(.*)\]\1\]", told, re.DOTALL)[2]
    return told.strip("\"'`<>") if told else None


def tokens(node):
    """The types of the children that are leaves."""
    return {kind_of(child) for child in children(node) if not children(child)}


def kinds_in(node):
    return {kind_of(node)}.union(*map(kinds_in, children(node)))


def point(node, *members):
    for member in members:
        place = node.get(member)
        if isinstance(place, list) and len(place) == 2:
            return tuple(place)
        if isinstance(place, dict) and "row" in place:
            return place["row"], place.get("column")
    return None


def lines_of(node):
    """First and last line. An end in column 0 is the end of the line before."""
    start = point(node, "start_point", "startPosition", "start")
    end = point(node, "end_point", "endPosition", "end")
    if not start or not end:
        return None, None
    return start[0] + 1, end[0] + (end[1] > 0 or end <= start)


def without_comments(node):
    """First and last line of a node of Python: comments at the end of a block don't count, nor for what ends with it."""
    start, end = lines_of(node)
    counted = [child for child in children(node) if kind_of(child) != "comment"]
    if counted:
        last = without_comments(counted[-1])[1]
        if last != lines_of(counted[-1])[1] or kind_of(node) == "block" and counted[-1] is not children(node)[-1]:
            end = last
    return start, end


def operand_of(node):
    """The path of a node; of an operation that of its last operand."""
    kind = kind_of(node)
    if is_awaited(node):
        return path_of(node)
    if kind in OPERANDS | ASSERTING and children(node) and kind_of(children(node)[-1]) not in SIGNS:
        return path_of(children(node)[0]) if "<" in tokens(node) else operand_of(children(node)[-1])
    return path_of(node)


def is_awaited(node):
    """Rust's `a.await`, which is a member of `a`."""
    return kind_of(node) == "await_expression" and bool(children(node)) and kind_of(children(node)[-1]) == "await"


def is_operand(node):
    """Whether it is an operation, or what was read as a member of one."""
    kind, parts = kind_of(node), children(node)
    if is_awaited(node):
        return False
    if kind in ("navigation_expression", "field_expression"):
        return bool(parts) and is_operand(parts[0])
    return kind in OPERANDS or kind in ASSERTING and bool(parts) and kind_of(parts[-1]) not in SIGNS


def generic_callee(node):
    """`f < T > (x)`: type arguments that were read as comparisons."""
    parts = children(node)
    if kind_of(node) == "binary_expression" and kind_of(parts[1]) == ">" and kind_of(parts[0]) == "binary_expression" and "<" in tokens(parts[0]):
        return operand_of(parts[0])
    return None


def last_operand(node):
    """JavaScript's, where the grammar takes a whole operation for what is called: `await a<T>()`, `-a!.b()`."""
    while kind_of(node) in OPERANDS | ASSERTING and children(node):
        node = children(node)[-1]
    return node


def is_operation(node):
    inner = children(node)[0] if kind_of(node) == "non_null_expression" else None
    return kind_of(inner) in OPERANDS | ASSERTING or inner is not None and is_operation(inner)


def path_of(node):
    kind = kind_of(node)
    named = [child for child in children(node) if kind_of(child).isidentifier() and kind_of(child) not in COMMENTS | {"type_arguments", "optional_chain"}]
    if is_awaited(node):
        return path_of(children(node)[0])
    if kind == "variable_name":
        return Path() + (text(node) or "").lstrip("$")
    if kind == "identifier" and len(named) == 1 and not children(named[0]):
        return Path() + text(node)
    if kind in JOINS and named:
        if len(named) == 1 and kind in ("navigation_suffix", "user_type", "identifier", "variable"):
            return path_of(named[0])
        if "[" in tokens(node) or kind_of(named[0]) == "import" or kind == "navigation_expression" and "::" in tokens(node):
            return Path()
        last = named[-1]
        if kind_of(last) in ("navigation_suffix", "member_binding_expression"):
            last = next(iter(child for child in reversed(children(last)) if kind_of(child) in NAMES), None)
        if kind_of(last) in ("qualified_identifier", "dependent_name"):
            names = path_of(last).names[-1:] if kind == "field_expression" else path_of(last).names
            ahead = operand_of(named[0]) if kind == "field_expression" else path_of(named[0])
            return Path(*(ahead.names if len(named) > 1 else []), *names) if names else Path()
        if kind_of(last) in THROUGH:
            last = first(last, *NAMES) or last
        if len(named) > 1 and kind in ("dotted_name", "user_type", "identifier", "namespace_name"):
            return Path(*[text(part) or "" for part in named])
        first_path = operand_of if kind in ("navigation_expression", "field_expression") else path_of
        ahead = first_path(named[0]) if len(named) > 1 else Path()
        return ahead + text(last) if kind_of(last) in NAMES else Path()
    if kind == "bracketed_type":
        cast = named and kind_of(named[0]) == "qualified_type"
        return path_of(children(named[0])[-1]) if cast else Path()
    if kind == "non_null_expression" and named:
        return path_of(last_operand(named[0]))
    if kind in THROUGH and named and is_operation(named[0]):
        return Path()
    if kind == "cast_expression":
        return path_of(children(node)[-1]) if not is_operand(children(node)[-1]) else Path()
    if kind in THROUGH or kind in ASSERTING and kind_of(children(node)[-1]) in SIGNS:
        return path_of(named[0]) if named and not is_operand(named[0]) else Path()
    if kind in NAMES:
        told = text(node)
        if kind == "command_name" and told:
            told = told[1:-1] if len(told) > 1 and told[0] in "\"'" and told[-1] == told[0] else told
            return Path() + told if told and not set(" $\"'") & set(told) else Path()
        computed = "$" in (told or "")[1:]
        return Path() + told if told and " " not in told and not computed else Path()
    return Path()
