// Dumps JavaScript or TypeScript as JSON: dump_js.cjs PARSER SOURCE OUT
// PARSER: acorn, acorn-lines, espree, babel, babel-flow, estree, estree-lines, estree-5, swc, oxc, oxc-0.30, hermes, flow, typescript
const fs = require('fs');

// What a file's name says of its language.
const traits = (source) => ({ typed: /ts[x]?$/.test(source), jsx: source.endsWith('x'), dts: source.endsWith('.d.ts') });
const refuse = (errors) => { if (errors.length) throw new Error(errors[0].message); };

const parsers = {
  acorn: (text, source, sourceType) => require('acorn').parse(text, { ecmaVersion: 2025, sourceType }),
  'acorn-lines': (text, source, sourceType) => require('acorn').parse(text, { ecmaVersion: 2025, sourceType, locations: true }),
  espree(text, source, sourceType) {
    const { jsx } = traits(source);
    return require('espree').parse(text, { ecmaVersion: 2025, sourceType, loc: true, ecmaFeatures: { jsx } });
  },
  babel(text, source, sourceType) {
    const { typed, jsx, dts } = traits(source);
    const plugins = [typed && ['typescript', { dts }], typed && 'decorators-legacy', typed && 'decoratorAutoAccessors', jsx && 'jsx'];
    return require('@babel/parser').parse(text, { sourceType, plugins: plugins.filter(Boolean) });
  },
  'babel-flow': (text, source, sourceType) =>
    require('@babel/parser').parse(text, { sourceType, plugins: [['flow', { enums: true }], 'jsx'] }),
  estree: (text, source) => require('@typescript-eslint/typescript-estree').parse(text, { jsx: traits(source).jsx, range: true }),
  'estree-lines': (text, source) =>
    require('@typescript-eslint/typescript-estree').parse(text, { jsx: traits(source).jsx, loc: true, range: true }),
  // Older releases, whose nodes have other names.
  'estree-5': (text, source) => require('typescript-estree-5').parse(text, { jsx: traits(source).jsx, loc: true, range: true }),
  'oxc-0.30': (text, source) => JSON.parse(require('oxc-parser-0.30').parseSync(text, { sourceFilename: source }).program),
  swc(text, source, sourceType) {
    const { typed, jsx } = traits(source);
    const syntax = typed ? { syntax: 'typescript', tsx: jsx, decorators: true } : { syntax: 'ecmascript', jsx };
    const isModule = sourceType === 'module';
    return require('@swc/core').parseSync(text, { ...syntax, target: 'esnext', comments: false, isModule });
  },
  oxc(text, source, sourceType) {
    const astType = traits(source).typed ? 'ts' : 'js';
    const { program, errors } = require('oxc-parser').parseSync(source, text, { sourceType, astType });
    refuse(errors);
    return program;
  },
  hermes(text, source, sourceType) {
    const experimental = { enableExperimentalComponentSyntax: true, enableExperimentalFlowMatchSyntax: true, enableExperimentalFlowRecordSyntax: true };
    return require('hermes-parser').parse(text, { flow: 'all', sourceType, ...experimental });
  },
  flow(text) {
    const tree = require('flow-parser').parse(text, { types: true, enums: true, components: true, pattern_matching: true, records: true, esproposal_decorators: true });
    refuse(tree.errors);
    return tree;
  },
  // The compiler's own nodes: those fields that hold nodes or values, with the kind by its name.
  typescript(text, source) {
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
  },
};

const numbers = (name, value) => (typeof value === 'bigint' ? `${value}n` : value);

// The tree that a parser makes of a text; `source` is the file's name, `sourceType` module or script.
exports.dump = (parser, text, source, sourceType = 'module') =>
  JSON.stringify(parsers[parser](text, source, sourceType), numbers, parser === 'acorn' ? 1 : 0) + '\n';

if (require.main === module) {
  const [parser, source, out] = process.argv.slice(2);
  fs.writeFileSync(out, exports.dump(parser, fs.readFileSync(source, 'utf8'), source));
}
