// Dumps trees of the grammars of tree-sitter-wasms, as web-tree-sitter's cursor tells them: dump_tree_sitter_wasm.cjs < LINES
// A line names a grammar, a source, and the dump, with tabs between them. A source with an error is left out, and told.
// Text have leaves, and nodes whose children leave some of it out: in these releases, a string's content is no child.
const fs = require('fs');
const path = require('path');
const Parser = require('web-tree-sitter');

// Functions of C's library that the scanners of Bash, HTML, PHP and Ruby call, and web-tree-sitter 0.20.8 does not have.
let wasm;
const isUpper = (code) => code >= 65 && code <= 90;
const isLower = (code) => code >= 97 && code <= 122;
const isHex = (code) => /[0-9a-f]/i.test(String.fromCodePoint(code));
const library = {
  preRun: [(module) => { wasm = module; }],
  _iswupper: (code) => Number(isUpper(code)),
  _iswxdigit: (code) => Number(isHex(code)),
  _isalpha: (code) => Number(isUpper(code) || isLower(code)),
  _strcmp: (a, b) => {
    const bytes = wasm.HEAPU8;
    while (bytes[a] && bytes[a] === bytes[b]) { a += 1; b += 1; }
    return bytes[a] - bytes[b];
  },
  _strncpy: (to, from, length) => {
    const end = wasm.HEAPU8.indexOf(0, from);
    wasm.HEAPU8.fill(0, to, to + length).copyWithin(to, from, Math.min(end, from + length));
    return to;
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
  const folder = path.join(path.dirname(require.resolve('tree-sitter-wasms/package.json')), 'out');
  const parsers = new Map();
  for (const line of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
    const [grammar, source, out] = line.split('\t');
    if (!parsers.has(grammar)) {
      parsers.set(grammar, new Parser());
      parsers.get(grammar).setLanguage(await Parser.Language.load(path.join(folder, `tree-sitter-${grammar}.wasm`)));
    }
    const tree = parsers.get(grammar).parse(fs.readFileSync(source, 'utf8'));
    if (tree.rootNode.hasError()) {
      console.error(`left out: ${source}: an error`);
    } else {
      fs.mkdirSync(path.dirname(out), { recursive: true });
      fs.writeFileSync(out, JSON.stringify(plain(tree.walk())) + '\n');
    }
    tree.delete();
  }
})();
