// Lends things, with most of what JavaScript's grammar has.
import fs, { readFile as read, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import './polyfill.js';
import { "odd name" as odd } from './names.js';
export { read, writeFile as write };
export { parse as parseDate, default as dates } from './dates.js';
export * from './errors.js';
export * as shelves from './shelves.js';

const legacy = require('./legacy');
const { join, sep: separator = '/', ...others } = require('node:path');
export const MAX_DAYS = 14, RATES = { book: 1, film: 3, price() { return compute(1); }, get best() { return this.book; } };
let [first, , [second = 2, ...rest]] = [1, 0, [3]];
var count, total = 0;

class Shelf extends legacy.Base {
  #items = new Map();
  static open = 0;
  static { Shelf.open = legacy.count(); }
  onChange = (event) => { this.#tell(event?.name ?? 'nothing'); };

  constructor(name, { sort = false, ...options } = {}) {
    super(name);
    this.name = name || options.name;
  }

  get size() { return this.#items.size; }
  set size(wanted) { if (wanted < 0) throw new RangeError(`no ${wanted}`); }
  static async fetch(address) {
    const found = await import('./network.js');
    return found.default(address).then((body) => new Shelf(body));
  }
  async *walk() { for (const item of this.#items) yield* item; }
  #tell(message) { super.tell?.(message); this.log[0].write(message); }
  ['computed' + 1]() { return new.target; }
  'quoted name'() { return import.meta.url; }
}
