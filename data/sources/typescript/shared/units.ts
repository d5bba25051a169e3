export enum Unit {
  Piece = 'pc',
  Metre = 'm',
  Kilogram = 'kg',
}

export namespace Units {
  const factors: Record<Unit, number> = { [Unit.Piece]: 1, [Unit.Metre]: 100, [Unit.Kilogram]: 1000 };

  export function toSmall(amount: number, unit: Unit): number {
    return Math.round(amount * factors[unit]);
  }
}
