#!/usr/bin/env bash
# Makes data/sample anew from data/sources with real parsers. Needs python3 3.11, node 20, clang, a JDK 17
# or later, cargo, and the network for the parsers. WORK keeps them between two calls.
set -euo pipefail
cd "$(dirname "$0")"
data=$PWD
work=${WORK:-$(mktemp -d)}
mkdir -p "$work/rust/src"

if [ ! -d "$work/python" ]; then
  python3 -m venv "$work/python"
  "$work/python/bin/pip" -q install tree-sitter==0.26.1 tree-sitter-go==0.25.0 tree-sitter-ruby==0.23.1
fi
if [ ! -d "$work/node_modules" ]; then
  npm install --prefix "$work" --no-audit --no-fund --silent \
    acorn@8.19.0 typescript@6.0.3 @typescript-eslint/typescript-estree@8.73.0
fi
cp tools/dump_rust.rs "$work/rust/src/main.rs"
cat > "$work/rust/Cargo.toml" <<'TOML'
[package]
name = "dump_rust"
version = "0.0.0"
edition = "2024"
[dependencies]
syn = { version = "2", features = ["full"] }
syn-serde = { version = "0.3", features = ["json"] }
TOML
cargo build --quiet --manifest-path "$work/rust/Cargo.toml" --target-dir "$work/rust/target"

rm -rf sample
cd sources
# out FOLDER NAME: the path of a dump, in a folder that exists.
out() { mkdir -p "$data/sample/$1" && printf '%s/sample/%s/%s' "$data" "$1" "$2"; }
each() { find "$1" -name "$2" -type f -print0 | sort -z; }

each python/inventory '*.py' | while IFS= read -r -d '' source; do
  python3 "$data/tools/dump_python.py" _type "$source" "$(out "${source%/*}" "${source##*/}.ast.json")"
done
each python/tests '*.py' | while IFS= read -r -d '' source; do
  python3 "$data/tools/dump_python.py" node_type "$source" "$(out ".generated/${source%/*}" "${source##*/}_ast.json")"
done
export NODE_PATH=$work/node_modules
each javascript '*.js' | while IFS= read -r -d '' source; do
  node "$data/tools/dump_js.cjs" acorn "$source" "$(out "${source%/*}" "${source##*/}.ast.json")"
done
each typescript '*.ts*' | while IFS= read -r -d '' source; do
  node "$data/tools/dump_js.cjs" estree "$source" "$(out "${source%/*}" "${source##*/}.ast.json")"
  node "$data/tools/dump_js.cjs" typescript "$source" "$(out "typescript/.compiler/${source#*/}" "tree.syntax.json")"
done
each c '*.c' | while IFS= read -r -d '' source; do
  clang -fsyntax-only -Xclang -ast-dump=json "$source" \
    | python3 "$data/tools/dump_clang.py" "$(out c "${source##*/}.ast.json")"
done
each rust '*.rs' | while IFS= read -r -d '' source; do
  "$work/rust/target/debug/dump_rust" "$source" "$(out "${source%/*}" "${source##*/}.syntax.json")"
done
out java/shop '' > /dev/null
java "$data/tools/ClassModel.java" "$data/sample/java/shop" java/shop/*.java
each go '*.go' | while IFS= read -r -d '' source; do
  "$work/python/bin/python" "$data/tools/dump_tree_sitter.py" go "$source" "$(out "${source%/*}" "${source##*/}.syntax.json")"
done
each ruby '*.rb' | while IFS= read -r -d '' source; do
  "$work/python/bin/python" "$data/tools/dump_tree_sitter.py" ruby "$source" "$(out ruby "${source##*/}_ast.json")"
done
cat > "$data/sample/README.txt" <<'TEXT'
Syntax trees of a small inventory program in eight languages. How they were made: ../README.md.
This file is here so that a run has something to leave out: its name matches no include glob.
TEXT
echo "$(find "$data/sample" -name '*.json' | wc -l) files, $(du -sb "$data/sample" | cut -f1) bytes"
