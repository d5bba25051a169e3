#!/usr/bin/env bash
# data/make_agree.sh FAMILY SOURCES OUT: reads all sources of a family below SOURCES with each of its parsers, and writes
# the dumps to OUT/FAMILY/PARSER. Then `OUTLAST_AGREE_TREES=OUT cargo test --test it agree:: -- --nocapture` compares them.
# Needs what make_sample.sh needs; WORK keeps the parsers between two calls.
# python: PYTHON is the command whose `ast` reads, of Python 3.8 or later; `node tools/pyodide.mjs` is one, too.
# cpp: CLANG is the clang that reads.
set -euo pipefail
cd "$(dirname "$0")"
tools=$PWD/tools
family=$1
sources=$(realpath "$2")
mkdir -p "$3/$family"
out=$(realpath "$3/$family")
work=${WORK:-$(mktemp -d)}

case $family in
python)
  home=$work/python
  [ -d "$home" ] || python3 -m venv "$home"
  "$home/bin/python" -m pip -q install tree-sitter==0.26.1 tree-sitter-python==0.25.0
  [ -d "$work/ast2json" ] || "$home/bin/python" -m pip -q install --target "$work/ast2json" ast2json==0.4
  "$home/bin/python" "$tools/dump_trees.py" "$sources" "$out" tree-sitter
  # shellcheck disable=SC2086 # A command with its arguments.
  PYTHONPATH=$work/ast2json ${PYTHON:-python3} "$tools/dump_trees.py" "$sources" "$out" ast ast2json
  ;;
javascript)
  npm install --prefix "$work" --no-audit --no-fund --silent --legacy-peer-deps \
    acorn@8.19.0 typescript@6.0.3 @typescript-eslint/typescript-estree@8.73.0 @babel/parser@7.29.15 @swc/core@1.16.22 \
    oxc-parser@0.159.0 hermes-parser@0.37.0 flow-parser@0.339.0 tree-sitter@0.25.1 tree-sitter-javascript@0.25.0 \
    tree-sitter-typescript@0.23.2
  NODE_PATH=$work/node_modules node "$tools/dump_js_trees.cjs" "$sources" "$out"
  ;;
grammars)
  home=$work/agree-grammars
  [ -d "$home" ] || python3 -m venv "$home"
  # The same releases as those of the project's own dumps.
  mapfile -t packages < <(grep -oE 'tree-sitter(-[a-z-]+)?==[0-9.]+' make_dialects.sh)
  "$home/bin/python" -m pip -q install "${packages[@]}"
  npm install --prefix "$home" --no-audit --no-fund --silent web-tree-sitter@0.20.8 tree-sitter-wasms@0.1.13
  "$home/bin/python" "$tools/dump_releases.py" "$sources" "$out" \
    | NODE_PATH=$home/node_modules node "$tools/dump_tree_sitter_wasm.cjs"
  ;;
cpp)
  home=$work/python
  [ -d "$home" ] || python3 -m venv "$home"
  "$home/bin/python" -m pip -q install tree-sitter==0.26.1 tree-sitter-cpp==0.23.4
  "$home/bin/python" "$tools/dump_headers.py" "$sources" "$out" "${CLANG:-clang}"
  ;;
*)
  echo "no family is named $family" >&2
  exit 2
  ;;
esac
