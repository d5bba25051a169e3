export type Result<T, E extends Error = Error> = [value: T, error: null] | [value: null, error: E];

export function attempt<T>(work: () => T): Result<T> {
  try {
    return [work(), null];
  } catch (error: unknown) {
    return [null, error instanceof Error ? error : new Error(String(error))];
  }
}

export const isKey = <T extends object>(value: T, key: PropertyKey): key is keyof T => key in value;
