"""Dumps Python's own AST as JSON: dump_python.py KIND_FIELD|ast2json SOURCE OUT"""

import ast
import json
import sys
from pathlib import Path


def plain(node, kind_field):
    if isinstance(node, ast.AST):
        fields = {kind_field: type(node).__name__}
        fields.update({name: plain(value, kind_field) for name, value in ast.iter_fields(node)})
        for place in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            if hasattr(node, place):
                fields[place] = getattr(node, place)
        return fields
    if isinstance(node, list):
        return [plain(item, kind_field) for item in node]
    return node if isinstance(node, (str, int, float, bool, type(None))) else repr(node)


def dump(source, style):
    """The tree of a source file, in a style: the name of the kind field, or ast2json."""
    tree = ast.parse(Path(source).read_bytes(), source)
    if style == "ast2json":
        from ast2json import ast2json

        return ast2json(tree)
    return plain(tree, style)


if __name__ == "__main__":
    style, source, out = sys.argv[1:]
    layout = {"indent": 1} if style == "node_type" else {"separators": (",", ":"), "ensure_ascii": False}
    Path(out).write_text(json.dumps(dump(source, style), **layout) + "\n", encoding="utf-8")
