"""Dumps a tree-sitter tree as JSON: dump_tree_sitter.py LANGUAGE SOURCE OUT [STYLE]

LANGUAGE is the name of a grammar's Python package behind `tree_sitter_`; a dot and a name behind it say which of
the package's grammars (typescript.tsx), and `pack.cuda` is one of tree-sitter-language-pack's. What the styles tell of a node, beside its type and its children:

leaves   start and end as [row, column], the field's name under `field`, the text of leaves (the usual one)
points   start_point and end_point as [row, column], `field_name`, the text of leaves
text     start_point and end_point as {"row","column"}, `named`, the text of all nodes; no field names
shape    start_point and end_point as {"row","column"}, `field_name`; no text
bare     nothing but start_point and end_point as [row, column]
"""

import importlib
import json
import sys
from pathlib import Path

import tree_sitter


def told(node, field, style):
    if style == "leaves":
        return {"start": list(node.start_point), "end": list(node.end_point)} | ({"field": field} if field else {})
    if style in ("points", "bare"):
        fields = {"start_point": list(node.start_point), "end_point": list(node.end_point)}
        return fields | ({"field_name": field} if style == "points" and field else {})
    places = {"start_point": node.start_point, "end_point": node.end_point}
    fields = {name: {"row": place.row, "column": place.column} for name, place in places.items()}
    if style == "shape":
        return fields | {"field_name": field}
    return {"named": node.is_named} | fields | {"text": node.text.decode()}


def plain(cursor, style):
    node = cursor.node
    fields = {"type": node.type} | told(node, cursor.field_name, style)
    if not cursor.goto_first_child():
        if style in ("leaves", "points"):
            return fields | {"text": node.text.decode()}
        return fields | {"children": []}
    children = [plain(cursor, style)]
    while cursor.goto_next_sibling():
        children.append(plain(cursor, style))
    cursor.goto_parent()
    return fields | {"children": children}


def parser_of(name):
    """A parser for a grammar: LANGUAGE, as above."""
    name, _, grammar = name.partition(".")
    if name == "pack":
        return importlib.import_module("tree_sitter_language_pack").get_parser(grammar)
    language = getattr(importlib.import_module(f"tree_sitter_{name}"), f"language_{grammar}" if grammar else "language")
    return tree_sitter.Parser(tree_sitter.Language(language()))


def dump(parser, source, style="leaves"):
    """The tree of a source file without an error, else None."""
    tree = parser.parse(Path(source).read_bytes())
    return None if tree.root_node.has_error else plain(tree.walk(), style)


if __name__ == "__main__":
    name, source, out, *rest = sys.argv[1:]
    tree = dump(parser_of(name), source, *rest)
    assert tree, source
    Path(out).write_text(json.dumps(tree, ensure_ascii=False, separators=(",", ":")) + "\n")
