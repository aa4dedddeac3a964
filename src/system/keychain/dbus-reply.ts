import { align } from './dbus-call.ts';

/**
 * Replies of D-Bus, read from their messages (D-Bus Specification, "Message Protocol"). Any program of this user may own the socket that
 * they come from, so each length is checked against the bytes that really arrived.
 */

/** The largest message that is taken from the bus, in bytes. A secret of mailauth has a few thousand. */
export const messageLimit = 1024 * 1024;

/** Size of the whole message, from its first 16 bytes. Throws `BadMessage` when they do not begin a message, or when it is too large. */
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
  /** serial of the call that this answers; undefined for signals and calls */
  readonly replyTo: number | undefined;
  readonly errorName: string | undefined;
  /** set for the signal with which a prompt of the Secret Service ends; other signals are not read */
  readonly completed?: { readonly prompt: string; readonly dismissed: boolean };
  /** the body; empty for signals and calls */
  readonly values: readonly Value[];
}

const methodReturn = 2;
const errorReply = 3;
const signal = 4;

/** Codes of header fields (D-Bus Specification, "Header Fields"). */
const field = { path: 1, interface: 2, member: 3, errorName: 4, replyTo: 5, signature: 8 } as const;

/** Reads one whole message. Throws `BadMessage` when its inner lengths do not fit, or when a reply has values that mailauth never asks for. */
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
  if (type !== methodReturn && type !== errorReply && type !== signal) return notForUs;
  const reader = new Reader(message, 12);
  const fieldsEnd = 16 + reader.u32();
  const fields = new Map<number, Value>();
  while (reader.offset < fieldsEnd) {
    reader.pad(8);
    const code = reader.byte();
    fields.set(code, reader.variant());
  }
  reader.offset = align(fieldsEnd, 8);
  if (type === signal) return signalOf(reader, fields);
  const [errorName, replyTo, signature = ''] = [fields.get(field.errorName), fields.get(field.replyTo), fields.get(field.signature)];
  if (typeof replyTo !== 'number') throw new BadMessage('a reply to nothing');
  return {
    replyTo,
    errorName: type === errorReply ? String(errorName) : undefined,
    values: bodyOf(reader, signature),
  };
}

const notForUs: Reply = { replyTo: undefined, errorName: undefined, values: [] };

/** `Completed` (Secret Service API, "org.freedesktop.Secret.Prompt"): whether it was dismissed, then a result, which is not read. */
function signalOf(reader: Reader, fields: ReadonlyMap<number, Value>): Reply {
  const [prompt, signature] = [fields.get(field.path), fields.get(field.signature)];
  const isCompleted = fields.get(field.interface) === 'org.freedesktop.Secret.Prompt' && fields.get(field.member) === 'Completed';
  if (!isCompleted || typeof prompt !== 'string' || signature !== 'bv') return notForUs;
  return { ...notForUs, completed: { prompt, dismissed: reader.u32() !== 0 } };
}

/** Reads only the bodies that mailauth asks for. A reader of every signature would let a small message keep it busy for minutes. */
function bodyOf(reader: Reader, signature: Value): Reply['values'] {
  switch (signature) {
    case '':
      return [];
    case 's':
    case 'o':
      return [reader.string()];
    case 'u':
      return [reader.u32()];
    case 'b':
      return [reader.u32() === 1];
    case 'oo':
      return [reader.string(), reader.string()];
    case 'aoo':
      return [reader.strings(), reader.string()];
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

  /** A text of this length; the NUL behind it is skipped. */
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
