import type { Shelf } from './shelf';

export enum Level { Low, High }
export type Days = number | undefined;
export interface Lender { lend(name: string, days?: Days): boolean }

namespace Books { export const max = 14; }

export abstract class Loan implements Lender {
  private static count = 0;
  constructor(private readonly shelf: Shelf) {}
  protected abstract price(days: Days): number;
  async run(): Promise<void> { Loan.count += this.price(Books.max) as number; }
  public lend(name: string): boolean { return this.shelf.has(name) && Loan.count > 0; }
}
