/* @flow strict */
import { useState } from 'react';
declare enum Level { Low, High }
declare let current: Level;
declare const fixed: Level;
declare component Framed(label: string, ...rest: { close(): void });
declare hook useFramed(label: string): void;
declare namespace Held { declare const inner: number; declare function inside(): void; declare type Own = string }
component Button(label: string = named(), 'data-x' as x: number, ...rest: Props) renders Framed {
  const [count, setCount] = useState(0);
  if (label) { track(label); }
  return <Framed label={label} onClick={() => setCount(count + 1)} />;
}
hook useCount(start: number): number { return start && useState(start); }
export hook useExported() { useCount(1); }
export default component Panel() { return match (kind()) { 1 => one(), 2 if (large()) => two(), _ => other() }; }
match (fixed) {
  Level.Low => { low(); }
  _ => { high(); }
}
record Point {
  x: number,
  y: number = start(),
  onMove: (Point) => void = (point) => moved(point),
  static zero: Point = make(),
  static from: (number) => Point = (x) => make(x),
  area(): number { return this.x && square(this.x); }
  static of(): Point { return make(); }
}
const size = (fixed as Level).size() as number;
const all = (['a'] as const).map(track);
