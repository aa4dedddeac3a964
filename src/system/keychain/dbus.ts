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
  | { readonly type: 'v'; readonly value: Uint8Array };

/** A METHOD_CALL message, little endian. `serial` is not 0. */
export function encodeCall(serial: number, call: MethodCall): Buffer {
  const writer = new Writer();
  writer.bytes([0x6c, 1, 0, 1]); // 'l', METHOD_CALL, no flags (so that the service is started), protocol 1
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

/** One buffer, in which every part stands where it belongs: alignment counts from the message's beginning. */
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

  /** For a number that is known later. */
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

  argument({ type, value }: Argument): void {
    if (type === 'a{ss}') this.#dictionary(value);
    else if (type === 'v') {
      this.#signature('ay');
      this.u32(value.length);
      this.bytes(value);
    } else this.#string(value);
  }

  /** Its length does not count the padding before the first entry. */
  #dictionary(pairs: Readonly<Record<string, string>>): void {
    const length = this.place();
    this.pad(8);
    const start = this.length;
    for (const [key, value] of Object.entries(pairs)) {
      this.pad(8);
      this.#string(key);
      this.#string(value);
    }
    this.put(length, this.length - start);
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

/** A string of any kind, a number, a boolean, bytes, a list of strings, or the struct `Secret`: session, parameters, value, content type. */
export type Value = string | number | boolean | Buffer | readonly string[] | readonly [string, Buffer, Buffer, string];

export interface Reply {
  /** serial of the call this answers; undefined for signals and calls */
  readonly replyTo: number | undefined;
  readonly errorName: string | undefined;
  /** the body; of what is no reply it is not read */
  readonly values: readonly Value[];
}

const methodReturn = 2;
const errorReply = 3;

/** Reads one whole message; throws `BadMessage` when its inner lengths do not fit, or a reply has values that we never ask for. */
export function decodeReply(message: Buffer): Reply {
  try {
    return decode(message);
  } catch (error) {
    if (error instanceof RangeError) throw new BadMessage('a message with wrong lengths', { cause: error });
    throw error;
  }
}

function decode(message: Buffer): Reply {
  const type = message.readUInt8(1);
  if (type !== methodReturn && type !== errorReply) return { replyTo: undefined, errorName: undefined, values: [] };
  const reader = new Reader(message, 12);
  const fieldsEnd = 16 + reader.u32();
  const fields = new Map<number, Value>();
  while (reader.offset < fieldsEnd) {
    reader.pad(8);
    const code = reader.byte();
    fields.set(code, reader.variant());
  }
  reader.offset = align(fieldsEnd, 8);
  const [errorName, replyTo, signature = ''] = [fields.get(4), fields.get(5), fields.get(8)];
  if (typeof replyTo !== 'number') throw new BadMessage('a reply to nothing');
  return {
    replyTo,
    errorName: type === errorReply ? String(errorName) : undefined,
    values: bodyOf(reader, signature),
  };
}

/** The bodies that we ask for, each by itself: a reader of any signature would let a small message cost minutes. */
function bodyOf(reader: Reader, signature: Value): Reply['values'] {
  switch (signature) {
    case '':
      return [];
    case 's':
      return [reader.string()];
    case 'v':
      return [reader.variant()];
    case 'vo':
      return [reader.variant(), reader.string()];
    case 'aoao':
      return [reader.strings(), reader.strings()];
    case '(oayays)':
      reader.pad(8);
      return [[reader.string(), reader.bytes(), reader.bytes(), reader.string()]];
    default:
      throw new BadMessage('a body of another type');
  }
}

class Reader {
  offset: number;
  readonly #message: Buffer;
  readonly #little: boolean;

  constructor(message: Buffer, offset: number) {
    this.#message = message;
    this.#little = message[0] === 0x6c;
    this.offset = offset;
  }

  pad(to: number): void {
    this.offset = align(this.offset, to);
  }

  byte(): number {
    return this.#message.readUInt8(this.offset++);
  }

  u32(): number {
    this.pad(4);
    const value = this.#little ? this.#message.readUInt32LE(this.offset) : this.#message.readUInt32BE(this.offset);
    this.offset += 4;
    return value;
  }

  #take(length: number): Buffer {
    const end = this.offset + length;
    if (end > this.#message.length) throw new RangeError('a value beyond the message');
    const taken = this.#message.subarray(this.offset, end);
    this.offset = end;
    return taken;
  }

  /** Without the NUL behind it. */
  #text(length: number): string {
    return this.#take(length + 1).toString('utf8', 0, length);
  }

  string(): string {
    return this.#text(this.u32());
  }

  bytes(): Buffer {
    return this.#take(this.u32());
  }

  strings(): readonly string[] {
    const length = this.u32();
    const end = this.offset + length;
    if (end > this.#message.length) throw new RangeError('an array beyond the message');
    const values: string[] = [];
    while (this.offset < end) values.push(this.string());
    return values;
  }

  variant(): Value {
    const type = this.#text(this.byte());
    if (type === 's' || type === 'o') return this.string();
    if (type === 'g') return this.#text(this.byte());
    if (type === 'u') return this.u32();
    if (type === 'b') return this.u32() === 1;
    if (type === 'ay') return this.bytes();
    throw new BadMessage(`a value of type ${JSON.stringify(type.slice(0, 8))}`);
  }
}
