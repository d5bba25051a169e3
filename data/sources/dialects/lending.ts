// Lends things, with most of what TypeScript adds.
import type { Clock } from './clock';
import { type Rate, findRate as find } from './rates';
import legacy = require('./legacy');
import Short = Lending.Label;
export type { Clock };
export * from './errors';

declare const VERSION: string;
declare function log(message: string): void;
declare module 'shelf-plugin' {
  export function plug(name: string): void;
}

export interface Lender<T extends object = object> extends Iterable<T> {
  readonly name: string;
  lend(thing: T, days?: number): Promise<boolean>;
  [key: string]: unknown;
}

export type Thing = { kind: 'book'; pages: number } | { kind: 'film' };
type Keys<T> = { readonly [K in keyof T]?: T[K] extends string ? K : never };

export enum Level { Low = 1, High = Low << 2 }
const enum Mode { Fast = 'fast' }

export namespace Lending {
  export const MAX_DAYS = 14;
  export interface Label { text: string }
  export function label(text: string): Label { return { text }; }
  export namespace Deep { export type Name = string; }
}
