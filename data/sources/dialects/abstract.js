/* @flow */
import fs = require('fs');
import type Reader = require('./reader');
@sealed()
abstract class Shelf {
  abstract lend(days: number): void;
  abstract limit: number;
  constructor(private name: string, readonly size: number = start()) { super(); }
  find(name: string): void;
  find() { return fs.find(this.name)!.close(); }
}
type Held = import('./held').Held;
type All = typeof import('./all');
const found = (fs.found satisfies Held).lend();
export as namespace Shelves;
export = Shelf;
