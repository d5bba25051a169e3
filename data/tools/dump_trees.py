"""Dumps all Python sources below a folder: dump_trees.py SOURCES OUT PARSER...

A parser is ast, ast2json or tree-sitter. OUT gets a folder for each, with a dump of each source at its path below
SOURCES. A source that a parser does not read is told.
"""

import json
import sys
from pathlib import Path

import dump_python


def reader_of(parser):
    if parser != "tree-sitter":
        style = "_type" if parser == "ast" else parser
        return lambda source: dump_python.dump(source, style)
    import dump_tree_sitter

    grammar = dump_tree_sitter.parser_of("python")
    return lambda source: dump_tree_sitter.dump(grammar, source)


def text_of(source, read):
    """The dump, and why there is none."""
    try:
        tree = read(source)
        return (json.dumps(tree, separators=(",", ":")), None) if tree else (None, "an error")
    except (SyntaxError, ValueError, RecursionError) as error:
        return None, f"{type(error).__name__}: {error}"


sys.setrecursionlimit(30_000)
sources, out = map(Path, sys.argv[1:3])
for parser in sys.argv[3:]:
    read = reader_of(parser)
    for source in sorted(sources.rglob("*.py")):
        text, problem = text_of(source, read)
        if problem:
            print(f"not read by {parser}: {source}: {problem}", file=sys.stderr)
            continue
        target = out / parser / f"{source.relative_to(sources)}.ast.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
