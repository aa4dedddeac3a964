import { createCipheriv, createDecipheriv, getDiffieHellman, hkdfSync, randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { messageSize } from '../../../../src/system/keychain/dbus-reply.ts';

/** One header field array and a body, as a bus writes them. */
export function message(type: number, fields: readonly Buffer[], body: Buffer): Buffer {
  let array = Buffer.alloc(0);
  for (const field of fields) array = Buffer.concat([array, Buffer.alloc((8 - (array.length % 8)) % 8), field]);
  const head = Buffer.alloc(16);
  head.set([0x6c, type, 0, 1]);
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(7, 8);
  head.writeUInt32LE(array.length, 12);
  return Buffer.concat([head, array, Buffer.alloc((8 - (array.length % 8)) % 8), body]);
}

export const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
export const text = (value: string) => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(`${value}\0`)]);
export const field = (code: number, type: string, value: Buffer) => Buffer.concat([Buffer.from([code, 1, type.charCodeAt(0), 0]), value]);
export const replyTo = (serial: number) => field(5, 'u', u32(serial));
export const signature = (type: string) => field(8, 'g', Buffer.concat([Buffer.from([type.length]), Buffer.from(`${type}\0`)]));

export const busError = (serial: number, name: string, words: string) =>
  message(3, [field(4, 's', text(name)), replyTo(serial), signature('s')], text(words));

const padded = (bytes: Buffer, to: number) => Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
const array = (bytes: Buffer) => Buffer.concat([u32(bytes.length), bytes]);
const pathsOf = (list: readonly string[]) =>
  array(list.reduce((all, path) => Buffer.concat([padded(all, 4), text(path)]), Buffer.alloc(0)));

/** What the service says to one call. `as`: message type, instead of a method's return. */
export type Answer =
  | { readonly type: string; readonly body: Buffer; readonly as?: number }
  | { readonly error: string; readonly words?: string }
  | undefined;

export const nothing: Answer = { type: '', body: Buffer.alloc(0) };
export const path = (value: string): Answer => ({ type: 'o', body: text(value) });
export const bool = (value: boolean): Answer => ({ type: 'b', body: u32(value ? 1 : 0) });
export const number = (value: number): Answer => ({ type: 'u', body: u32(value) });
export const boolProperty = (value: boolean): Answer => ({
  type: 'v',
  body: Buffer.concat([Buffer.from([1, 0x62, 0, 0]), u32(value ? 1 : 0)]),
});
export const pathAndPrompt = (one: string, prompt: string): Answer => ({
  type: 'oo',
  body: Buffer.concat([padded(text(one), 4), text(prompt)]),
});
export const pathsAndPrompt = (paths: readonly string[], prompt: string): Answer => ({
  type: 'aoo',
  body: Buffer.concat([padded(pathsOf(paths), 4), text(prompt)]),
});
export const found = (unlocked: readonly string[], locked: readonly string[] = []): Answer => ({
  type: 'aoao',
  body: Buffer.concat([padded(pathsOf(unlocked), 4), pathsOf(locked)]),
});
export const publicKey = (bytes: Buffer, session = '/s'): Answer => ({
  type: 'vo',
  body: Buffer.concat([padded(Buffer.concat([Buffer.from([2]), Buffer.from('ay\0'), u32(bytes.length), bytes]), 4), text(session)]),
});

/** The signal with which a prompt ends; its result is a list without objects. */
export const completed = (prompt: string, dismissed: boolean): Buffer =>
  message(
    4,
    [field(1, 'o', text(prompt)), field(2, 's', text('org.freedesktop.Secret.Prompt')), field(3, 's', text('Completed')), signature('bv')],
    Buffer.concat([u32(dismissed ? 1 : 0), Buffer.from([2]), Buffer.from('ao\0'), u32(0)]),
  );

/** Node needs 80 ms to prove the prime, so all sessions share the group. */
export const exchange = getDiffieHellman('modp2');

