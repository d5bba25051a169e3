import Shelf, { open as openAll } from './shelf.js';
const { join } = require('path');

const MAX_DAYS = 14;

export class Loan extends Shelf {
  #days = 0;
  static async fetch(name) { return await openAll(join('a', name)); }
  get days() { return this.#days || MAX_DAYS; }
}

export const run = (names) => names.map((name) => new Loan(name));

function count(names) {
  for (const name of names) if (name && count(name) > 2) run(names).push(name);
  return names?.length ?? 0;
}
