"""The imports of tree-sitter's trees."""

from tree_sitter_nodes import children, field, first, kind_of, lines_of, path_of, string, text, tokens
from tree_sitter_tables import COMMENTS, NAMES

STRINGS = ("string", "string_literal", "interpreted_string_literal", "raw_string_literal", "encapsed_string", "system_lib_string", "word")
PATHS = ("dotted_name", "scoped_identifier", "identifier", "qualified_name", "name", "namespace_name", "qualified_identifier",
         "stable_identifier", "nested_identifier", "alias_qualified_name")


def imports(grammar, node, kind, found):
    """Notes what the node imports; True where it does."""
    reader = READERS.get((grammar, kind))
    return bool(reader and reader(node, found, lines_of(node)[0]))


def named(node):
    return [child for child in children(node) if kind_of(child).isidentifier() and kind_of(child) not in COMMENTS
            and (children(child) or kind_of(child) in NAMES or kind_of(child) != text(child))]


def aliased(node, *kinds):
    """Name and alias of `name as alias`."""
    parts = named(node)
    parts = [text(named(child)[-1] if kind_of(child) == "namespace_aliasing_clause" else child) for child in parts]
    return (parts[0], parts[-1] if len(parts) > 1 else None) if parts else (None, None)


def python_import(node, found, line):
    for child in named(node):
        name, alias = aliased(child) if kind_of(child) == "aliased_import" else (text(child), None)
        found.import_(name, (), alias, line)
    return True


def python_from(node, found, line):
    parts = [child for child in named(node) if kind_of(child) in ("dotted_name", "relative_import", "aliased_import", "wildcard_import")]
    if kind_of(node) == "future_import_statement":
        module = "__future__"
    else:
        module, parts = text(parts[0]) if parts else None, parts[1:]
    names = [aliased(part) if kind_of(part) == "aliased_import" else (text(part) if kind_of(part) != "wildcard_import" else "*", None)
             for part in parts]
    found.import_(module, names, None, line)
    return True


def js_import(node, found, line):
    names, alias = [], None
    source = first(node, "string")
    required = first(node, "import_require_clause")
    if required:
        source, alias = first(required, "string"), text(first(required, "identifier"))
    for part in children(first(node, "import_clause")):
        if kind_of(part) == "identifier":
            names.append(("default", text(part)))
        elif kind_of(part) == "namespace_import":
            names.append(("*", text(first(part, "identifier"))))
        elif kind_of(part) == "named_imports":
            names += [differing(item) for item in children(part) if kind_of(item) == "import_specifier"]
    found.import_(string(source), names, alias, line)
    return True


def differing(item):
    """Name and alias of a specifier, whose names may be any words, or strings."""
    parts = [string(part) for part in children(item) if kind_of(part) == "string" or kind_of(part).isidentifier()
             and kind_of(part) not in COMMENTS | {"as", "type", "typeof"}]
    return parts[0], parts[-1] if parts[-1] != parts[0] else None


def js_export(node, found, line):
    source = first(node, "string")
    if not source:
        return False
    clause, space = first(node, "export_clause"), first(node, "namespace_export")
    names = [differing(item) for item in children(clause) if kind_of(item) == "export_specifier"]
    if not clause:
        names = [("*", string(first(space, "identifier", "string")))]
    found.import_(string(source), names, None, line)
    return True


def called(*functions):
    """A call of one of the functions, with one string."""
    def reader(node, found, line):
        parts = children(node)
        importing = "import" in functions and kind_of(parts[0]) == "import"
        if text(parts[0]) not in functions and not importing:
            return False
        given = first(node, "arguments", "argument_list") or node
        given = first(given, "expression_list") or given
        values = [child for child in children(given) if kind_of(child) not in ("(", ")", ",")]
        values = values if given is not node else values[1:]
        values = values[:1] if importing else values
        if len(values) == 1 and kind_of(values[0]) in STRINGS and kind_of(values[0]) != "word":
            found.import_(string(values[0]), (), None, line)
            return True
        return False
    return reader


def go_spec(node, found, line):
    path = field(node, "path") or first(node, *STRINGS)
    alias = first(node, "package_identifier", "blank_identifier", "dot")
    found.import_(string(path), (), text(alias), line)
    return True


def dotted(separator):
    """`import a.b.C`, `use A\\B\\C as D`: the last name is what is imported."""
    def reader(node, found, line):
        path = first(node, *PATHS)
        star = first(node, "asterisk", "wildcard_import", "*", "namespace_wildcard")
        alias = first(node, "import_alias", "namespace_aliasing_clause", "alias")
        alias = text(named(alias)[-1]) if alias and named(alias) else None
        if not alias and "as" in tokens(node):
            alias = text(named(node)[-1])
        module, _, name = (text(path) or "").rpartition(separator)
        if star:
            found.import_(text(path), [("*", None)], None, line)
        elif module:
            found.import_(module, [(name, alias)], None, line)
        else:
            found.import_(name, (), alias, line)
        return True
    return reader


def whole(node, found, line):
    """`using A.B`, `import A`: all of it is the module."""
    parts, alias = children(node), None
    for place, part in enumerate(parts):
        if kind_of(part) in ("=", "name_equals"):
            parts, alias = parts[place + 1:], first(first(node, "name_equals") or node, "identifier")
            break
    paths = [part for part in parts if kind_of(part) in PATHS + ("generic_name", "predefined_type")]
    if paths:
        module = text(paths[-1])
        if not module or "<" in module:
            module = path_of(paths[-1]).callee()
        found.import_(module, (), text(alias), line)
    return True


