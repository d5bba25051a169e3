/* @flow strict */
import type { Clock } from './clock';
import typeof Ledger from './ledger';
declare type Name = string;
declare opaque type Token: string;
declare interface Reader { read(): string; close: () => void }
declare var version: string;
declare function plain(x: number, visit: (item: { name(): string }) => void): string;
declare class Store extends Map<string, string> {
  static open(path: string): Store;
  @@iterator(): Iterator<string>;
  find(key: string): ?{ get(): string };
  size: number;
  (): void;
}
declare export function exported(): void;
declare export class Exported { m(): void }
declare export var limit: number;
declare export default class Standard { run(): void }
declare export * from './all';
declare export { first, second as other } from './some';
declare module 'lib' {
  declare type Inner = number;
  declare var inner: Inner;
  declare class Held { lend(): Inner }
  declare function inside(): void;
}
declare module.exports: { run(): void };
type Own = {| +a: number, m(): void, get size(): number |};
export type Shape = interface { area(): number };
opaque type OwnToken = string;
export opaque type Sealed: string = string;
interface OwnReader { read(): string; +length: number }
enum OwnLevel { A, B }
export enum Size of string { Small = 's', Large = 'l' }
class Shelf<+T> implements OwnReader {
  static +limit: number = start();
  #items: Array<T> = [];
  lend = (item: T): boolean => this.#items.includes(item) && (item: any).lend();
  read(): string { return plain(this.length, (x) => x); }
}
function isToken(x: mixed): boolean %checks { return typeof x === 'string'; }
{ let local = 1; }
export default (shelf: Shelf<Own>): ?Token => shelf.read();
