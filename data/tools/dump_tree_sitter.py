"""Dumps a tree-sitter tree as JSON: dump_tree_sitter.py go|ruby SOURCE OUT"""

import importlib
import json
import sys
from pathlib import Path

import tree_sitter


def plain(cursor):
    node = cursor.node
    fields = {"type": node.type, "start": list(node.start_point), "end": list(node.end_point)}
    if cursor.field_name:
        fields["field"] = cursor.field_name
    if not cursor.goto_first_child():
        return fields | {"text": node.text.decode()}
    children = [plain(cursor)]
    while cursor.goto_next_sibling():
        children.append(plain(cursor))
    cursor.goto_parent()
    return fields | {"children": children}


name, source, out = sys.argv[1:]
language = tree_sitter.Language(importlib.import_module(f"tree_sitter_{name}").language())
tree = tree_sitter.Parser(language).parse(Path(source).read_bytes())
assert not tree.root_node.has_error, source
Path(out).write_text(json.dumps(plain(tree.walk()), ensure_ascii=False, separators=(",", ":")) + "\n")
