import first, { second, third as drei, default as def } from "./a.js";
import * as all from "./all.js";
import "./effect.js";
export { one, two as zwei } from "./more.js";
export * from "./star.js";
export * as named from "./named.js";
const fs = require("fs"), { join } = require("path");
const lazy = () => import("./lazy.js");
export const LIMIT = 3;
let total = 0, [a, { b, c: d = 1, ...e }] = pair();
var old;
export default class Desk extends Base(mixin()) {
  static #count = 0;
  name = make();
  handler = () => this.run();
  static create = function () { return new Desk(); };
  #secret() { return hide(); }
  static { boot(); }
  constructor(clock) { super(clock); this.clock = clock; }
  get open() { return this.#secret(); }
  set open(v) { check(v); }
  static async *walk() { yield* step(); }
  async lend(days, { shelf = pick() } = {}) {
    if (days > LIMIT && this.count() > 0 || !shelf) throw new Error("no");
    else if (days === 1) one(); else two();
    for (let i = 0; i < 3; i++) step(i);
    for (const x of list) use(x);
    for (const k in map) use2(k);
    while (days > 3) days--;
    do { days++; } while (days < 3);
    switch (days) { case 0: zero(); break; case 1: case 2: few(); break; default: other(); }
    try { risky(); } catch (e) { log(e.message); } finally { end(); }
    const z = days ? x() : y() ?? w();
    shelf?.books?.[0]?.open?.();
    this.rules[0](days);
    (await later()).go();
    new this.Loan(days).open();
    new (pickClass())(1);
    tag`x${fmt(1)}`;
    (function () { inner1(); })();
    (() => { inner2(); })();
    list
      .map((v) => double(v)) // twice
      // the others
      .filter(Boolean);
    shelf.books /* all */ .sort();
    function local(x) { return x; }
    const nested = (x) => local(x);
    class Local { go() { deep(); } }
    return a || b && c;
  }
  ["computed"]() { comp(); }
  "quoted"() { quo(); }
  42() { num(); }
}
export function helper(x = init()) { return x; }
function* gen() { yield 1; }
async function later() { await helper(); }
const arrow = async (x) => helper(x), fn = function inner() { return 1; };
const Klass = class extends Base { run() { go(); } };
const object = { run() { go2(); }, arrow: () => go3(), fn: function () { go4(); }, async later() {}, get x() { return 1; }, [key]() { go5(); } };
module.exports = { helper, make: () => 1 };
exports.assigned = function () { asg(); };
Desk.prototype.more = function () { more1(); };
label: for (;;) { break label; }
top1();