def include(node, found, line):
    found.import_(string(field(node, "path") or first(node, *STRINGS) or first(node, "string")), (), None, line)
    return True


def php_include(node, found, line):
    while first(node, "parenthesized_expression"):
        node = first(node, "parenthesized_expression")
    found.import_(string(first(node, "string", "encapsed_string")), (), None, line)
    return True


def bash_source(node, found, line):
    parts = children(node)
    if text(parts[0]) not in ("source", ".") or len(parts) < 2:
        return False
    if kind_of(parts[1]) not in ("word", "string", "raw_string") or first(parts[1], "simple_expansion", "expansion", "command_substitution"):
        return False
    found.import_(string(parts[1]), (), None, line)
    return True


def php_use(node, found, line):
    group, space = first(node, "namespace_use_group"), first(node, "namespace_name")
    if not group:
        for clause in children(node):
            if kind_of(clause) == "namespace_use_clause":
                dotted("\\")(clause, found, line)
    else:
        names = [aliased(item) for item in children(group) if kind_of(item) in ("namespace_use_clause", "namespace_use_group_clause")]
        found.import_(text(space), names, None, line)
    return True


def rust_use(node, found, line):
    rust_tree(rust_parts(node), [], found, line)
    return True


def rust_parts(node):
    """Paths and trees: also `self`, `super` and `crate`, which are words."""
    words = COMMENTS | {"use", "as", "pub", "visibility_modifier"}
    return [child for child in children(node) if kind_of(child).isidentifier() and kind_of(child) not in words]


def rust_tree(parts, path, found, line):
    leaves, deeper = [], []
    for part in parts:
        kind = kind_of(part)
        if kind in ("scoped_use_list", "use_list"):
            items = rust_parts(part)
            ahead = items[0] if kind == "scoped_use_list" and kind_of(items[0]) != "use_list" else None
            inner = first(part, "use_list") if kind == "scoped_use_list" else part
            deeper.append((path + (text(ahead).split("::") if ahead else []), rust_parts(inner)))
        elif kind == "use_as_clause":
            name, alias = text(rust_parts(part)[0]), text(rust_parts(part)[-1])
            *ahead, name = name.split("::")
            leaves.append((path + ahead, name, alias))
        elif kind == "use_wildcard":
            ahead = rust_parts(part)
            leaves.append((path + (text(ahead[0]).split("::") if ahead else []), "*", None))
        elif text(part):
            *ahead, name = text(part).split("::")
            leaves.append((path + ahead, name, None))
    together = [(name, alias) for ahead, name, alias in leaves if ahead == path]
    if path and together:
        found.import_("::".join(path), together, None, line)
    for ahead, name, alias in leaves:
        if not ahead:
            found.import_(name, (), alias, line)
        elif ahead != path:
            found.import_("::".join(ahead), [(name, alias)], None, line)
    for ahead, items in deeper:
        rust_tree(items, ahead, found, line)


def rust_crate(node, found, line):
    parts = [text(child) for child in children(node) if kind_of(child) in ("identifier", "self")]
    found.import_(parts[0] if parts else None, (), parts[1] if len(parts) > 1 else None, line)
    return True


def scala_import(node, found, line):
    groups = [[]]
    for part in children(node):
        if kind_of(part) == ",":
            groups.append([])
        elif kind_of(part).isidentifier() and kind_of(part) not in COMMENTS | {"import"}:
            groups[-1].append(part)
    for parts in groups:
        names = ("identifier", "type_identifier", "stable_identifier")
        path = ".".join(text(part) for part in parts if kind_of(part) in names)
        chosen = [part for part in parts if kind_of(part) not in names]
        if chosen and kind_of(chosen[0]) in ("namespace_selectors", "import_selectors"):
            chosen = named(chosen[0])
        if chosen:
            found.import_(path, [scala_selector(item) for item in chosen], None, line)
        elif "." in path:
            found.import_(path.rpartition(".")[0], [(path.rpartition(".")[2], None)], None, line)
        else:
            found.import_(path, (), None, line)
    return True


def scala_selector(item):
    if kind_of(item) in ("namespace_wildcard", "wildcard") or text(item) == "_":
        return "*", None
    return aliased(item) if kind_of(item).endswith("renamed_identifier") else (text(item), None)


READERS = {
    ("python", "import_statement"): python_import, ("python", "import_from_statement"): python_from,
    ("python", "future_import_statement"): python_from, ("javascript", "import_statement"): js_import,
    ("javascript", "export_statement"): js_export, ("javascript", "call_expression"): called("require", "import"),
    ("go", "import_spec"): go_spec, ("rust", "use_declaration"): rust_use, ("rust", "extern_crate_declaration"): rust_crate,
    ("java", "import_declaration"): dotted("."), ("c", "preproc_include"): include, ("c#", "using_directive"): whole,
    ("ruby", "call"): called("require", "require_relative", "load"), ("php", "namespace_use_declaration"): php_use,
    ("php", "require_expression"): php_include, ("php", "require_once_expression"): php_include, ("php", "include_expression"): php_include,
    ("php", "include_once_expression"): php_include, ("bash", "command"): bash_source, ("kotlin", "import_header"): dotted("."),
    ("kotlin", "import"): dotted("."), ("swift", "import_declaration"): whole, ("scala", "import_declaration"): scala_import,
    ("lua", "function_call"): called("require"), ("lua", "call"): called("require"),
}
