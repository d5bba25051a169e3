import type { Clock } from './clock';
import { find, legacy, Lending, Level, type Lender, type Rate, type Thing } from './lending';

@sealed
export abstract class Shelf<T extends Thing> implements Lender<T> {
  [key: string]: unknown;
  private static count = 0;
  protected readonly items: T[] = [];
  declare owner?: string;
  #secret = 1;

  constructor(public readonly name: string, private clock: Clock) { Shelf.count++; }
  static of<T extends Thing>(name: string): Shelf<T>;
  static of(name: string): Shelf<Thing> { return new Local(name, legacy.clock()!); }
  abstract price(thing: T): number;
  protected abstract get total(): number;
  async lend(@checked thing: T, days = Lending.MAX_DAYS): Promise<boolean> {
    const rate = (await find(thing.kind)) as unknown as Rate;
    return (this.items.push(thing), rate?.amount ?? 0) > days;
  }
  private describe(): string { return `${this.name}${this.#hidden()}`; }
  #hidden() { return <string>String(this.#secret); }
  public *[Symbol.iterator]() { yield* this.items; }
}

class Local extends Shelf<Thing> {
  price = (thing: Thing): number => (thing.kind === 'film' ? Level.High : Level.Low);
  protected override get total() { return this.items.length satisfies number; }
}

export function isBook(thing: Thing): thing is Extract<Thing, { kind: 'book' }>;
export function isBook(this: void, thing: unknown): boolean;
export function isBook(thing: any): boolean { log(VERSION); return thing.kind === 'book'; }
export const parse = async <T,>(text: string): Promise<T> => JSON.parse(text) as T;
let [first, ...rest]: string[] = [];
export default Local;
