// Dumps all sources of JavaScript and TypeScript below a folder with each of their parsers: dump_js_trees.cjs SOURCES OUT
// OUT gets a folder for each parser, with a dump of each source at its path below SOURCES. What a parser does not read it
// leaves out, and what only one reads is left out by all.
const fs = require('fs');
const path = require('path');
const Parser = require('tree-sitter');
const { dump } = require('./dump_js.cjs');

const [sources, out] = process.argv.slice(2);
const parsers = {
  typed: ['estree-lines', 'babel', 'swc', 'oxc', 'tree-sitter'],
  flow: ['flow', 'hermes', 'babel'],
  plain: ['acorn-lines', 'babel', 'swc', 'oxc', 'hermes', 'flow', 'tree-sitter'],
};
const isTyped = (source) => /\.[mc]?tsx?$/.test(source);
// A larger source makes a dump of hundreds of megabytes.
const bytesMax = 2_000_000;

function* walk(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(below);
    else if (entry.isFile() && /\.[mc]?(js|tsx?)$/.test(entry.name) && fs.statSync(below).size <= bytesMax) yield below;
  }
}

const grammars = {};
// The tree of tree-sitter, as dump_tree_sitter.py writes it in the style `points`.
function grown(text, source) {
  const grammar = isTyped(source) ? (source.endsWith('x') ? 'tsx' : 'typescript') : 'javascript';
  const parser = (grammars[grammar] ??= new Parser());
  parser.setLanguage(isTyped(source) ? require('tree-sitter-typescript')[grammar] : require('tree-sitter-javascript'));
  const tree = parser.parse((at) => text.slice(at, at + 16_384));
  if (tree.rootNode.hasError) throw new Error('tree-sitter finds an error');
  const cursor = tree.walk();
  const point = ({ row, column }) => [row, column];
  const plain = () => {
    const { nodeType: type, startPosition, endPosition, currentFieldName } = cursor;
    const node = { type, start_point: point(startPosition), end_point: point(endPosition) };
    if (currentFieldName) node.field_name = currentFieldName;
    if (!cursor.gotoFirstChild()) return { ...node, text: cursor.nodeText };
    node.children = [plain()];
    while (cursor.gotoNextSibling()) node.children.push(plain());
    cursor.gotoParent();
    return node;
  };
  return JSON.stringify(plain()) + '\n';
}

// As a module, or as a script where it is none.
function read(name, text, source) {
  if (name === 'tree-sitter') return grown(text, source);
  try {
    return dump(name, text, source, 'module');
  } catch {
    return dump(name, text, source, 'script');
  }
}

const counts = {};
for (const source of walk(sources)) {
  const [text, trees] = [fs.readFileSync(source, 'utf8'), new Map()];
  const kind = isTyped(source) ? 'typed' : text.slice(0, 1000).includes('@flow') ? 'flow' : 'plain';
  for (const name of parsers[kind]) {
    try {
      trees.set(name, read(kind === 'flow' && name === 'babel' ? 'babel-flow' : name, text, source));
    } catch (error) {
      console.error(`${name} leaves out ${source}: ${String(error.message).split('\n')[0]}`);
    }
  }
  if (trees.size < 2) continue;
  for (const [name, tree] of trees) {
    const target = path.join(out, name, `${path.relative(sources, source)}.ast.json`);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, tree);
    counts[name] = (counts[name] ?? 0) + 1;
  }
}
console.log(JSON.stringify(counts));
