/**
 * As much of D-Bus as reading a secret needs: addresses, method calls, replies.
 * Source: D-Bus Specification, "Server Addresses" and "Message Protocol". Everything read here comes from a
 * socket that anybody may own, so each length is checked against what really arrived.
 */

/** The largest message taken from the bus, in bytes; a secret of ours has a few thousand. */
export const messageLimit = 1024 * 1024;

const align = (offset: number, to: number): number => Math.ceil(offset / to) * to;

/** Socket paths of a D-Bus address list, in order; an abstract name begins with NUL. Other transports are left out. */
export function socketPaths(addresses: string, runtimeDir: string | undefined): readonly string[] {
  return addresses.split(';').flatMap((address) => {
    const [transport, rest] = cut(address, ':');
    if (transport !== 'unix' || rest === undefined) return [];
    const path = rest.split(',').map((pair) => socketPath(pair, runtimeDir));
    return path.find((found) => found !== undefined) ?? [];
  });
}

function socketPath(pair: string, runtimeDir: string | undefined): string | undefined {
  const [key, escaped] = cut(pair, '=');
  const value = unescaped(escaped ?? '');
  if (!value) return undefined;
  if (key === 'path') return value.includes('\0') ? undefined : value;
  if (key === 'abstract') return `\0${value}`;
  if (key === 'runtime' && value === 'yes' && runtimeDir) return `${runtimeDir}/bus`;
  return undefined;
}

function cut(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

/** `%XX` to bytes (D-Bus Specification, "Server Addresses"); undefined when the escape is broken. */
function unescaped(value: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(value)) return undefined;
  const bytes = value.replace(/%([0-9a-fA-F]{2})|[^%]+/g, (text, hex: string | undefined) => hex ?? Buffer.from(text).toString('hex'));
  return Buffer.from(bytes, 'hex').toString('utf8');
}

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly args: readonly Argument[];
}

/** A value with its type: a string, an object path, a dictionary of strings, or bytes in a variant. */
export type Argument =
  | { readonly type: 's' | 'o'; readonly value: string }
  | { readonly type: 'a{ss}'; readonly value: Readonly<Record<string, string>> }
  | { readonly type: 'v'; readonly value: Uint8Array | string };

/** A METHOD_CALL message, little endian. `serial` is not 0. */
export function encodeCall(serial: number, call: MethodCall): Buffer {
  const body = new Writer();
  for (const arg of call.args) body.argument(arg);
  const fields = new Writer();
  fields.field(1, 'o', call.path);
  fields.field(2, 's', call.interface);
  fields.field(3, 's', call.member);
  fields.field(6, 's', call.destination);
  if (call.args.length > 0) fields.field(8, 'g', call.args.map((arg) => arg.type).join(''));
  const head = Buffer.alloc(16);
  head.set([0x6c, 1, 0, 1]); // 'l', METHOD_CALL, no flags (so that the service is started), protocol 1
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(serial, 8);
  head.writeUInt32LE(fields.length, 12);
  fields.pad(8);
  return Buffer.concat([head, fields.bytes(), body.bytes()]);
}

class Writer {
  #parts: Uint8Array[] = [];
  length = 0;

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.length += part.length;
  }

  pad(to: number): void {
    this.#push(Buffer.alloc(align(this.length, to) - this.length));
  }

  #u32(value: number): void {
    this.pad(4);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.#push(bytes);
  }

  #string(text: string): void {
    const bytes = Buffer.from(`${text}\0`);
    this.#u32(bytes.length - 1);
    this.#push(bytes);
  }

  #signature(text: string): void {
    this.#push(Buffer.from([text.length, ...Buffer.from(text), 0]));
  }

  field(code: number, type: 'o' | 's' | 'g', value: string): void {
    this.pad(8);
    this.#push(Buffer.from([code]));
    this.#signature(type);
    if (type === 'g') this.#signature(value);
    else this.#string(value);
  }

  argument({ type, value }: Argument): void {
    if (type === 'a{ss}') this.#dictionary(value);
    else if (type !== 'v') this.#string(value);
    else if (typeof value === 'string') {
      this.#signature('s');
      this.#string(value);
    } else {
      this.#signature('ay');
      this.#u32(value.length);
      this.#push(value);
    }
  }

  /** Its length does not count the padding before the first entry; the entries begin at a multiple of 8 in here, too. */
  #dictionary(pairs: Readonly<Record<string, string>>): void {
    const entries = new Writer();
    for (const [key, value] of Object.entries(pairs)) {
      entries.pad(8);
      entries.#string(key);
      entries.#string(value);
    }
    this.#u32(entries.length);
    this.pad(8);
    this.#push(entries.bytes());
  }
}

