// What lies where.
export class OutOfStock extends Error {}

export class Stock {
  #counts = new Map();

  put(code, count = 1) {
    if (!(count > 0)) throw new RangeError(`count is ${count}`);
    this.#counts.set(code, this.of(code) + count);
    return this;
  }

  take(code, count = 1) {
    const left = this.of(code) - count;
    if (left < 0) throw new OutOfStock(code);
    this.#counts.set(code, left);
    return this;
  }

  of(code) {
    return this.#counts.get(code) ?? 0;
  }

  *[Symbol.iterator]() {
    yield* this.#counts;
  }
}
