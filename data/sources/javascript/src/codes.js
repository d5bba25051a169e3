const CODE = /^(?<kind>[A-Z]{2})-(?<number>\d{4,})$/u;

export const parse = (text) => {
  const { kind, number } = text.match(CODE)?.groups ?? {};
  return kind ? { kind, number: BigInt(number) } : null;
};

export const next = ({ kind, number }) => `${kind}-${String(number + 1n).padStart(4, '0')}`;
