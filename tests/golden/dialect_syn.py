"""Rust as syn-serde tells it."""

from common import Path, Scope, name_of

TAGS = set("""angle_bracketed array assign assoc_const assoc_type async await bare_fn binary block break call cast closure const
constraint continue enum expr extern_crate field fn for_loop foreign_mod glob group ident if impl impl_trait index infer item let
lifetime list lit loop macro match meta method method_call mod name_value named never or paren parenthesized path ptr punct range
raw_addr receiver reference rename repeat rest restricted return slice static struct trait trait_alias trait_object try try_block
tuple tuple_struct type typed unary union unnamed unsafe use verbatim while wild yield""".split())
LITERALS = {"str", "byte_str", "c_str", "byte", "char", "int", "float", "bool"}
ITEMS = {"fn", "method", "struct", "union", "enum", "trait", "type", "mod", "const", "static", "use", "extern_crate", "impl"}
KINDS = {"struct": "struct", "union": "struct", "enum": "enum", "trait": "interface", "type": "type_alias", "mod": "module"}


def tag(value, key):
    if len(value) != 1:
        return None
    (name, inner), = value.items()
    if name in LITERALS:
        return name
    fits = list if name == "expr" else (dict, list)
    return name if name in TAGS and isinstance(inner, fits) else None


def walk(document, path, found):
    visit(document, Scope(), found)
    return "rust"


def visit(node, scope, found, within=None):
    """`within`: `trait`, or `impl` of one, where the items are members of it."""
    if isinstance(node, list):
        for part in node:
            visit(part, scope, found, within)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in ("items", "content") and isinstance(value, list):
            for entry in value:
                item(entry, scope, found, within)
        elif key == "item" and isinstance(value, dict):
            item(value, scope, found, None)
        else:
            expression(key, value, scope, found)


def item(entry, scope, found, within):
    (tagged, value), = entry.items() if isinstance(entry, dict) and len(entry) == 1 else ((None, entry),)
    if tagged not in ITEMS or not isinstance(value, dict):
        return visit(entry, scope, found)
    name = value.get("ident") if value.get("ident") != "_" else None
    visibility = None if within in ("trait", "impl") else seen(value.get("vis"))
    inner, around = scope, None
    if tagged in ("fn", "method"):
        kind = "method" if within else "function"
        receiver = any(isinstance(part, dict) and "receiver" in part for part in value.get("inputs") or [])
        inner = found.symbol(scope, kind, name, visibility=visibility, is_async=value.get("async") is True,
                             static=kind == "method" and not receiver)
    elif tagged in KINDS:
        inner = found.symbol(scope, KINDS[tagged], name, visibility=visibility)
        around = "trait" if tagged == "trait" else None
    elif tagged in ("const", "static"):
        if not scope.in_function and not within:
            found.symbol(scope, "constant" if tagged == "const" else "variable", name, visibility=visibility)
    elif tagged == "impl":
        inner = Scope(scope, type_name(value.get("self_ty")))
        around = "impl" if value.get("trait") else "own"
    elif tagged == "extern_crate":
        found.import_(value.get("ident"), (), value.get("rename"))
    else:
        use(value.get("tree"), [], found)
        return
    visit(value, inner, found, around)


def seen(vis):
    if vis == "pub":
        return "public"
    return "package" if vis == "crate" or isinstance(vis, dict) and "restricted" in vis else "private"


def type_name(node):
    while isinstance(node, dict) and len(node) == 1:
        (tagged, node), = node.items()
        if tagged == "path":
            segments = node.get("segments") if isinstance(node, dict) else None
            return name_of(segments[-1].get("ident")) if segments else None
        node = node.get("elem") if tagged in ("reference", "ptr", "paren", "group") and isinstance(node, dict) else None
    return None


def use(tree, path, found):
    parts = tree
    if isinstance(tree, dict) and "group" in tree:
        parts = tree["group"]
        parts = parts.get("items") if isinstance(parts, dict) else parts
    parts = parts if isinstance(parts, list) else [parts]
    leaves = [leaf for leaf in map(leaf_of, parts) if leaf]
    if path and leaves:
        found.import_("::".join(path), leaves)
    elif not path:
        for name, alias in leaves:
            found.import_(name, (), alias)
    for part in parts:
        if isinstance(part, dict) and isinstance(part.get("path"), dict):
            use(part["path"].get("tree"), path + [part["path"].get("ident")], found)
        elif isinstance(part, dict) and "group" in part and part is not tree:
            use(part, path, found)


def leaf_of(part):
    if part == "*" or isinstance(part, dict) and "glob" in part:
        return "*", None
    if isinstance(part, dict) and isinstance(part.get("ident"), str):
        return part["ident"], None
    if isinstance(part, dict) and isinstance(part.get("rename"), dict):
        return part["rename"].get("ident"), part["rename"].get("rename")
    return None


def expression(key, value, scope, found):
    inner = scope
    if isinstance(value, dict):
        if key in ("if", "while", "for_loop"):
            found.branch(scope)
        elif key == "binary" and value.get("op") in ("&&", "||"):
            found.branch(scope)
        elif key == "match" and isinstance(value.get("arms"), list):
            found.branch(scope, max(0, len(value["arms"]) - 1))
        elif key == "call" and "func" in value:
            found.call(scope, callee(value["func"]))
        elif key == "method_call" and "method" in value:
            found.call(scope, callee(value.get("receiver")) + value["method"])
        elif key == "closure":
            inner = Scope(scope, function=True)
    visit(value, inner, found)


def callee(node):
    if not isinstance(node, dict) or len(node) != 1:
        return Path()
    (tagged, value), = node.items()
    if not isinstance(value, dict):
        return Path()
    if tagged == "path":
        return Path(*[segment["ident"] for segment in value.get("segments", [])])
    if tagged == "field":
        return callee(value.get("base")) + value.get("ident")
    if tagged in ("paren", "group", "try", "await"):
        return callee(value.get("expr", value.get("base")))
    return Path()
