#!/usr/bin/env bash
# Makes data/dialects anew from data/sources/dialects with real parsers. Needs what make_sample.sh needs.
# WORK keeps the parsers between two calls; it may be the folder of make_sample.sh.
set -euo pipefail
cd "$(dirname "$0")"
data=$PWD
tools=$data/tools
work=${WORK:-$(mktemp -d)}
mkdir -p "$work/rust/src"

python=$work/python/bin/python
[ -d "$work/python" ] || python3 -m venv "$work/python"
"$python" -m pip -q install ast2json==0.4 tree-sitter==0.26.1 tree-sitter-language-pack==0.9.0 tree-sitter-bash==0.25.1 tree-sitter-c==0.24.2 \
  tree-sitter-c-sharp==0.23.5 tree-sitter-cpp==0.23.4 tree-sitter-go==0.25.0 tree-sitter-java==0.23.5 \
  tree-sitter-javascript==0.25.0 tree-sitter-kotlin==1.1.0 tree-sitter-lua==0.5.0 tree-sitter-php==0.25.1 \
  tree-sitter-python==0.25.0 tree-sitter-ruby==0.23.1 tree-sitter-rust==0.24.2 tree-sitter-scala==0.26.3 \
  tree-sitter-swift==0.7.4 tree-sitter-typescript==0.23.2 ziglang==0.17.1
# The grammars name an older tree-sitter as their peer than the one they work with.
npm install --prefix "$work" --no-audit --no-fund --silent --legacy-peer-deps \
  acorn@8.19.0 typescript@6.0.3 @typescript-eslint/typescript-estree@8.73.0 espree@11.2.0 @babel/parser@7.29.15 \
  @swc/core@1.16.22 oxc-parser@0.159.0 hermes-parser@0.37.0 flow-parser@0.339.0 tree-sitter@0.25.1 \
  tree-sitter-javascript@0.25.0 tree-sitter-python@0.25.0 \
  tree-sitter-typescript@0.23.2 @babel/types@7.29.15 @swc/types@0.1.28 @oxc-project/types@0.159.0 \
  @typescript-eslint/types@8.73.0 solc@0.8.37 php-parser@3.7.0 \
  web-tree-sitter@0.20.8 tree-sitter-wasms@0.1.13 pyodide@314.0.7 \
  typescript-estree-5@npm:@typescript-eslint/typescript-estree@5.62.0 oxc-parser-0.30@npm:oxc-parser@0.30.0
export NODE_PATH=$work/node_modules
if [ ! -x "$work/rust/target/debug/dump_rust" ]; then
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
  cargo build --quiet --manifest-path "$work/rust/Cargo.toml" --target-dir "$work/rust/target" < /dev/null
fi

rm -rf dialects
cd sources/dialects
# out FOLDER NAME: the path of a dump, in a folder that exists.
out() { mkdir -p "$data/dialects/$1" && printf '%s/dialects/%s/%s' "$data" "$1" "$2"; }

for style in ast2json ast_type; do
  "$python" "$tools/dump_python.py" "$style" lending.py "$(out "python-ast/$style" lending.py.ast.json)"
done
for style in _type node_type type nodeType _kind; do
  "$python" "$tools/dump_python.py" "$style" grammars/loan.py "$(out "python-ast/$style" loan.py.ast.json)"
done
for style in _type ast2json; do
  "$python" "$tools/dump_python.py" "$style" grammars/corners.py "$(out "python-ast/$style" corners.py.ast.json)"
  PYTHONPATH=$(echo "$work"/python/lib/python3*/site-packages) node "$tools/pyodide.mjs" "$tools/dump_python.py" "$style" \
    grammars/newest.py "$(out "python-ast/$style" newest.py.ast.json)"
done
node "$tools/pyodide.mjs" "$tools/dump_python.py" _type releases/lending.py "$(out python-ast/releases lending.py.ast.json)"
# dump_vyper VERSION FOLDER FORMAT SOURCE: Vyper 0.2 needs a Python of its time. Members stand in the order of hashes.
dump_vyper() {
  local home=$work/vyper-$1 release=${1%.*}
  [ -d "$home" ] || case $release in
    0.2) "${PYTHON38:-python3.8}" -m venv "$home" ;;
    *) python3 -m venv "$home" ;;
  esac
  "$home/bin/python" -m pip -q install "vyper==$1"
  (cd "vyper/$release" && PYTHONHASHSEED=0 "$home/bin/vyper" -f "$3" "$4") |
    sed "s|\"$PWD/|\"|g; s|\"[^\"]*/site-packages/|\"|g" > "$(out "python-ast/$2" "$4.ast.json")"
}
dump_vyper 0.4.3 vyper-0.4 ast lending.vy; dump_vyper 0.4.3 vyper-0.4 ast library.vy
dump_vyper 0.4.3 vyper-0.4-annotated annotated_ast lending.vy
dump_vyper 0.3.10 vyper-0.3 ast lending.vy; dump_vyper 0.2.16 vyper-0.2 ast lending.vy
cp models/typed.py.ast.json "$(out python-ast/by-hand typed.py.ast.json)"

