"""Tells the nodes of Python's `ast`, release by release: list_python_nodes.py NODES

NODES, which may be missing, gets this Python's nodes: a line for each node with its fields, behind `=` its computed
attributes, and behind `:` the releases that have it so. A computed attribute is another name of a field, or of a
part of it; who writes down all attributes of a node writes it, too. Runs with every Python that has an `ast`.
"""

import ast
import io
import os
import sys
import warnings

warnings.simplefilter("ignore")
PLACES = ("lineno", "col_offset", "end_lineno", "end_col_offset")


def is_node(name, kind):
    if not isinstance(kind, type) or not issubclass(kind, ast.AST) or kind is ast.AST or name.startswith("_"):
        return False
    return ast.AST not in kind.__bases__ or not kind.__subclasses__()


def line_of(name, kind):
    fields = kind._fields or ()
    computed = [one for one in dir(kind) if isinstance(getattr(kind, one, None), property)]
    computed = [one for one in computed if one not in fields and one not in PLACES]
    return " ".join([name] + list(fields) + ["="] + computed)


path = sys.argv[1]
releases = {}
if os.path.exists(path):
    for line in io.open(path, encoding="ascii"):
        node, _, told = line.partition(" : ")
        releases[node] = told.split()
for name in dir(ast):
    if is_node(name, getattr(ast, name)):
        releases.setdefault(line_of(name, getattr(ast, name)), []).append("%d.%d" % sys.version_info[:2])
with io.open(path, "w", encoding="ascii") as out:
    for node in sorted(releases):
        out.write(u"%s : %s\n" % (node, " ".join(releases[node])))
