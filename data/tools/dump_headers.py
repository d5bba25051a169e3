"""Dumps C++ headers as two parsers read them: dump_headers.py SOURCES OUT [CLANG]

What both are to read is one source, so each header is what its preprocessor leaves of it: macros are replaced, and each
#include stands for a file that holds all it brings in. OUT/clang and OUT/tree-sitter have a dump for each header that
clang reads without an error; of those that tree-sitter cannot read to the end there is none, and their names are told.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Of what is no C++ but what compilers add to it, tree-sitter knows little.
OPTIONS = ["-w", "-x", "c++", "-std=c++20", "-D__attribute__(x)=", "-D__extension__=", "-D__restrict=", "-D__inline=inline"]
MARKER = re.compile(r'# (\d+) "([^"]*)"((?: \d)*)')


def parted(header, clang, folder):
    """What is left of a header, with one line for each file that it includes; these files are written to the folder."""
    told = subprocess.run([clang, *OPTIONS, "-E", str(header)], capture_output=True, text=True, errors="replace")
    if told.returncode:
        return None
    lines, included, depth, number, parts = {}, [], 0, 1, 0
    for line in told.stdout.splitlines():
        marker = MARKER.match(line)
        if not marker:
            if depth == 0:
                lines[number] = line
            else:
                included.append(line)
            number += 1
            continue
        flags = marker[3].split()
        if marker[2] == str(header) and depth <= 1:
            if included:
                (folder / f"part{parts}.h").write_text("\n".join(included) + "\n")
                lines[int(marker[1]) - 1] = f'#include "part{parts}.h"'
                parts, included = parts + 1, []
            depth = 0
        elif not marker[2].startswith("<"):
            depth += ("1" in flags) - ("2" in flags)
            depth = max(depth, 1)
        number = int(marker[1])
    return "\n".join(lines.get(at, "") for at in range(1, max(lines, default=0) + 1)) + "\n"


def main():
    sources, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    clang = sys.argv[3] if len(sys.argv) > 3 else "clang"
    tool = Path(__file__).with_name("dump_tree_sitter.py")
    unread = {"clang": [], "tree-sitter": []}
    for header in sorted(path for path in sources.rglob("*") if path.is_file() and path.suffix in ("", ".h", ".hpp", ".tcc")):
        name = header.relative_to(sources)
        dumps = {parser: out / parser / f"{name}.hpp.ast.json" for parser in unread}
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "header.hpp"
            text = parted(header, clang, Path(folder))
            if text is None:
                unread["clang"].append(str(name))
                continue
            source.write_text(text)
            for dump in dumps.values():
                dump.parent.mkdir(parents=True, exist_ok=True)
            with dumps["clang"].open("wb") as dump:
                told = subprocess.run([clang, *OPTIONS, "-fsyntax-only", "-Xclang", "-ast-dump=json", str(source)], stdout=dump, stderr=subprocess.DEVNULL)
            if told.returncode:
                unread["clang"].append(str(name))
                dumps["clang"].unlink()
            elif subprocess.run([sys.executable, str(tool), "cpp", str(source), str(dumps["tree-sitter"])], stderr=subprocess.DEVNULL).returncode:
                unread["tree-sitter"].append(str(name))
                dumps["clang"].unlink()
    for parser, names in unread.items():
        print(f"{parser} cannot read {len(names)}: {' '.join(names)}")


main()
