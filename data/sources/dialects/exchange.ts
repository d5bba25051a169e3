// What TypeScript declares beyond JavaScript, for all parsers alike.
import type { Clock, Time as Hour } from './clock';
import { type Rate, type Kind as Sort, lend } from './lending';
import type Ledger from './ledger';
import fs = require('fs');
import Short = Trading.Parts.Shelf;
export type { Rate, Sort as Kind } from './lending';

type All = typeof import('./all');
export type Visit<T> = (this: T, item: { name(): string; new (x: T): T }) => asserts item is T;
interface Lender<T> extends Base<T> { lend(thing: T): void; readonly size: number; new (): Lender<T>; get total(): number }
export interface Lender<T> { again?(): void }
enum Level { Low = start(), High = 'high' }
export const enum Size { Small, Large = 1 << 2 }
declare const VERSION: string, BUILD: number;
declare let current: Level;
declare function external(name: string): void;
export declare class Walker { private constructor(depth: number); static open(path: string): Walker; protected next?(): string; depth: number }
declare module './held' { interface Held<T> { value: T } export function held(): void; }
declare module 'all';
declare global { interface Window { walker: Walker } var shared: number; }
declare namespace Ambient { const inner: number; function inside(): void; namespace Deep { type Own = string } }
namespace Trading.Parts { export const limit = measure(); export class Shelf { lend() { return limit && lend(); } } }
export namespace Trading { export function open() { return new Parts.Shelf(); } let hidden = () => open(); }

function parse(text: string): number;
function parse(text: number): string;
function parse(text: any): any { return (text as any).parse!() satisfies unknown; }

@sealed
@registered({ name: named() })
export abstract class Shelf<T extends Rate> extends mixed<T>(Base) implements Lender<T> {
  [key: string]: unknown;
  static readonly limit: number = measure<number>();
  declare owner?: string;
  @field() private name!: string;
  @bound() handle = async (event: Event): Promise<void> => this.emit(event);
  constructor(@injected() private readonly clock: Clock, public days = defaults()) { super(clock); }
  static of(name: string): Shelf<Rate>;
  static of(name?: string) { return new Local<Rate>(name!); }
  abstract price(thing: T): number;
  protected abstract get total(): number;
  abstract size: number;
  @logged @timed() private async lend(@checked() thing: T, days?: number) { return (<any>thing).lend(days!)?.close!(); }
  #hidden<U>(this: this): U { return this.#hidden<U>(); }
  public override set total(value: number) { log(value); }
  optional?(): void;
}
@local class Local<T> extends Shelf<T> {
  price(thing: T) { return thing ? 1 : 0; }
  static { boot(); }
}
export default class<T> { run(): T; go() { return this.run(); } }
export const handler = <T,>(thing: T): thing is T => check<T>(thing), other = (function () {}) as () => void;
function assertIs(this: void, value: unknown): asserts value { if (!value) throw new Error(); }
let maker = { make<T>(thing: T) { return make<T>(thing); }, get it(): number { return 1; } } satisfies Maker;
for (const part of parse('1') as any) part?.[0]!.run?.<string>();
const made = make<string>, fixed = ([1] as const).map(external), called = (lend<string>)('a');
const late = 1 - clock!.now(), isSure = !check!(late), label = late ?? name!.toString();
const opened = async () => await fs.open<string>(1), isNone = !fs.isOpen<string>(1), computed = (-clock!).now(), both = late && fs.both!(1);