js() { node "$tools/dump_js.cjs" "$1" "$2" "$(out "${3:-estree}/$1" "$2.ast.json")"; }
for source in lending.js flow.js; do js swc "$source"; done
for source in flow.js panel.jsx; do js espree "$source"; done
js acorn flow.js
js acorn-lines lending.js
for source in flow.js lending.ts panel.tsx ambient.d.ts; do js babel "$source"; done
for source in lending.ts shelf.ts panel.tsx plain.ts; do js estree "$source"; js swc "$source"; done
for source in lending.ts panel.tsx ambient.d.ts; do js estree-lines "$source"; done
for parser in acorn-lines espree babel estree swc oxc hermes flow; do js "$parser" exchange.js; done
for parser in babel estree-lines swc oxc; do js "$parser" exchange.ts; js "$parser" modern.ts; done
for parser in babel-flow hermes flow; do js "$parser" declared.js; done
for parser in hermes flow; do js "$parser" components.js; done
js flow abstract.js
for source in exchange.js exchange.ts; do js oxc-0.30 "$source"; done
js estree-5 exchange.ts
for source in lending.ts shelf.ts panel.tsx; do js typescript "$source" generic; done

# tree STYLE GRAMMAR SOURCE...
tree() {
  local style=$1 grammar=$2 source
  shift 2
  for source in "$@"; do
    "$python" "$tools/dump_tree_sitter.py" "$grammar" "grammars/$source" "$(out "tree-sitter/$style" "$source.ast.json")" "$style"
  done
}
cp grammars/loan.py grammars/script # A name that tells no language.
for style in points shape bare leaves text; do tree "$style" python loan.py; done
tree points python script
tree leaves python corners.py newest.py
rm grammars/script
tree points go loan.go; tree points cpp loan.cpp; tree points rust loan.rs; tree points java Loan.java
tree points javascript loan.js; tree points typescript.typescript loan.ts; tree points typescript.tsx loan.tsx
for grammar in javascript typescript.tsx; do
  style=$([ $grammar = javascript ] && echo points || echo leaves)
  "$python" "$tools/dump_tree_sitter.py" "$grammar" exchange.js "$(out "tree-sitter/$style" exchange.js.ast.json)" "$style"
