"""Says what a record's `result` must be, without `confidence`: see README.md.

count.py FILE [DIALECT] | count.py --write | count.py --check
"""

import json
import sys
from collections import Counter
from pathlib import Path

import common
import dialect_clang
import dialect_class_model
import dialect_estree
import dialect_python
import dialect_syn
import dialect_tree_sitter

KIND_FIELDS = ("_type", "ast_type", "node_type", "nodeType", "_kind", "type", "kind")
KINDS_MAX = 1000
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DIALECTS = {
    "python-ast": dialect_python.walk, "estree": dialect_estree.walk, "tree-sitter": dialect_tree_sitter.walk,
    "clang": dialect_clang.walk, "syn": dialect_syn.walk, "class-model": dialect_class_model.walk,
    "generic": lambda document, path, found: "unknown",
}
TAGGED = {"syn": dialect_syn.tag, "class-model": dialect_class_model.tag}
# The first part that fits decides: a folder's name, or how a file's path begins below data/.
FOLDERS = (
    ("sample/typescript/.compiler/", "generic"), ("sample/typescript/", "estree"), ("sample/javascript/", "estree"),
    ("sample/python/", "python-ast"), ("sample/.generated/python/", "python-ast"), ("sample/c/", "clang"),
    ("sample/rust/", "syn"), ("sample/java/", "class-model"), ("sample/go/", "tree-sitter"), ("sample/ruby/", "tree-sitter"),
)


def size(value, tag, key="", depth=0):
    """JSON values and greatest depth; `tag` sees each object, with the key of the array or object around."""
    if isinstance(value, dict):
        tag(value, key)
        parts = [size(item, tag, name) for name, item in value.items()]
    elif isinstance(value, list):
        parts = [size(item, tag, f"{key}[]") for item in value]
    else:
        return 1, 0
    return 1 + sum(count for count, _ in parts), 1 + max((deep for _, deep in parts), default=0)


def kinds_of(document, dialect):
    tallies = {field: Counter() for field in KIND_FIELDS}
    tags = Counter()

    def tag(value, key):
        for field in KIND_FIELDS:
            if isinstance(value.get(field), str):
                tallies[field][value[field]] += 1
        found = TAGGED[dialect](value, key) if dialect in TAGGED else None
        if found:
            tags[found] += 1

    values, depth = size(document, tag)
    field = max(KIND_FIELDS, key=lambda field: tallies[field].total())
    kinds = tallies[field]
    if dialect in TAGGED:
        field, kinds = None, tags
    elif not kinds:
        field = None
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    result = {"values": values, "depth": depth, "nodes": kinds.total(), "kind_field": field, "kinds": dict(ordered[:KINDS_MAX])}
    omitted = sum(count for _, count in ordered[KINDS_MAX:])
    return result | ({"kinds_omitted": omitted} if omitted else {})


def result_of(path, dialect):
    document = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    found = common.Found()
    counted = kinds_of(document, dialect)
    language = DIALECTS[dialect](document, str(path), found)
    return {"dialect": dialect, "language": language} | counted | common.finish(found)


def dialect_of(path):
    """The dialect that the folder names."""
    below = path.relative_to(ROOT / "data").as_posix()
    for start, dialect in FOLDERS:
        if below.startswith(start):
            return dialect
    for part in below.split("/"):
        if part in DIALECTS:
            return part
    return None


def text_of(result):
    """Diffable JSON: a member a line, an entry of the lists a line."""
    compact = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    lines = []
    for name, value in result.items():
        if isinstance(value, list) and value:
            lines.append(f'"{name}":[\n' + ",\n".join(compact(entry) for entry in value) + "\n]")
        else:
            lines.append(f'"{name}":{compact(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def samples():
    for path in sorted((ROOT / "data").rglob("*")):
        inside = path.relative_to(ROOT / "data").parts[0] in ("sample", "dialects")
        if inside and path.is_file() and path.name.endswith((".ast.json", ".syntax.json", "_ast.json")):
            yield path


def all_samples(write):
    expected, stale = {}, 0
    for path in samples():
        dialect = dialect_of(path)
        if dialect is None:
            print(f"no dialect is known for {path.relative_to(ROOT)}", file=sys.stderr)
            stale += 1
            continue
        expected[HERE / "expected" / path.relative_to(ROOT / "data")] = text_of(result_of(path, dialect))
    there = set((HERE / "expected").rglob("*.json"))
    for target, text in expected.items():
        if target in there and target.read_text(encoding="utf-8") == text:
            continue
        stale += not write
        print(f"{'writes' if write else 'differs:'} {target.relative_to(ROOT)}")
        if write:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    for target in sorted(there - set(expected)):
        stale += not write
        print(f"{'removes' if write else 'without a sample:'} {target.relative_to(ROOT)}")
        if write:
            target.unlink()
    return 1 if stale else 0


def main(arguments):
    sys.setrecursionlimit(30_000)
    if arguments in (["--write"], ["--check"]):
        return all_samples(arguments == ["--write"])
    path = Path(arguments[0]).resolve()
    sys.stdout.write(text_of(result_of(path, arguments[1] if len(arguments) > 1 else dialect_of(path))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
