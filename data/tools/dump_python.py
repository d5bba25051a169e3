"""Dumps Python's own AST as JSON: dump_python.py KIND_FIELD|ast2json SOURCE OUT"""

import ast
import json
import sys
from pathlib import Path


def plain(node, kind_field):
    if isinstance(node, ast.AST):
        fields = {kind_field: type(node).__name__}
        fields |= {name: plain(value, kind_field) for name, value in ast.iter_fields(node)}
        for place in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            if hasattr(node, place):
                fields[place] = getattr(node, place)
        return fields
    if isinstance(node, list):
        return [plain(item, kind_field) for item in node]
    return node if isinstance(node, (str, int, float, bool, type(None))) else repr(node)


kind_field, source, out = sys.argv[1:]
tree = ast.parse(Path(source).read_text(encoding="utf-8"), source)
if kind_field == "ast2json":
    from ast2json import ast2json

    tree = ast2json(tree)
else:
    tree = plain(tree, kind_field)
style = {"indent": 1} if kind_field == "node_type" else {"separators": (",", ":"), "ensure_ascii": False}
Path(out).write_text(json.dumps(tree, **style) + "\n", encoding="utf-8")
