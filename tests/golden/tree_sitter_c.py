"""What C and C++ declare in tree-sitter's trees."""

import re

from common import Scope, name_of
from tree_sitter_nodes import children, field, first, kind_of, lines_of, text, tokens
from tree_sitter_tables import NAMES

POINTERS = {"pointer_declarator", "reference_declarator", "pointer_type_declarator"}
DECLARATORS = POINTERS | {"function_declarator", "parenthesized_declarator", "init_declarator", "array_declarator", "attributed_declarator"}
TYPES = {"primitive_type", "sized_type_specifier", "type_identifier", "template_type", "qualified_identifier", "dependent_type",
         "placeholder_type_specifier", "decltype", "struct_specifier", "union_specifier", "class_specifier", "enum_specifier"}
ENDS = {"qualified_identifier", "template_function", "operator_cast", "structured_binding_declarator"}
RECORDS = {"struct_specifier": "struct", "union_specifier": "struct", "class_specifier": "class"}
HOMES = ("module", "class", "struct", "interface", "enum")


def opened(symbols, node, kind, scope, around):
    """Notes what the node declares; the scope of what is in it."""
    if kind == "namespace_definition":
        for name in namespaces(field(node, "name") or first(node, "namespace_identifier", "nested_namespace_specifier", "identifier")):
            scope = symbols.found.symbol(scope, "module", name, *lines_of(node))
            scope.access = None
        return scope
    if kind == "alias_declaration":
        return aliased(symbols, node, [(field(node, "name") or first(node, "type_identifier"))], scope)
    if kind == "type_definition":
        return aliased(symbols, node, [name for name, _, _ in declared(node)], scope)
    if kind in RECORDS or kind == "enum_specifier":
        return record(symbols, node, kind, scope, around)
    inner, function = None, None
    for told, what, pointer in declared(node):
        if what == "function":
            # What is declared inside a function is none of the file's.
            if kind != "declaration" or not scope.in_function:
                opened_ = called(symbols, node, kind, told, scope, around)
                inner = inner or opened_
            function = True
        elif kind == "declaration" and not scope.in_function and not scope.in_type:
            variable(symbols, node, told, pointer, scope, around)
    if kind == "function_definition" and not function:
        return Scope(scope, function=True)
    return inner or scope


def namespaces(node):
    if kind_of(node) == "nested_namespace_specifier":
        return [name for child in children(node) for name in namespaces(child)]
    return [text(node)] if kind_of(node) in ("namespace_identifier", "identifier") else []


def aliased(symbols, node, names, scope):
    """Type aliases: calls inside are theirs, symbols inside stand beside them."""
    inner = None
    for name in names:
        one = symbols.found.symbol(scope, "type_alias", text(name), *lines_of(node), visibility=access(scope))
        one.access, one.qualified, one.in_type = getattr(scope, "access", None), scope.qualified, scope.in_type
        one.member, one.alias_in = getattr(scope, "member", False), scope
        inner = inner or one
    return inner or scope


def access(scope):
    held = getattr(scope, "access", None)
    return held[0] if held else None


def beyond(scope):
    """The scope around an alias, which holds no symbols."""
    while hasattr(scope, "alias_in"):
        scope = scope.alias_in
    return scope


def record(symbols, node, kind, scope, around):
    if kind == "enum_specifier":
        if not first(node, "enumerator_list") and sum(kind_of(child) in TYPES for child in children(node)) < 2:
            return scope
    elif not first(node, "field_declaration_list"):
        return scope
    told = field(node, "name") or first(node, "type_identifier", "qualified_identifier", "template_type")
    within, name = parted(told) if told else (None, None)
    scope = beyond(scope)
    qualified, _ = home(symbols, scope, within, name)
    inner = symbols.found.symbol(scope, RECORDS.get(kind, "enum"), name, *begun(node, told, around), visibility=access(scope), qualified=qualified)
    if kind in RECORDS:
        inner.in_type, inner.member = True, not name
        inner.access = ["private"] if kind == "class_specifier" else ["public"] if symbols.language == "c++" else None
    return inner


def called(symbols, node, kind, told, scope, around):
    within, name = parted(told)
    if not name_of(name):
        return None
    scope, seen = beyond(scope), access(scope)
    near = scope.nearest()
    what = "method" if within or getattr(scope, "member", False) or near and near.kind in ("class", "struct") else "function"
    if around and kind_of(around[-1]) == "friend_declaration":
        # It belongs to what is around the class.
        while scope.parent and not (scope.symbol and scope.kind not in HOMES[1:]):
            scope = scope.parent
        what, seen = "method" if within else "function", None
    qualified, found = home(symbols, scope, within, name)
    what = "function" if found == "module" else what
    inner = symbols.found.symbol(Scope(), what, name, *begun(node, told, around), visibility=seen, static="static" in symbols.words(node),
                                 qualified=qualified or (f"{scope.qualified}.{name}" if scope.qualified else name))
    inner.parent = scope
    inner.in_function = True
    return inner


