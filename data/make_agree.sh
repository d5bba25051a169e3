#!/usr/bin/env bash
# data/make_agree.sh FAMILY SOURCES OUT: reads all sources of a family below SOURCES with each of its parsers, and writes
# the dumps to OUT/FAMILY/PARSER. Then `OUTLAST_AGREE=OUT cargo test --test it agree:: -- --nocapture` compares them.
# Needs what make_sample.sh needs; WORK keeps the parsers between two calls. python: PYTHON is the version that reads.
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
  python=${PYTHON:-python3}
  home=$work/agree-$("$python" -c 'import platform; print(platform.python_version())')
  [ -d "$home" ] || "$python" -m venv "$home"
  "$home/bin/python" -m pip -q install ast2json==0.4 tree-sitter tree-sitter-python==0.25.0
  "$home/bin/python" "$tools/dump_trees.py" "$sources" "$out"
  ;;
*)
  echo "no family is named $family" >&2
  exit 2
  ;;
esac
