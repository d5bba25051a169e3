"""Variables and constants at the top level of tree-sitter's trees."""

from tree_sitter_nodes import children, field, first, kind_of, lines_of, text, tokens

TOP = {"program", "module", "source_file", "translation_unit", "compilation_unit", "chunk", "export_statement"}


def variables(grammar, node, kind, scope, around, found):
    reader = READERS.get((grammar, kind))
    for constant, name in reader(node, around) if reader else ():
        found.symbol(scope, "constant" if constant else "variable", name, *lines_of(node),
                     visibility=visibility(grammar, node, name))


def visibility(grammar, node, name):
    if grammar == "go":
        return "public" if name[:1].isupper() else "package"
    if grammar == "rust":
        seen = text(first(node, "visibility_modifier"))
        return "private" if not seen else "public" if seen == "pub" else "package"
    return None


def upper(name):
    return any(letter.isupper() for letter in name) and not any(letter.islower() for letter in name)


def python(node, around):
    return [(upper(name), name) for name in pattern(children(node)[0]) if name]


def pattern(node):
    kind = kind_of(node)
    if kind in ("identifier", "constant", "simple_identifier", "shorthand_property_identifier_pattern"):
        return [text(node)]
    if kind in ("pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "object_pattern", "array_pattern", "rest_pattern",
                "expression_list", "variable_list", "left_assignment_list", "rest_assignment", "destructured_left_assignment",
                "multi_variable_declaration", "pattern", "identifiers", "case_class_pattern", "capture_pattern"):
        return [name for child in children(node) for name in pattern(child)]
    if kind in ("assignment_pattern", "object_assignment_pattern", "typed_pattern"):
        return pattern(children(node)[0])
    if kind == "infix_pattern":
        return pattern(children(node)[0]) + pattern(children(node)[-1])
    if kind == "variable_declaration":
        return pattern(first(node, "simple_identifier", "identifier"))
    if kind == "variable" and all(kind_of(child) in ("identifier", "attribute") for child in children(node)):
        return pattern(children(node)[0])
    return pattern(children(node)[-1]) if kind == "pair_pattern" else []


def javascript(node, around):
    """A declarator: the nodes around its declaration are nothing but exports and the program or a module."""
    if not around or kind_of(around[-1]) not in ("lexical_declaration", "variable_declaration"):
        return []
    outer = [kind_of(part) for part in around[:-1]]
    while outer and outer[-1] in ("export_statement", "ambient_declaration"):
        outer.pop()
    block = outer[-1:] == ["statement_block"] and outer[-2:-1] in (["internal_module"], ["module"], ["ambient_declaration"])
    if not block and outer[-1:] != ["program"]:
        return []
    constant = "const" in tokens(around[-1])
    return [(constant, name) for name in pattern(children(node)[0]) if name]


def go(node, around):
    constant = kind_of(node) == "const_spec"
    return [(constant, text(child)) for child in children(node) if kind_of(child) == "identifier" and text(child) not in (None, "_")]


def rust(node, around):
    name = text(field(node, "name") or first(node, "identifier"))
    return [(kind_of(node) == "const_item", name)] if name and name != "_" else []


def ruby(node, around):
    if any(kind_of(part) not in ("program", "body_statement", "module") for part in around):
        return []
    return [(name[0].isupper(), name) for name in pattern(children(node)[0]) if name]


def php(node, around):
    return [(True, text(children(child)[0])) for child in children(node) if kind_of(child) == "const_element" and text(children(child)[0])]


def bash(node, around):
    name = text(first(node, "variable_name"))
    if any(kind_of(part) == "command" for part in around):
        return []
    declared = children(around[-1]) if around and kind_of(around[-1]) == "declaration_command" else []
    options = [text(part) or "" for part in declared if kind_of(part) == "word"]
    constant = any(kind_of(part) == "readonly" for part in declared) or any(option.startswith("-") and "r" in option for option in options)
    return [(constant, name)] if name else []


def property_(node, around):
    """Kotlin's and Swift's: val and let are constants."""
    words = {text(part) for child in children(node) for part in [child] + children(child)}
    if not around or kind_of(around[-1]) != "source_file":
        return []
    patterns = [child for child in children(node) if kind_of(child) in ("variable_declaration", "multi_variable_declaration", "pattern")]
    names = [name for child in patterns for name in (pattern(child) if children(child) else [text(child)])]
    return [(bool(words & {"val", "let"}), name) for name in names if name]


def scala(node, around):
    told = field(node, "pattern") or first(node, "identifier")
    names = pattern(told) if told else []
    if kind_of(told) not in ("identifier", "identifiers"):
        names = [name for name in names if name and not name[0].isupper()]
    return [(kind_of(node) == "val_definition", name) for name in names if name and name != "_"]


def lua(node, around):
    if kind_of(node) not in ("local_variable_declaration", "variable_declaration") and around and kind_of(around[-1]) not in ("chunk", "variable_declaration", "local_variable_declaration"):
        return []
    names = first(node, "variable_list", "identifier")
    return [(False, name) for name in (pattern(names) if names else []) if name]


READERS = {
    ("python", "assignment"): python, ("javascript", "variable_declarator"): javascript,
    ("go", "const_spec"): go, ("go", "var_spec"): go, ("rust", "const_item"): rust, ("rust", "static_item"): rust,
    ("ruby", "assignment"): ruby, ("php", "const_declaration"): php, ("bash", "variable_assignment"): bash,
    ("kotlin", "property_declaration"): property_, ("swift", "property_declaration"): property_, ("scala", "val_definition"): scala,
    ("scala", "var_definition"): scala, ("lua", "assignment_statement"): lua, ("lua", "variable_assignment"): lua,
    ("lua", "local_variable_declaration"): lua, ("lua", "variable_declaration"): lua,
}
