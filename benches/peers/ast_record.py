"""What every peer does with one AST file: read it, hash it, parse it, count in it, make one NDJSON line.

As a command, for peers that start processes: `ast_record.py TREE LIST OUT` does this for the files that LIST
names (relative to TREE, each ended by a NUL) and replaces OUT in one step.
"""

import argparse
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain

import orjson

try:
    from blake3 import blake3
except ImportError:

    def blake3(content: bytes):
        return hashlib.blake2b(content, digest_size=32)


SUFFIXES = (".ast.json", ".syntax.json", "_ast.json")
KIND_FIELDS = ("_type", "ast_type", "node_type", "nodeType", "_kind", "type", "kind")


def arguments(description: str) -> argparse.ArgumentParser:
    """The arguments that all peers have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("tree", type=os.path.abspath)
    parser.add_argument("state", type=os.path.abspath, help="folder for records and whatever else the peer keeps")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    return parser


def find(tree: str, inner: str = "") -> Iterator[str]:
    """Paths of the AST files below the tree, relative to it, in the same order each time."""
    with os.scandir(os.path.join(tree, inner)) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = os.path.join(inner, entry.name)
            if entry.is_dir(follow_symlinks=False):
                yield from find(tree, path)
            elif entry.name.endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
                yield path


def count(document: object, content: bytes) -> dict:
    """Values, nesting, and the kinds of nodes, level by level: no document is too deep for that."""
    values, depth, level, objects = 0, 0, [document], []
    while level:
        values += len(level)
        inner = [value for value in level if type(value) is dict]
        arrays = [value for value in level if type(value) is list]
        depth += bool(inner or arrays)
        objects += inner
        level = [*chain.from_iterable(map(dict.values, inner)), *chain.from_iterable(arrays)]
    # Most documents have one or two of the fields: looking for a name's bytes costs less than asking each object.
    fields = [field for field in KIND_FIELDS if field.encode() in content]
    kinds = {field: Counter(x[field] for x in objects if type(x.get(field)) is str) for field in fields}
    field = max(kinds, key=lambda field: kinds[field].total(), default=None)
    best = kinds.get(field, Counter())
    return {
        "values": values,
        "depth": depth,
        "nodes": best.total(),
        "kind_field": field if best else None,
        "kinds": dict(best.most_common()),
    }


def line(path: str, content: bytes) -> bytes:
    """The record of a file with this content."""
    record = {"path": os.fsencode(path).decode(errors="replace"), "status": "ok", "size": len(content)}
    record["digest"] = blake3(content).hexdigest()
    try:
        record["result"] = count(orjson.loads(content), content)
    except orjson.JSONDecodeError as error:
        record |= {"status": "failed", "error": str(error)}
    return orjson.dumps(record) + b"\n"


def process(tree: str, path: str) -> bytes:
    """Reads a file, and returns its record."""
    with open(os.path.join(tree, path), "rb") as file:
        return line(path, file.read())


def main() -> None:
    tree, names, out = sys.argv[1:]
    with open(names, "rb") as file:
        paths = [os.fsdecode(name) for name in file.read().split(b"\0") if name]
    with open(out + ".tmp", "wb") as file:
        file.writelines(process(tree, path) for path in paths)
    os.replace(out + ".tmp", out)


if __name__ == "__main__":
    main()