done
"$python" "$tools/dump_tree_sitter.py" typescript.typescript exchange.ts "$(out tree-sitter/points exchange.ts.ast.json)" points
for name in javascript:exchange.js typescript:exchange.ts; do
  printf '%s\t%s\t%s\n' "${name%:*}" "${name#*:}" "$(out tree-sitter/web "${name#*:}.ast.json")"
done | node "$tools/dump_tree_sitter_wasm.cjs"
tree leaves c loan.c; tree leaves c_sharp Loan.cs; tree leaves ruby loan.rb; tree leaves php.php loan.php
tree leaves bash loan.sh; tree leaves kotlin loan.kt; tree leaves swift loan.swift; tree leaves scala Loan.scala
tree leaves lua loan.lua
tree shape go loan.go; tree text java Loan.java; tree bare c loan.c; tree bare ruby loan.rb
node_tree() {
  node "$tools/dump_tree_sitter_node.cjs" "$1" "$2" "grammars/$3" "$(out "tree-sitter/node-$1" "$3.ast.json")"
}
# kin GRAMMAR SOURCE [NAME]: a language without rules; under a name that tells it, and under one that does not.
kin() {
  local dump
  dump=$(out tree-sitter/relatives "$2.ast.json")
  "$python" "$tools/dump_tree_sitter.py" "pack.$1" "relatives/$2" "$dump"
  [ -z "${3:-}" ] || cp "$dump" "$(out tree-sitter/relatives "$3.ast.json")"
}
kin cuda loan.cu cuda; kin glsl loan.frag glsl; kin gdscript loan.gd gdscript; kin fish loan.fish fish
kin wgsl loan.wgsl wgsl; kin starlark loan.bzl; kin svelte Loan.svelte; kin qmljs Loan.qml qmljs
"$python" "$tools/dump_tree_sitter.py" pack.zig relatives/loan.zig "$(out tree-sitter/relatives loan.zig.ast.json)" points
node_tree named python loan.py; node_tree named javascript loan.js; node_tree named typescript.typescript loan.ts
node_tree all python loan.py; node_tree all javascript loan.js
# releases WHEEL WASM SOURCE...: by two releases of a grammar. The older ones of Scala do not know Scala 3.
releases() {
  local wheel=$1 wasm=$2 source
  shift 2
  for source in "$@"; do
    "$python" "$tools/dump_tree_sitter.py" "$wheel" "releases/$source" "$(out tree-sitter/wheel "$source.ast.json")"
    [ "$wasm" = - ] || printf '%s\t%s\t%s\n' "$wasm" "releases/$source" "$(out tree-sitter/wasm "$source.ast.json")" \
      | node "$tools/dump_tree_sitter_wasm.cjs"
  done
}
for name in bash:sh c:c cpp:cpp go:go javascript:js lua:lua python:py ruby:rb rust:rs; do
  releases "${name%:*}" "${name%:*}" "lending.${name#*:}"
done
for name in java:java kotlin:kt scala:scala swift:swift; do
  releases "${name%:*}" "${name%:*}" "Lending.${name#*:}"
done
releases c_sharp c_sharp Lending.cs Spaces.cs; releases php.php php lending.php spaces.php; releases scala scala Order.scala; releases scala - Rules.scala
releases kotlin kotlin Shared.kt
# What has no facts: sources that are empty or hold comments only, and those of grammars without a table, or of another language.
nothing() {
  "$python" "$tools/dump_tree_sitter.py" "$1" "nothing/$2" "$(out tree-sitter/nothing "$2.ast.json")" points
}
for name in bash:sh c:c cpp:cpp go:go java:java javascript:js kotlin:kt lua:lua c_sharp:cs php.php:php python:py ruby:rb rust:rs \
  scala:scala swift:swift typescript.typescript:ts typescript.tsx:tsx; do
  for source in comments empty; do nothing "${name%:*}" "$source.${name#*:}"; done
done
for name in html:loan.html elixir:loan.ex css:loan.css css:loan.cs rescript:rescript; do
  printf '%s\t%s\t%s\n' "${name%:*}" "foreign/${name#*:}" "$(out tree-sitter/foreign "${name#*:}.ast.json")"
done | node "$tools/dump_tree_sitter_wasm.cjs"
releases typescript.typescript typescript lending.ts; releases typescript.tsx tsx panel.tsx

dump_clang() { ${clang:-clang} -fsyntax-only -Xclang -ast-dump=json "${@:2}" "$1" | "$python" "$tools/dump_clang.py" "$(out clang "$1.ast.json")"; }
dump_clang shelf.c
dump_clang shelf.cpp -std=c++17
dump_clang shelf.m -x objective-c -fblocks
dump_clang written.c -std=gnu11
dump_clang macros.c -std=gnu11
dump_clang receivers.m -x objective-c -fblocks -fobjc-runtime=macosx
clang="$python -m ziglang clang"
dump_clang written.cpp -std=c++20
dump_clang coroutine.cpp -std=c++20
dump_clang instances.cpp -std=c++20
dump_clang declared.cpp -std=c++20
dump_clang called.cpp -std=c++20 -w
for source in shelf written coroutine declared called; do
  "$python" "$tools/dump_tree_sitter.py" cpp "$source.cpp" "$(out tree-sitter/leaves "$source.cpp.ast.json")"
done

"$work/rust/target/debug/dump_rust" lending.rs "$(out syn lending.rs.syntax.json)"
out class-model/javac '' > /dev/null
java "$tools/ClassModel.java" "$data/dialects/class-model/javac" Library.java
for model in Library.java_ast BookService.ast Shelf.kt.ast bare.ast; do
  cp "models/$model.json" "$(out class-model/by-hand "$model.json")"
done
node "$tools/dump_others.cjs" solc Loan.sol "$(out generic/solc Loan.sol.ast.json)"
node "$tools/dump_others.cjs" php grammars/loan.php "$(out generic/php-parser loan.php.ast.json)"
cp models/go_ast.syntax.json models/sexp.rb.ast.json "$(out generic/by-hand '')"
for parser in acorn espree babel typescript-estree swc oxc hermes flow; do
  node "$tools/list_node_types.cjs" "$parser" > "$data/node_types/estree/$parser.txt"
done
echo "$(find "$data/dialects" -name '*.json' | wc -l) files, $(du -sb "$data/dialects" | cut -f1) bytes"
