#!/usr/bin/env bash
# GNU parallel over lists of 500 files each; its job log says which lists are done when it is started again.
#
# usage: gnu_parallel.sh TREE STATE [--workers N]      (PYTHON names the interpreter that has orjson)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(realpath "$1")
state=$(realpath -m "$2")
workers=$(nproc)
if [ "${3:-}" = --workers ]; then workers=$4; fi

mkdir -p "$state/records"
# The lists are made once: the job log knows lists, not files, so a tree that has changed needs a new state folder.
if [ ! -d "$state/lists" ]; then
    rm -rf "$state/lists.tmp"
    mkdir "$state/lists.tmp"
    (cd "$tree" && find . -type f \( -name '*.ast.json' -o -name '*.syntax.json' -o -name '*_ast.json' \) -printf '%P\0') |
        LC_ALL=C sort -z | split -t '\0' -l 500 -a 6 -d - "$state/lists.tmp/"
    mv "$state/lists.tmp" "$state/lists"
fi

find "$state/lists" -type f | LC_ALL=C sort |
    parallel --will-cite --jobs "$workers" --joblog "$state/joblog" --resume --halt now,fail=1 \
        "${PYTHON:-python3}" "$here/ast_record.py" "$tree" {} "$state/records/{/}.ndjson"
