// How control flows, and how functions get their names.
import { MAX_DAYS, Shelf } from './lending.js';

let count = 0, total = 0;

export default async function lend(shelf, days = MAX_DAYS) {
  const helper = (x) => x * 2;
  function nested(value) {
    switch (value) {
      case 'a': return 1;
      case 'b': case 'c': break;
      default: helper(2);
    }
    return null;
  }
  outer: for (let i = 0, n = days; i < n && shelf; i++) {
    for (const key in shelf) if (nested(key)) continue outer; else break;
    while (shelf.size > 3) shelf.pop();
    do { count += 1; } while (count < 2);
  }
  try {
    for await (const part of shelf.walk()) part.items[0]?.close?.();
  } catch { console.log('étagère'); } finally { total ||= days > 7 ? 1 : 2; }
  return path.join('a', ...parts).split('/')[0].trim();
}

const run = async () => { await lend(new Shelf('a')); };
const Anonymous = class { go() { return run(); } };
export const make = function* maker() { yield odd`text ${count}`; };
module.exports.run = run;
(function () { run(); })();
(() => open(`a`, 10n, /x+/giu))();
