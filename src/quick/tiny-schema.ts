/**
 * The functions of `zod/mini` that the schemas of quick.cjs use; build.mjs puts this file in its place there. Loading zod itself would take
 * `token get` a third of the time of a bare Node. What this reader refuses is read again by the whole program with zod, which explains the
 * refusal. So it may refuse more than zod does, but must never accept more (tiny-schema.test.ts compares the two).
 */

/** Thrown by a reader. It carries no reason, because the whole program finds the reason again. */
class Refused extends Error {}

type Read<T> = (value: unknown) => T;
type Check = (value: never) => boolean;
type Result<T> =
  | { readonly success: true; readonly data: T; readonly error?: undefined }
  | { readonly success: false; readonly data?: undefined; readonly error: { readonly issues: readonly [] } };

class Schema<T> {
  readonly parse: Read<T>;
  /** An object is valid without this key. */
  readonly mayLack: boolean;

  constructor(parse: Read<T>, mayLack = false) {
    this.parse = parse;
    this.mayLack = mayLack;
  }

  check(...checks: readonly Check[]): Schema<T> {
    return new Schema((value) => {
      const read = this.parse(value);
      for (const holds of checks) if (!holds(read as never)) throw new Refused();
      return read;
    }, this.mayLack);
  }

  safeParse(value: unknown): Result<T> {
    try {
      return { success: true, data: this.parse(value) };
    } catch (error) {
      if (error instanceof Refused) return { success: false, error: { issues: [] } };
      throw error;
    }
  }
}

function only<T>(holds: (value: unknown) => boolean): Schema<T> {
  return new Schema((value) => {
    if (!holds(value)) throw new Refused();
    return value as T;
  });
}

export const string = () => only<string>((value) => typeof value === 'string');
export const boolean = () => only<boolean>((value) => typeof value === 'boolean');
export const int = () => only<number>(Number.isSafeInteger);
export const literal = <T>(wanted: T) => only<T>((value) => value === wanted);
export { oneOf as enum };

const oneOf = <T extends string>(words: readonly T[]) => only<T>((value) => words.includes(value as T));

export const optional = <T>(inner: Schema<T>) =>
  new Schema<T | undefined>((value) => (value === undefined ? undefined : inner.parse(value)), true);
export const exactOptional = <T>(inner: Schema<T>) => new Schema<T>(inner.parse, true);

export const array = <T>(inner: Schema<T>) =>
  new Schema<T[]>((value) => {
    if (!Array.isArray(value)) throw new Refused();
    return value.map(inner.parse);
  });

/** Unknown keys are left out. */
export const object = (shape: Readonly<Record<string, Schema<unknown>>>) =>
  new Schema((value) => {
    const from = keyed(value);
    const read: Record<string, unknown> = {};
    for (const [key, schema] of Object.entries(shape)) {
      if (key in from) read[key] = schema.parse(from[key]);
      else if (!schema.mayLack) throw new Refused();
    }
    return read;
  });

export const record = <T>(_key: Schema<string>, inner: Schema<T>) =>
  new Schema((value) => {
    const read: Record<string, T> = {};
    for (const [key, one] of Object.entries(keyed(value))) if (key !== '__proto__') read[key] = inner.parse(one);
    return read;
  });

function keyed(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused();
  return value as Record<string, unknown>;
}

export const minLength = (least: number) => (value: string) => value.length >= least;
export const minimum = (least: number) => (value: number) => value >= least;
export const maximum = (most: number) => (value: number) => value <= most;
export const positive = () => (value: number) => value > 0;
export const regex = (pattern: RegExp) => (value: string) => pattern.test(value);
export const refine = <T>(holds: (value: T) => boolean) => holds;
