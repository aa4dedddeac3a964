import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import type { LongInput } from '../../core/context.ts';

/** Files and standard input as streams (the port's rules: core/context.ts). Windows PowerShell writes logs in UTF-16. */
export function createLongInput(stdin: NodeJS.ReadStream): LongInput {
  return {
    get isTerminal() {
      return stdin.isTTY === true;
    },
    async *pieces(file) {
      const stream = file === undefined ? stdin : createReadStream(file, { highWaterMark: 256 * 1024 });
      let decoder: TextDecoder | undefined;
      for await (const chunk of stream) {
        const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
        decoder ??= new TextDecoder(encodingOf(bytes));
        yield decoder.decode(bytes, { stream: true });
      }
      const rest = decoder?.decode() ?? '';
      if (rest !== '') yield rest;
    },
  };
}

/** WHATWG Encoding, section 6 ("BOM sniff"). */
function encodingOf([first, second]: Buffer): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}
