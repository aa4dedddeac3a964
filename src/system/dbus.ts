/**
 * As much of D-Bus as one question needs: addresses, a method call with string arguments, a reply.
 * Source: D-Bus Specification, "Server Addresses" and "Message Protocol". Everything read here comes from a
 * socket that anybody may own, so each length is checked against what really arrived.
 */

/** The largest message taken from the bus, in bytes; the replies we ask for have about 100. */
export const messageLimit = 64 * 1024;

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
  readonly serial: number;
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly args: readonly string[];
}

/** A METHOD_CALL message, little endian, all arguments of type string. */
export function encodeCall(call: MethodCall): Buffer {
  const body = new Writer();
  for (const arg of call.args) body.string(arg);
  const fields = new Writer();
  fields.field(1, 'o', call.path);
  fields.field(2, 's', call.interface);
  fields.field(3, 's', call.member);
  fields.field(6, 's', call.destination);
  if (call.args.length > 0) fields.field(8, 'g', 's'.repeat(call.args.length));
  const head = Buffer.alloc(16);
  head.set([0x6c, 1, 0, 1]); // 'l', METHOD_CALL, no flags (so that the service is started), protocol 1
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(call.serial, 8);
  head.writeUInt32LE(fields.length, 12);
  const padding = Buffer.alloc(align(fields.length, 8) - fields.length);
  return Buffer.concat([head, fields.bytes(), padding, body.bytes()]);
}

class Writer {
  #parts: Buffer[] = [];
  length = 0;

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #push(part: Buffer): void {
    this.#parts.push(part);
    this.length += part.length;
  }

  pad(to: number): void {
    this.#push(Buffer.alloc(align(this.length, to) - this.length));
  }

  string(text: string): void {
    this.pad(4);
    const bytes = Buffer.from(text);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    this.#push(Buffer.concat([size, bytes, Buffer.alloc(1)]));
  }

  field(code: number, type: 'o' | 's' | 'g', value: string): void {
    this.pad(8);
    this.#push(Buffer.from([code, 1, type.charCodeAt(0), 0]));
    if (type === 'g') this.#push(Buffer.from([value.length, ...Buffer.from(value), 0]));
    else this.string(value);
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

export interface Reply {
  /** serial of the call this answers; undefined for signals and calls */
  readonly replyTo: number | undefined;
  readonly errorName: string | undefined;
  /** first value of the body: a string, or a boolean in a variant; undefined for other types */
  readonly value: string | boolean | undefined;
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
  const reader = new Reader(message);
  reader.offset = 12;
  const fieldsEnd = 16 + reader.u32();
  let replyTo: number | undefined;
  let errorName: string | undefined;
  let signature = '';
  while (reader.offset < fieldsEnd) {
    reader.pad(8);
    const code = reader.byte();
    const value = reader.variant();
    if (code === 4 && typeof value === 'string') errorName = value;
    if (code === 5 && typeof value === 'number') replyTo = value;
    if (code === 8 && typeof value === 'string') signature = value;
  }
  reader.offset = align(fieldsEnd, 8);
  const value = signature.startsWith('s') ? reader.string() : signature === 'v' ? reader.variant() : undefined;
  return { replyTo, errorName, value: typeof value === 'number' ? undefined : value };
}

class Reader {
  offset = 0;
  readonly #bytes: Buffer;
  readonly #little: boolean;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#little = bytes[0] === 0x6c;
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

  #text(length: number): string {
    const end = this.offset + length;
    if (end + 1 > this.#bytes.length) throw new RangeError('string beyond the message');
    const text = this.#bytes.toString('utf8', this.offset, end);
    this.offset = end + 1;
    return text;
  }

  string(): string {
    return this.#text(this.u32());
  }

  signature(): string {
    return this.#text(this.byte());
  }

  variant(): string | number | boolean {
    const type = this.signature();
    if (type === 's' || type === 'o') return this.string();
    if (type === 'g') return this.signature();
    if (type === 'u') return this.u32();
    if (type === 'b') return this.u32() === 1;
    throw new BadMessage(`a value of type ${JSON.stringify(type.slice(0, 8))}`);
  }
}
