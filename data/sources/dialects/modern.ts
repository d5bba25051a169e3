// What a release of tree-sitter's grammar does not read.
export type * as types from './types';
type Held = import('./held', { with: { 'resolution-mode': 'import' } }).Held<string>;
export default abstract class<T> { abstract run(): T; go() { return this.run(); } accessor level = Level.Low; accessor start = () => started(); }
export import fs = require('fs');
using file = fs.open();
