// Dumps the trees of compilers that no dialect is named after: dump_others.cjs solc|php SOURCE OUT
const fs = require('fs');
const [parser, source, out] = process.argv.slice(2);
const text = fs.readFileSync(source, 'utf8');

function solidity() {
  const settings = { outputSelection: { '*': { '': ['ast'] } } };
  const input = { language: 'Solidity', sources: { [source]: { content: text } }, settings };
  return JSON.parse(require('solc').compile(JSON.stringify(input))).sources[source].ast;
}

const tree = parser === 'solc' ? solidity() : new (require('php-parser').Engine)({ ast: { withPositions: true } }).parseCode(text, source);
fs.writeFileSync(out, JSON.stringify(tree) + '\n');
