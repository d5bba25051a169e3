// Prints the types of nodes that a parser of the ESTree family can write, a line each, as its own package lists them:
// list_node_types.cjs acorn|espree|babel|typescript-estree|swc|oxc|hermes|flow
const fs = require('fs');
const path = require('path');

// The strings that type declarations give a node's `type`, directly or by the name of a type.
const declared = (file) => {
  const text = fs.readFileSync(file, 'utf8');
  const strings = (union) => union.match(/"\w+"/g)?.map((string) => string.slice(1, -1)) ?? [];
  const named = new Map([...text.matchAll(/^export type (\w+) =([^;{]*);/gm)].map((one) => [one[1], strings(one[2])]));
  const fields = text.matchAll(/^\s*type: ([^;\n]*);?$/gm);
  return [...fields].flatMap((field) => named.get(field[1].trim()) ?? strings(field[1]));
};
const folder = (name) => {
  const file = require.resolve.paths(name).map((base) => path.join(base, name, 'package.json')).find(fs.existsSync);
  return { root: path.dirname(file), version: JSON.parse(fs.readFileSync(file, 'utf8')).version };
};
const parsers = {
  acorn: ['acorn', (root) => declared(path.join(root, 'dist/acorn.d.ts'))],
  espree: ['espree', () => Object.keys(require('espree').VisitorKeys)],
  babel: ['@babel/types', () => Object.keys(require('@babel/types').VISITOR_KEYS)],
  'typescript-estree': ['@typescript-eslint/types', () => Object.values(require('@typescript-eslint/types').AST_NODE_TYPES)],
  swc: ['@swc/types', (root) => declared(path.join(root, 'index.d.ts'))],
  oxc: ['@oxc-project/types', (root) => declared(path.join(root, 'types.d.ts'))],
  hermes: ['hermes-parser', (root) => Object.keys(require(path.join(root, 'dist/generated/ESTreeVisitorKeys.js')))],
  flow: ['flow-parser', (root) => Object.keys(require(path.join(root, 'dist/generated/ESTreeVisitorKeys.js')))],
};

const [name, list] = parsers[process.argv[2]];
const { root, version } = folder(name);
const types = [...new Set(list(root))].filter((type) => /^[A-Z]/.test(type)).sort();
console.log([`# ${name} ${version}`, ...types].join('\n'));
