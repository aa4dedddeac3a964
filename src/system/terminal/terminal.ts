import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import type { LongInput, Output } from '../../core/context.ts';
import { Interrupted } from '../../core/errors.ts';
import { decodeText, encodingOf } from '../../core/text.ts';

const stdinLimit = 64 * 1024;

/** A stream of this process as an `Output`. A write that fails is reported once, at the end (app.ts). */
export function outputOf(stream: NodeJS.WriteStream): Output {
  stream.on('error', () => undefined);
  return {
    write: (text) => {
      stream.write(text);
    },
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      // 0: a terminal of a program (a serial line, a pseudo-terminal) that never said its size.
      return stream.columns || 80;
    },
  };
}

/** What a stream gives until its end. The signal destroys the stream, so that its reader ends with the signal's reason. */
async function* chunksOf(stream: Readable, signal: AbortSignal): AsyncGenerator<unknown> {
  signal.throwIfAborted();
  const stop = (): void => {
    stream.destroy(signal.reason instanceof Error ? signal.reason : new Interrupted());
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    yield* stream;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** All of standard input, at most 64 KiB. */
export async function readAll(stream: Readable, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(stream, signal)) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    length += bytes.length;
    if (length > stdinLimit) throw new Error('more than 64 KiB on standard input');
    chunks.push(bytes);
  }
  return decodeText(Buffer.concat(chunks));
}

/** Reads line by line from standard input that is not a terminal. Lines over 64 KiB are cut. */
export function lineReader(stream: NodeJS.ReadStream): (signal: AbortSignal) => Promise<string | undefined> {
  let buffered = '';
  let ended = false;
  let wake: (() => void) | undefined;
  let started = false;
  const start = () => {
    started = true;
    stream.setEncoding('utf8');
    stream.on('data', (chunk) => {
      buffered = (buffered + String(chunk)).slice(-stdinLimit);
      wake?.();
    });
    stream.once('end', () => {
      ended = true;
      wake?.();
    });
    stream.once('error', () => {
      ended = true;
      wake?.();
    });
  };
  const take = (): string | undefined => {
    const end = buffered.indexOf('\n');
    if (end < 0 && !(ended && buffered !== '')) return undefined;
    const line = end < 0 ? buffered : buffered.slice(0, end);
    buffered = end < 0 ? '' : buffered.slice(end + 1);
    return line;
  };
  return async (signal) => {
    if (!started) start();
    stream.resume();
    try {
      for (;;) {
        signal.throwIfAborted();
        const line = take();
        if (line !== undefined || ended) return line;
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    } finally {
      // A paused stream does not keep the process alive after the browser has answered first.
      stream.pause();
    }
  };
}

/** Files and standard input as streams (the port's rules: core/context.ts). Windows PowerShell writes logs in UTF-16. */
export function createLongInput(stdin: NodeJS.ReadStream, signal: AbortSignal): LongInput {
  return {
    get isTerminal() {
      return stdin.isTTY === true;
    },
    async *pieces(file) {
      const stream = file === undefined ? stdin : createReadStream(file, { highWaterMark: 256 * 1024 });
      let decoder: TextDecoder | undefined;
      for await (const chunk of chunksOf(stream, signal)) {
        const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
        decoder ??= new TextDecoder(encodingOf(bytes));
        yield decoder.decode(bytes, { stream: true });
      }
      const rest = decoder?.decode() ?? '';
      if (rest !== '') yield rest;
    },
    async *bytes() {
      for await (const chunk of chunksOf(stdin, signal)) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    },
  };
}
