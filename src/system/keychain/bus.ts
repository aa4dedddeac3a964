import type { Socket } from 'node:net';
import { nodeNet } from '../../core/builtins.ts';
import type { Env } from '../../core/context.ts';
import { KeychainFailure } from '../../core/keychain-port.ts';
import { BusyBus, Closed, isLost, Refusal } from './bus-errors.ts';
import { socketPaths } from './dbus-address.ts';
import { encodeCall, type MethodCall } from './dbus-call.ts';
import { BadMessage, decodeReply, messageSize, type Reply } from './dbus-reply.ts';

/** The session bus. Several calls may be under way at a time: the bus keeps their order. Idle it does not keep the process alive. */
export interface Bus {
  /** Rejects with `Refusal`, with `BusyBus` when no answer came within `limitMs`, or with what ended the connection. */
  call(call: MethodCall, limitMs: number): Promise<Reply['values']>;
  /** Resolves when this prompt of the Secret Service has ended: whether it was dismissed. Rejects like `call`. */
  completed(prompt: string, limitMs: number): Promise<boolean>;
  readonly isOpen: boolean;
  /** Whoever waits for an answer gets the reason. */
  close(reason?: Error): void;
}

/** The longest line of the handshake, in bytes; the bus sends 37. */
const lineLimit = 16 * 1024;

/** Connects to the session bus: the first of its addresses that answers. Throws `KeychainFailure` 'no-bus', or what ended the connection. */
export async function connectBus(env: Env, limitMs: number): Promise<Bus> {
  // cron and systemd's system units set neither variable; pam_systemd makes this folder while the user is logged in (or lingers).
  const runtimeDir = env.XDG_RUNTIME_DIR || `/run/user/${process.getuid?.() ?? ''}`;
  const address = env.DBUS_SESSION_BUS_ADDRESS || 'unix:runtime=yes';
  const unset = !env.XDG_RUNTIME_DIR && !env.DBUS_SESSION_BUS_ADDRESS;
  let last: unknown = new KeychainFailure('no-bus', 'DBUS_SESSION_BUS_ADDRESS names no Unix socket');
  for (const path of socketPaths(address, runtimeDir)) {
    try {
      return await greet(nodeNet().connect({ path }), limitMs);
    } catch (error) {
      if (!isLost(error)) throw error;
      const why = unset ? `neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set, and ${path} does not answer` : error.message;
      last = new KeychainFailure('no-bus', why, { cause: error });
    }
  }
  throw last;
}

const hello: MethodCall = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  args: [],
};

/** SASL EXTERNAL (D-Bus Specification, "Authentication Protocol"), then Hello. Other calls need not wait for the answer to Hello. */
function greet(socket: Socket, limitMs: number): Promise<Bus> {
  return new Promise((done, fail) => {
    let connection: Connection | undefined;
    let buffer: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => end(new BusyBus(limitMs)), limitMs);
    const end = (error: Error): void => {
      clearTimeout(timer);
      if (connection === undefined) fail(error);
      else connection.end(error);
      socket.destroy();
    };
    const take = (length: number): Buffer => {
      const taken = buffer.subarray(0, length);
      buffer = buffer.subarray(length);
      return taken;
    };
    const read = (): void => {
      if (connection === undefined) {
        const length = lineLength(buffer);
        if (length === undefined) return;
        checkAccepted(take(length).toString('latin1'));
        clearTimeout(timer);
        connection = new Connection(socket, limitMs);
        done(connection);
      }
      for (let length = wholeMessage(buffer); length !== undefined; length = wholeMessage(buffer))
        connection.take(decodeReply(take(length)));
    };
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      try {
        read();
      } catch (error) {
        end(error instanceof Error ? error : new Error('no reason', { cause: error }));
      }
    });
    socket.on('error', end);
    socket.on('close', () => end(new Closed('the session bus closed the connection')));
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
    socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  });
}

/** Length of the first line with its end; undefined until it has arrived. Throws `BadMessage` for an endless line. */
function lineLength(buffer: Buffer): number | undefined {
  const at = buffer.indexOf('\r\n');
  if (at >= 0) return at + 2;
  if (buffer.length > lineLimit) throw new BadMessage('an endless line');
  return undefined;
}

/** Length of the first message; undefined until all of it has arrived. Throws `BadMessage`. */
function wholeMessage(buffer: Buffer): number | undefined {
  if (buffer.length < 16) return undefined;
  const size = messageSize(buffer);
  return buffer.length < size ? undefined : size;
}

function checkAccepted(line: string): void {
  if (line.startsWith('REJECTED')) throw new Refusal('org.freedesktop.DBus.Error.AuthFailed', 'the session bus belongs to another user');
  if (!line.startsWith('OK')) throw new BadMessage('an unknown answer to AUTH');
}

/** Somebody who waits for an answer or a signal. */
interface Waiting<T> {
  done(value: T): void;
  fail(error: Error): void;
}

class Connection implements Bus {
  readonly #socket: Socket;
  readonly #calls = new Map<number, Waiting<Reply['values']>>();
  readonly #prompts = new Map<string, Waiting<boolean>>();
  #unsent: Uint8Array[] = [Buffer.from('BEGIN\r\n')];
  #serial = 0;
  #ended: Error | undefined;

  constructor(socket: Socket, limitMs: number) {
    this.#socket = socket;
    // The bus refuses every call when it refused Hello, so the refusal of Hello answers them all.
    this.call(hello, limitMs).catch((error) => this.end(error));
    queueMicrotask(() => this.#flush());
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  call(call: MethodCall, limitMs: number): Promise<Reply['values']> {
    this.#serial += 1;
    const answer = this.#wait(this.#calls, this.#serial, limitMs);
    if (this.isOpen) {
      // Calls of one turn of the event loop are written together.
      if (this.#unsent.length === 0) queueMicrotask(() => this.#flush());
      this.#unsent.push(encodeCall(this.#serial, call));
    }
    return answer;
  }

  completed(prompt: string, limitMs: number): Promise<boolean> {
    return this.#wait(this.#prompts, prompt, limitMs);
  }

  #wait<K, T>(waiting: Map<K, Waiting<T>>, key: K, limitMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      const timer = setTimeout(() => waiting.get(key)?.fail(new BusyBus(limitMs)), limitMs);
      const settled = (): void => {
        clearTimeout(timer);
        waiting.delete(key);
        if (this.#calls.size + this.#prompts.size === 0) this.#socket.unref();
      };
      waiting.set(key, {
        done(value) {
          settled();
          resolve(value);
        },
        fail(error) {
          settled();
          reject(error);
        },
      });
      this.#socket.ref();
    });
  }

  #flush(): void {
    this.#socket.write(Buffer.concat(this.#unsent));
    this.#unsent = [];
  }

  take({ replyTo = 0, errorName, values, completed }: Reply): void {
    if (completed !== undefined) this.#prompts.get(completed.prompt)?.done(completed.dismissed);
    const waiting = this.#calls.get(replyTo);
    const [words] = values;
    if (errorName === undefined) waiting?.done(values);
    else waiting?.fail(new Refusal(errorName, typeof words === 'string' ? words : errorName));
  }

  end(error: Error): void {
    this.#ended ??= error;
    for (const { fail } of [...this.#calls.values(), ...this.#prompts.values()]) fail(this.#ended);
  }

  close(reason: Error = new Closed('the connection to the session bus was closed')): void {
    this.end(reason);
    this.#socket.destroy();
  }
}
