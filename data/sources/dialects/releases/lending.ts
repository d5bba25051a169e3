import type { Loan } from "./loan";
import { type Book, Shelf as S } from "./shelf";
import fs = require("fs");
import Alias = Space.Inner;
export type { Rule } from "./rule";
declare const VERSION: string;
declare function external(x: number): void;
declare module "shop" { export function inShop(): void; export const SIZE: number; }
declare global { interface Window { x: number } }
namespace Space { export const X = 1; export namespace Inner { export function deep() { go(); } } }
namespace A.B.C { export class Hidden {} }
export const enum Level { Low = 1, High = compute() }
enum State { Open = "o", Closed = "c" }
export type Rule<T> = (loan: T) => boolean;
export interface Lender<T extends Loan = Loan> extends Base { name: string; lend(days: number): T; readonly [key: string]: unknown; new (x: number): Lender; (x: number): void; }
@Component({ selector: pick() })
export abstract class Desk<T> extends Base<T> implements Lender<T> {
  @Input() name!: string;
  static readonly MAX: number = 5;
  private handler = (x: number): void => this.run(x);
  declare count: number;
  constructor(private readonly clock: Clock, public shelf?: Shelf) { super(clock); }
  @Log("x") protected async lend(@Inject() days: number): Promise<T> {
    const x = <Loan>make(days);
    const y = (pick() as Loan)!.open();
    const z = { a: 1 } satisfies Rec;
    if (isLoan(x) && y) use<number>(x);
    return this.shelf!.first<T>(days);
  }
  abstract hook(): void;
  over(x: string): void;
  over(x: number): void;
  over(x: any) { use(x); }
  private get open(): boolean { return check(); }
  static #secret(): void {}
}
export function helper<T>(this: Window, x: T): asserts x is T {}
export function over(a: string): void;
export function over(a: any) { go2(a); }
let typed: Map<string, number> = new Map<string, number>(), other = 2;
export = Desk;