/** The secrets of a service: its side of a session, by Node's own Diffie-Hellman and ciphers. */
export function fakeSession(ahead = Buffer.alloc(0)) {
  let key = Buffer.alloc(0);
  const name = '/org/freedesktop/secrets/session/s1';
  return {
    open: (call: Call) => {
      exchange.generateKeys();
      const shared = exchange.computeSecret(call.message.subarray(-128));
      key = Buffer.from(hkdfSync('sha256', shared, '', '', 16));
      return publicKey(Buffer.concat([ahead, padStart(exchange.getPublicKey())]), name);
    },
    /** as GetSecret answers it */
    secret: (value: Buffer | string): Answer => {
      const iv = randomBytes(16);
      const cipher = createCipheriv('aes-128-cbc', key, iv);
      const struct = padded(
        Buffer.concat([padded(text(name), 4), array(iv), array(Buffer.concat([cipher.update(value), cipher.final()]))]),
        4,
      );
      return { type: '(oayays)', body: Buffer.concat([struct, text('text/plain')]) };
    },
    /** what a call of SetSecret or CreateItem brought */
    received: ({ message: bytes }: Call): string => {
      let at = bytes.lastIndexOf(Buffer.from(`${name}\0`)) + name.length + 1;
      const take = () => {
        at = Math.ceil(at / 4) * 4;
        const length = bytes.readUInt32LE(at);
        at += 4 + length;
        return bytes.subarray(at - length, at);
      };
      const [iv, value] = [take(), take()];
      const decipher = createDecipheriv('aes-128-cbc', key, iv);
      return Buffer.concat([decipher.update(value), decipher.final()]).toString();
    },
  };
}

const padStart = (bytes: Buffer) => Buffer.concat([Buffer.alloc(128 - bytes.length), bytes]);

export interface Call {
  readonly member: string;
  readonly path: string;
  readonly message: Buffer;
  /** sends a message of its own: a signal */
  emit(message: Buffer): void;
  /** answers later, where the answer was undefined */
  reply(answer: Answer): void;
}

/** Header fields of a call (D-Bus Specification, "Header Fields"): path 1, member 3. */
function headerOf(call: Buffer): ReadonlyMap<number, string> {
  const fields = new Map<number, string>();
  const end = 16 + call.readUInt32LE(12);
  let at = 16;
  while (at < end) {
    at = Math.ceil(at / 8) * 8;
    const code = call.readUInt8(at);
    const isSignature = call.readUInt8(at + 2) === 0x67;
    const length = isSignature ? call.readUInt8(at + 4) : call.readUInt32LE(at + 4);
    const start = at + (isSignature ? 5 : 8);
    fields.set(code, call.toString('utf8', start, start + length));
    at = start + length + 1;
  }
  return fields;
}

export type Answers = Readonly<Record<string, (call: Call) => Answer>>;

/** A session bus with one service. It answers each call by its member; what has no answer is never answered. */
export async function scriptedBus(
  at: string,
  answers: Answers,
): Promise<{ readonly calls: string[]; connections(): number; close(): void }> {
  const calls: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let buffer = Buffer.alloc(0);
    const answer = (bytes: Buffer) => {
      const header = headerOf(bytes);
      const member = header.get(3) ?? '';
      calls.push(member);
      const serial = bytes.readUInt32LE(8);
      const reply = (said: Answer): void => {
        if (said === undefined) return;
        if ('error' in said) socket.write(busError(serial, said.error, said.words ?? 'words'));
        else socket.write(message(said.as ?? 2, said.type === '' ? [replyTo(serial)] : [replyTo(serial), signature(said.type)], said.body));
      };
      const emit = (signal: Buffer) => void socket.write(signal);
      const call = { member, path: header.get(1) ?? '', message: bytes, emit, reply };
      reply(member === 'Hello' ? { type: 's', body: text(':1.5') } : answers[member]?.(call));
    };
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      if (chunk.includes('AUTH')) {
        socket.write('OK 1\r\n');
        return;
      }
      buffer = Buffer.concat([buffer, chunk]);
      if (buffer.toString('latin1').startsWith('BEGIN\r\n')) buffer = buffer.subarray(7);
      while (buffer.length >= 16 && buffer.length >= messageSize(buffer)) {
        const size = messageSize(buffer);
        answer(buffer.subarray(0, size));
        buffer = buffer.subarray(size);
      }
    });
  });
  await new Promise<void>((done) => server.listen(at, done));
  return {
    calls,
    connections: () => sockets.length,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