/** Size of the whole message from its first 16 bytes; throws `BadMessage` when it is none or too large. */
export function messageSize(head: Buffer): number {
  if ((head[0] !== 0x6c && head[0] !== 0x42) || head[3] !== 1) throw new BadMessage('not a D-Bus message');
  const little = head[0] === 0x6c;
  const u32 = (at: number) => (little ? head.readUInt32LE(at) : head.readUInt32BE(at));
  const size = 16 + align(u32(12), 8) + u32(4);
  if (size > messageLimit) throw new BadMessage(`a message of ${size} bytes`);
  return size;
}

export class BadMessage extends Error {}

/** Strings of any kind, numbers, booleans, bytes (`ay`), and arrays of these for arrays and structs; a variant is its value. */
export type Value = string | number | boolean | Buffer | readonly Value[];

export interface Reply {
  /** serial of the call this answers; undefined for signals and calls */
  readonly replyTo: number | undefined;
  readonly errorName: string | undefined;
  /** the body; of what is no reply it is not read */
  readonly values: readonly Value[];
}

/** Reads one whole message; throws `BadMessage` when its inner lengths do not fit. */
export function decodeReply(message: Buffer): Reply {
  try {
    return decode(message);
  } catch (error) {
    if (error instanceof RangeError) throw new BadMessage('a message with wrong lengths', { cause: error });
    throw error;
  }
}

function decode(message: Buffer): Reply {
  const reader = new Reader(message, 12);
  const fieldsEnd = 16 + reader.u32();
  const fields: Value[] = [];
  while (reader.offset < fieldsEnd) {
    reader.pad(8);
    const code = reader.byte();
    const value = reader.variant();
    fields[code] = value;
  }
  const [, , , , errorName, replyTo, , , signature] = fields;
  reader.offset = align(fieldsEnd, 8);
  const isReply = typeof replyTo === 'number';
  return {
    replyTo: isReply ? replyTo : undefined,
    errorName: typeof errorName === 'string' ? errorName : undefined,
    values: isReply && typeof signature === 'string' ? reader.values(signature) : [],
  };
}

class Reader {
  offset: number;
  readonly #bytes: Buffer;
  readonly #little: boolean;

  constructor(bytes: Buffer, offset: number) {
    this.#bytes = bytes;
    this.#little = bytes[0] === 0x6c;
    this.offset = offset;
  }

  pad(to: number): void {
    this.offset = align(this.offset, to);
  }

  byte(): number {
    return this.#bytes.readUInt8(this.offset++);
  }

  u32(): number {
    this.pad(4);
    const value = this.#little ? this.#bytes.readUInt32LE(this.offset) : this.#bytes.readUInt32BE(this.offset);
    this.offset += 4;
    return value;
  }

  #take(length: number): Buffer {
    const end = this.offset + length;
    if (end > this.#bytes.length) throw new RangeError('a value beyond the message');
    const taken = this.#bytes.subarray(this.offset, end);
    this.offset = end;
    return taken;
  }

  /** Without the NUL behind it. */
  #text(length: number): string {
    return this.#take(length + 1).toString('utf8', 0, length);
  }

  variant(): Value {
    const [value] = this.values(this.#text(this.byte()));
    if (value === undefined) throw new BadMessage('a variant without a value');
    return value;
  }

  /** The values of a signature, one after the other. */
  values(signature: string): readonly Value[] {
    const values: Value[] = [];
    for (let rest = signature; rest !== ''; ) {
      const type = firstType(rest);
      values.push(this.#value(type));
      rest = rest.slice(type.length);
    }
    return values;
  }

  #value(type: string): Value {
    if (type === 's' || type === 'o') return this.#text(this.u32());
    if (type === 'g') return this.#text(this.byte());
    if (type === 'u') return this.u32();
    if (type === 'b') return this.u32() === 1;
    if (type === 'v') return this.variant();
    if (type === 'ay') return this.#take(this.u32());
    if (type.startsWith('a')) return this.#array(type.slice(1));
    // Of an empty struct a message of any size could hold any number.
    if (type.startsWith('(') && type !== '()') {
      this.pad(8);
      return this.values(type.slice(1, -1));
    }
    throw new BadMessage(`a value of type ${JSON.stringify(type.slice(0, 8))}`);
  }

  #array(type: string): Value {
    const length = this.u32();
    this.pad(type.startsWith('(') ? 8 : 4);
    const end = this.offset + length;
    if (end > this.#bytes.length) throw new RangeError('an array beyond the message');
    const values: Value[] = [];
    while (this.offset < end) values.push(this.#value(type));
    return values;
  }
}

/** The first complete type of a signature: `ao` of `aoao`, `(oayays)` whole. */
function firstType(signature: string): string {
  if (signature.startsWith('a')) return `a${firstType(signature.slice(1))}`;
  if (!signature.startsWith('(')) return signature.slice(0, 1);
  let depth = 0;
  for (let at = 0; at < signature.length; at += 1) {
    if (signature[at] === '(') depth += 1;
    if (signature[at] === ')') depth -= 1;
    if (depth === 0) return signature.slice(0, at + 1);
  }
  throw new BadMessage('a signature without its end');
}
