// Dumps a tree of a grammar of tree-sitter-wasms, as web-tree-sitter's cursor tells it: dump_tree_sitter_wasm.cjs GRAMMAR SOURCE OUT
// Text have leaves, and nodes whose children leave some of it out: in these releases, a string's content is no child.
const fs = require('fs');
const path = require('path');
const Parser = require('web-tree-sitter');
const [grammar, source, out] = process.argv.slice(2);

// Functions of C's library that the scanners of Ruby and Bash call, and web-tree-sitter 0.20.8 does not have.
let wasm;
const isUpper = (code) => code >= 65 && code <= 90;
const isLower = (code) => code >= 97 && code <= 122;
const library = {
  preRun: [(module) => { wasm = module; }],
  _iswupper: (code) => Number(isUpper(code)),
  _iswlower: (code) => Number(isLower(code)),
  _isalpha: (code) => Number(isUpper(code) || isLower(code)),
  _strcmp: (a, b) => {
    const bytes = wasm.HEAPU8;
    while (bytes[a] && bytes[a] === bytes[b]) { a += 1; b += 1; }
    return bytes[a] - bytes[b];
  },
};

function plain(cursor) {
  const node = cursor.currentNode();
  const { type, startPosition, endPosition } = node;
  const fields = { type, fieldName: cursor.currentFieldName() ?? undefined, startPosition, endPosition };
  if (!cursor.gotoFirstChild()) return { ...fields, text: node.text };
  const children = [];
  let held = '';
  do {
    held += cursor.currentNode().text;
    children.push(plain(cursor));
  } while (cursor.gotoNextSibling());
  cursor.gotoParent();
  const strip = (text) => text.replace(/\s/g, '');
  return { ...fields, text: strip(held) === strip(node.text) ? undefined : node.text, children };
}

(async () => {
  await Parser.init(library);
  const parser = new Parser();
  const folder = path.join(path.dirname(require.resolve('tree-sitter-wasms/package.json')), 'out');
  parser.setLanguage(await Parser.Language.load(path.join(folder, `tree-sitter-${grammar}.wasm`)));
  const tree = parser.parse(fs.readFileSync(source, 'utf8'));
  if (tree.rootNode.hasError()) throw new Error(source);
  fs.writeFileSync(out, JSON.stringify(plain(tree.walk())) + '\n');
})();
