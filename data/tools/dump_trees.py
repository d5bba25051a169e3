"""Dumps all Python sources below a folder with each of Python's parsers: dump_trees.py SOURCES OUT

OUT gets a folder for each parser, with a dump of each source at its path below SOURCES. A source that one of them
does not read is left out, and told.
"""

import json
import sys
from pathlib import Path

import dump_python
import dump_tree_sitter

grammar = dump_tree_sitter.parser_of("python")
PARSERS = {
    "ast": lambda source: dump_python.dump(source, "_type"),
    "ast2json": lambda source: dump_python.dump(source, "ast2json"),
    "tree-sitter": lambda source: dump_tree_sitter.dump(grammar, source),
}

sys.setrecursionlimit(30_000)
sources, out = map(Path, sys.argv[1:])
for source in sorted(sources.rglob("*.py")):
    try:
        trees = {name: dump(source) for name, dump in PARSERS.items()}
        texts = {name: json.dumps(tree, separators=(",", ":")) for name, tree in trees.items()}
        problem = None if all(trees.values()) else "tree-sitter finds an error"
    except (SyntaxError, ValueError, RecursionError) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        print(f"left out: {source}: {problem}", file=sys.stderr)
        continue
    for name, text in texts.items():
        target = out / name / f"{source.relative_to(sources)}.ast.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
