// Dumps JavaScript or TypeScript as JSON: dump_js.cjs PARSER SOURCE OUT
// PARSER: acorn, acorn-lines, espree, babel, babel-flow, estree, estree-lines, swc, oxc, hermes, flow, typescript
const fs = require('fs');
const [parser, source, out] = process.argv.slice(2);
const text = fs.readFileSync(source, 'utf8');

function parse() {
  if (parser === 'acorn') {
    return require('acorn').parse(text, { ecmaVersion: 2025, sourceType: 'module' });
  }
  if (parser === 'estree') {
    return require('@typescript-eslint/typescript-estree').parse(text, { jsx: source.endsWith('x'), range: true });
  }
  const [typed, jsx] = [/ts[x]?$/.test(source), source.endsWith('x')];
  if (parser === 'acorn-lines') {
    return require('acorn').parse(text, { ecmaVersion: 2025, sourceType: 'module', locations: true });
  }
  if (parser === 'espree') {
    return require('espree').parse(text, { ecmaVersion: 2025, sourceType: 'module', loc: true, ecmaFeatures: { jsx } });
  }
  if (parser === 'estree-lines') {
    return require('@typescript-eslint/typescript-estree').parse(text, { jsx, loc: true, range: true });
  }
  if (parser === 'babel') {
    const plugins = [typed && ['typescript', { dts: source.endsWith('.d.ts') }], typed && 'decorators-legacy', typed && 'decoratorAutoAccessors', jsx && 'jsx'];
    return require('@babel/parser').parse(text, { sourceType: 'module', plugins: plugins.filter(Boolean) });
  }
  if (parser === 'babel-flow') {
    return require('@babel/parser').parse(text, { sourceType: 'module', plugins: [['flow', { enums: true }], 'jsx'] });
  }
  if (parser === 'oxc') {
    const { program, errors } = require('oxc-parser').parseSync(source, text, { sourceType: 'module', astType: typed ? 'ts' : 'js' });
    if (errors.length) throw new Error(errors[0].message);
    return program;
  }
  if (parser === 'hermes') {
    const experimental = { enableExperimentalComponentSyntax: true, enableExperimentalFlowMatchSyntax: true, enableExperimentalFlowRecordSyntax: true };
    return require('hermes-parser').parse(text, { flow: 'all', sourceType: 'module', ...experimental });
  }
  if (parser === 'flow') {
    const tree = require('flow-parser').parse(text, { types: true, enums: true, components: true, pattern_matching: true, records: true });
    if (tree.errors.length) throw new Error(tree.errors[0].message);
    return tree;
  }
  if (parser === 'swc') {
    const syntax = typed ? { syntax: 'typescript', tsx: jsx, decorators: true } : { syntax: 'ecmascript', jsx };
    const swc = require('@swc/core');
    return swc.parseSync(text, { ...syntax, target: 'esnext', comments: false });
  }
  // The compiler's own nodes: those fields that hold nodes or values, with the kind by its name.
  const ts = require('typescript');
  const names = {}; // The first name of a number; later ones, such as FirstStatement, are marks.
  for (const [name, kind] of Object.entries(ts.SyntaxKind)) if (typeof kind === 'number') names[kind] ??= name;
  const hidden = new Set(['parent', 'kind', 'flags', 'nodes', 'locals', 'symbol', 'id', 'transformFlags',
    'modifierFlagsCache', 'endFlowNode', 'flowNode', 'nextContainer', 'emitNode', 'original', 'jsDoc']);
  const plain = (node) => {
    const fields = { kind: names[node.kind], pos: node.pos, end: node.end };
    for (const [name, value] of Object.entries(node)) {
      if (hidden.has(name) || name in fields) continue;
      if (value && typeof value.kind === 'number') fields[name] = plain(value);
      else if (Array.isArray(value)) fields[name] = value.filter((item) => item && typeof item.kind === 'number').map(plain);
      else if (['escapedText', 'text', 'rawText', 'operator', 'isExportEquals', 'isTypeOnly'].includes(name)) fields[name] = value;
    }
    return fields;
  };
  const file = ts.createSourceFile(source, text, ts.ScriptTarget.Latest, false);
  return { kind: 'SourceFile', fileName: source, statements: file.statements.map(plain) };
}

const numbers = (name, value) => (typeof value === 'bigint' ? `${value}n` : value);
fs.writeFileSync(out, JSON.stringify(parse(), numbers, parser === 'acorn' ? 1 : 0) + '\n');
