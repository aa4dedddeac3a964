import { inspect } from 'node:util';

/**
 * A token, client secret or password. Prints as `[secret]` wherever it lands by accident
 * (template strings, JSON, console, error details); `.reveal()` is the one way out, and greppable.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  get length(): number {
    return this.#value.length;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
