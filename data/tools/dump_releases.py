"""Dumps all sources below a folder with the grammar of its extension, from a Python wheel: dump_releases.py SOURCES OUT

OUT/wheel gets the dumps. On standard output stands a line for dump_tree_sitter_wasm.cjs for each, which makes OUT/wasm.
A source with an error is left out.
"""

import json
import sys
from pathlib import Path

import dump_tree_sitter

# The grammar's name in a wheel, as dump_tree_sitter.py takes it, and in tree-sitter-wasms.
GRAMMARS = {
    "sh": ("bash", "bash"), "c": ("c", "c"), "h": ("c", "c"), "cpp": ("cpp", "cpp"), "cc": ("cpp", "cpp"), "go": ("go", "go"),
    "java": ("java", "java"), "js": ("javascript", "javascript"), "kt": ("kotlin", "kotlin"), "lua": ("lua", "lua"),
    "cs": ("c_sharp", "c_sharp"), "php": ("php.php", "php"), "py": ("python", "python"), "rb": ("ruby", "ruby"), "rs": ("rust", "rust"),
    "scala": ("scala", "scala"), "swift": ("swift", "swift"), "ts": ("typescript.typescript", "typescript"),
    "tsx": ("typescript.tsx", "tsx"),
}

sys.setrecursionlimit(30_000)
sources, out = map(Path, sys.argv[1:])
parsers = {}
for source in sorted(sources.rglob("*.*")):
    if source.suffix[1:] not in GRAMMARS or not source.is_file():
        continue
    wheel, wasm = GRAMMARS[source.suffix[1:]]
    tree = dump_tree_sitter.dump(parsers.setdefault(wheel, dump_tree_sitter.parser_of(wheel)), source)
    if not tree:
        continue
    name = f"{source.relative_to(sources)}.ast.json"
    target = out / "wheel" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(tree, separators=(",", ":")), encoding="utf-8")
    print(wasm, source, out / "wasm" / name, sep="\t")
