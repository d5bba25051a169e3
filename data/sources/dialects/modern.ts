// What no release of tree-sitter's grammar reads yet.
export type * as types from './types';
type Held = import('./held', { with: { 'resolution-mode': 'import' } }).Held<string>;
export default abstract class<T> { abstract run(): T; go() { return this.run(); } }
export import fs = require('fs');
using file = fs.open();
