import type { Item } from './api';

type Listener<T> = (value: T) => void;

export abstract class Store<T> {
  protected listeners = new Set<Listener<T>>();
  constructor(protected value: T) {}
  get(): T {
    return this.value;
  }
  set(change: Partial<T>): void {
    this.value = { ...this.value, ...change };
    this.listeners.forEach((listener) => listener(this.value));
  }
  abstract key(): string;
}

export class ItemStore extends Store<Item> {
  override key(): string {
    return this.value.code;
  }
}
