// Dumps a tree as tree-sitter's Node.js binding tells it: dump_tree_sitter_node.cjs named|all PACKAGE[.GRAMMAR] SOURCE OUT
// named: namedChildren alone, with fieldName and text. all: children with what SyntaxNode names, no text.
const fs = require('fs');
const Parser = require('tree-sitter');
const [style, language, source, out] = process.argv.slice(2);
const [name, grammar] = language.split('.');
const parser = new Parser();
const found = require(`tree-sitter-${name}`);
parser.setLanguage(grammar ? found[grammar] : found);

function plain(node, fieldName) {
  const { type, isNamed, startPosition, endPosition, startIndex, endIndex } = node;
  const children = style === 'all' ? node.children : node.namedChildren;
  if (style === 'all') return { type, isNamed, startPosition, endPosition, startIndex, endIndex, children: children.map((child) => plain(child)) };
  const fields = new Map();
  node.children.forEach((child, at) => fields.set(child.id, node.fieldNameForChild?.(at) ?? undefined));
  return { type, fieldName, text: node.text, startPosition, endPosition, namedChildren: children.map((child) => plain(child, fields.get(child.id))) };
}

const tree = parser.parse(fs.readFileSync(source, 'utf8'));
if (tree.rootNode.hasError) throw new Error(source);
fs.writeFileSync(out, JSON.stringify(plain(tree.rootNode)) + '\n');
