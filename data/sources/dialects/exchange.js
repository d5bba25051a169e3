// What JavaScript declares, takes and calls, for all parsers alike.
import base, * as space from './base.js';
import { one, two as second, default as third } from './parts.js';
import './side.js';
export { one, second as two };
export { four, five as fifth, default as standard } from './more.js';
export * from './all.js';
export * as named from './named.js';

const fs = require('fs'), { join, sep: separator = '/', ...others } = require('path');
let [head, , tail = start(), ...rest] = base.list();
var plain;
const lazy = () => import('./lazy.js');
const load = async function loader(name) { return (await import(name)).default ?? require(name); };
const api = {
  get size() { return rest.length && count(rest); },
  set size(value) { resize(value); },
  async *walk() { yield* space.walk(); },
  find: function find(key) { return key ? lookup(key) : null; },
  list: () => head.list(),
  'text'() { return text`of ${sep(1)}`; },
  [named()]: class { inside() { within(); } },
};
class Shelf extends mixed(base.Shelf) {
  static #count = 0;
  #items = [];
  static limit = measure();
  handle = (event) => this.#emit(event);
  make = class { made() { return one(); } };
  static { Shelf.#count = boot(); }
  constructor(...args) { super(...args); this.#items.push(new base.Item(), new (pick())()); }
  get total() { return this.#items.reduce((sum, item) => sum + (item?.price?.() ?? 0), 0); }
  set total(value) { super.total = value; }
  static async from(list = defaults()) { for await (const item of list) add(item); }
  *[Symbol.iterator]() { yield* this.#items; }
  #emit(event) { return event || this.queue[0].emit(event) || this?.queue?.[1].emit?.(event); }
  'quoted name'() { return super.quoted(); }
  12() { return twelve(); }
}
export default function trade(shelf, { days = 3, ...options } = {}) {
  function inner(x) { const deep = () => x(); return deep() || (function again() { return again(); })(); }
  switch (days) { case 1: case inner(2): break; default: later(); }
  scan: for (let i = 0; i < days; i++) { for (const key in options) { if (key) continue scan; else break; } }
  while (days--) do { options.next(); } while (options.more);
  try { return (0, shelf.run)(days), a.b.c['d'].e(), f()().g(), days > 1 ? new Date : new.target; }
  catch { console.log(`${String(days)}`); } finally { shelf?.close(); }
  var late = 1;
}
export const Anonymous = class Named { go() { return go(); } static later = async () => {}; }, more = 1;
export async function* stream() { yield await trade(); }
if (plain) { var hoisted = one(); let blocked = two(); function conditional() { one(); } }
(function () { plain ||= second(); })();
(() => head &&= third())();
trade.run = function () { return join(...others)[0](); };
import.meta.resolve('x');
const wrapped = (async () => (await one)), _ = /* a comment */ (/* another */ function () { return second(); });
switch (head) { case 1: { const inCase = 1; } case 2: var alsoInCase = 2; }
