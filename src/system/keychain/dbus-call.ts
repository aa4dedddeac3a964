/** Method calls of D-Bus, as messages (D-Bus Specification, "Message Protocol"). Only what the Secret Service needs. */

/** Every value stands at an offset that is a multiple of its alignment. */
export const align = (offset: number, to: number): number => Math.ceil(offset / to) * to;

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly args: readonly Argument[];
}

type Pairs = Readonly<Record<string, string>>;

/** The struct `Secret` (Secret Service API, "Data Types"). */
export interface WireSecret {
  readonly session: string;
  readonly parameters: Uint8Array;
  readonly value: Uint8Array;
  readonly contentType: string;
}

/**
 * A value with its type: a string, an object path, a boolean, a list of object paths, a dictionary of strings, bytes in a variant, a
 * secret, or the properties of an entry, which are a string or a dictionary of strings each.
 */
export type Argument =
  | { readonly type: 's' | 'o'; readonly value: string }
  | { readonly type: 'b'; readonly value: boolean }
  | { readonly type: 'ao'; readonly value: readonly string[] }
  | { readonly type: 'a{ss}'; readonly value: Pairs }
  | { readonly type: 'v'; readonly value: Uint8Array }
  | { readonly type: '(oayays)'; readonly value: WireSecret }
  | { readonly type: 'a{sv}'; readonly value: Readonly<Record<string, string | Pairs>> };

/** A METHOD_CALL message, little endian. `serial` is not 0. */
export function encodeCall(serial: number, call: MethodCall): Buffer {
  const writer = new Writer();
  // 'l' (little endian), METHOD_CALL, no flags (so the bus may start the service), protocol version 1
  writer.bytes([0x6c, 1, 0, 1]);
  const bodyLength = writer.place();
  writer.u32(serial);
  const fieldsLength = writer.place();
  const fieldsStart = writer.length;
  writer.field(1, 'o', call.path);
  writer.field(2, 's', call.interface);
  writer.field(3, 's', call.member);
  writer.field(6, 's', call.destination);
  if (call.args.length > 0) writer.field(8, 'g', call.args.map((arg) => arg.type).join(''));
  writer.put(fieldsLength, writer.length - fieldsStart);
  writer.pad(8);
  const bodyStart = writer.length;
  for (const arg of call.args) writer.argument(arg);
  writer.put(bodyLength, writer.length - bodyStart);
  return writer.written();
}

/** Writes into one buffer, because alignment counts from the beginning of the message. */
class Writer {
  #buffer = Buffer.alloc(1024);
  length = 0;

  written(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  bytes(bytes: ArrayLike<number>): void {
    if (this.length + bytes.length > this.#buffer.length) {
      this.#buffer = Buffer.concat([this.#buffer, Buffer.alloc(this.#buffer.length + bytes.length)]);
    }
    this.#buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  pad(to: number): void {
    this.bytes(new Uint8Array(align(this.length, to) - this.length));
  }

  u32(value: number): void {
    this.put(this.place(), value);
  }

  /** Leaves room for a number that is known later; answers its place for `put`. */
  place(): number {
    this.pad(4);
    this.bytes([0, 0, 0, 0]);
    return this.length - 4;
  }

  put(at: number, value: number): void {
    this.#buffer.writeUInt32LE(value, at);
  }

  #string(text: string): void {
    const bytes = Buffer.from(`${text}\0`);
    this.u32(bytes.length - 1);
    this.bytes(bytes);
  }

  #signature(text: string): void {
    const bytes = Buffer.from(`${text}\0`);
    this.bytes([bytes.length - 1]);
    this.bytes(bytes);
  }

  field(code: number, type: 'o' | 's' | 'g', value: string): void {
    this.pad(8);
    this.bytes([code]);
    this.#signature(type);
    if (type === 'g') this.#signature(value);
    else this.#string(value);
  }

  #bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.bytes(bytes);
  }

  argument({ type, value }: Argument): void {
    if (type === 'b') this.u32(value ? 1 : 0);
    else if (type === 'ao') this.#array(4, value, (path) => this.#string(path));
    else if (type === 'a{ss}') this.#dictionary(value);
    else if (type === 'a{sv}') this.#array(8, Object.entries(value), ([name, property]) => this.#property(name, property));
    else if (type === '(oayays)') this.#secret(value);
    else if (type === 'v') {
      this.#signature('ay');
      this.#bytes(value);
    } else this.#string(value);
  }

  /** The length of an array does not count the padding before its first element. */
  #array<T>(alignment: number, elements: readonly T[], write: (element: T) => void): void {
    const length = this.place();
    this.pad(alignment);
    const start = this.length;
    for (const element of elements) write(element);
    this.put(length, this.length - start);
  }

  #dictionary(pairs: Pairs): void {
    this.#array(8, Object.entries(pairs), ([key, value]) => {
      this.pad(8);
      this.#string(key);
      this.#string(value);
    });
  }

  #property(name: string, value: string | Pairs): void {
    this.pad(8);
    this.#string(name);
    this.#signature(typeof value === 'string' ? 's' : 'a{ss}');
    if (typeof value === 'string') this.#string(value);
    else this.#dictionary(value);
  }

  #secret({ session, parameters, value, contentType }: WireSecret): void {
    this.pad(8);
    this.#string(session);
    this.#bytes(parameters);
    this.#bytes(value);
    this.#string(contentType);
  }
}