def variable(symbols, node, told, pointer, scope, around):
    fixed = lambda one, *words: any(kind_of(part) == "type_qualifier" and text(part) in words for part in children(one))
    constant = fixed(pointer or node, "const") or kind_of(pointer) != "reference_declarator" and fixed(node, "constexpr")
    names = [(None, name) for name in map(text, filter(lambda part: kind_of(part) == "identifier", children(told)))]
    bound = kind_of(told) == "structured_binding_declarator"
    for within, name in names if bound else [parted(told)]:
        qualified, found = home(symbols, scope, within, name)
        if not within or found == "module":
            symbols.found.symbol(scope, "constant" if constant and not bound else "variable", name, *begun(node, told, around), qualified=qualified,
                                 static="static" in symbols.words(node))


def home(symbols, scope, within, name):
    """The qualified name of what is declared within something else, and the kind of that where the document has it: looked for outwards."""
    if not within or not name:
        return None, None
    around = scope.qualified.split(".") if scope.qualified else []
    for end in range(len(around), -1, -1):
        path = ".".join(around[:end] + [within])
        if path in symbols.homes:
            return f"{path}.{name}", symbols.homes[path]
    return ".".join(around + [within, name]), None


def begun(node, told, around):
    """The lines: from the outermost template on, where it is there for the name."""
    start, end = lines_of(node)
    named = kind_of(told) in ("qualified_identifier", "template_function", "template_type")
    for outer in reversed(around):
        if kind_of(outer) != "template_declaration":
            break
        empty = not any(kind_of(part).isidentifier() for part in children(first(outer, "template_parameter_list")))
        start = lines_of(outer)[0] if named or empty else start
    return start, end


def declared(node):
    """Of each declarator behind the type the node at its end, whether it is a function, and the pointer next to it."""
    found, typed = [], False
    for child in children(node):
        kind = kind_of(child)
        is_end = kind in DECLARATORS or kind in ("identifier", "field_identifier")
        is_end = is_end or typed and kind in TYPES and kind_of(node) == "type_definition"
        is_end = is_end or kind in ENDS and (typed or conversion(child))
        if is_end:
            found += followed(child, typed)
        typed = typed or kind in TYPES
    return found


def followed(node, typed):
    near, pointer = None, None
    while True:
        node = member(node) or node
        kind = kind_of(node)
        if kind not in DECLARATORS:
            break
        if kind == "function_declarator" and not typed and first(node, "trailing_return_type"):
            return []  # A deduction guide.
        if kind not in ("parenthesized_declarator", "init_declarator", "attributed_declarator"):
            near = kind
        if kind in POINTERS:
            pointer = node
        node = next((child for child in children(node) if kind_of(child) in DECLARATORS | ENDS | NAMES), None)
        if node is None:
            return []
    return [(node, "function" if near == "function_declarator" or conversion(node) else "variable", pointer)]


def member(node):
    """Of `A::*name` what stands behind the scope."""
    while kind_of(node) == "qualified_identifier":
        node = first(node, "pointer_type_declarator", "qualified_identifier")
    return node if kind_of(node) == "pointer_type_declarator" else None


def conversion(node):
    while kind_of(node) == "qualified_identifier":
        node = first(node, "operator_cast", "qualified_identifier")
    return kind_of(node) == "operator_cast"


def parted(node):
    """What a name says it is within, and its last part. Of templates without their arguments."""
    parts = parts_of(node)
    return ".".join(text(part) or "" for part in parts[:-1]) or None, name_text(parts[-1])


def parts_of(node):
    if kind_of(node) == "qualified_identifier":
        return [part for child in children(node) if kind_of(child).isidentifier() and kind_of(child) != "template" for part in parts_of(child)]
    if kind_of(node) in ("template_type", "template_function", "template_method"):
        return [first(node, *NAMES) or node]
    return [node]


def name_text(node):
    kind = kind_of(node)
    if kind == "primitive_type":
        return None
    if kind not in ("operator_name", "operator_cast"):
        return text(node)
    words = operator(node) if kind == "operator_cast" else [text(part) for part in children(node)] or [text(node)]
    if any(word is None for word in words):
        return None
    return re.sub(r"(?<=\w)\s+(?=\w)", "\0", " ".join(words)).replace(" ", "").replace("\0", " ")


def operator(node):
    """The words of a conversion: no parameters, scopes, or arguments of templates."""
    words = []
    for child in children(node):
        kind = kind_of(child)
        if kind in ("abstract_pointer_declarator", "abstract_reference_declarator"):
            words += operator(child)
        elif kind == "sized_type_specifier":
            words += [text(part) for part in children(child)]
        elif kind in RECORDS or kind == "enum_specifier":
            words.append(text(first(child, "type_identifier")))
        elif kind in TYPES:
            child = children(child)[-1] if kind == "dependent_type" else child
            words.append(text(parts_of(child)[-1]))
        elif kind != "abstract_function_declarator":
            words.append(text(child))
    return words
