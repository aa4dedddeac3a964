import { request } from 'node:http';
import type { Context } from '../core/context.ts';
import { errorCode } from '../core/errors.ts';
import { mailauth } from '../core/next.ts';
import { problem } from '../errors/problem.ts';
import { openLoopback } from '../oauth/loopback.ts';
import { type Check, ok } from './check.ts';

interface Page {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

/** One GET as a browser makes it: straight to this computer, past any proxy. */
export type Visit = (address: string, port: number, path: string, signal: AbortSignal) => Promise<Page>;

const pageLimit = 64 * 1024;

export const visitByHttp: Visit = (address, port, path, signal) =>
  new Promise((resolve, reject) => {
    const host = `${address.includes(':') ? `[${address}]` : address}:${port}`;
    const asked = request({ host: address, port, path, headers: { Host: host }, agent: false, signal }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        body += part;
        if (body.length > pageLimit) response.destroy(new Error('the page does not end'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, location: response.headers.location, body }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });

const addresses = ['127.0.0.1', '::1', 'localhost'] as const;
/** A computer without IPv6 has no ::1, and no browser will look there. */
const notThere = ['ECONNREFUSED', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH', 'EHOSTUNREACH'];

/** The listener that waits for the browser, its answer and its page, by every name a browser may use. */
export function loopbackCheck(needs: Pick<Context, 'clock' | 'random'>, visit: Visit = visitByHttp): Check {
  return {
    id: 'loopback',
    title: 'Loopback',
    async run(signal) {
      const worked = await Promise.all(
        addresses.map(async (address) => ((await roundTrip(address, needs, visit, signal)) ? [address] : [])),
      );
      return ok(`bound, answered and fetched at ${worked.flat().join(', ')}`);
    },
  };
}

/** false: this computer has no such address. Throws `loopback-refused`, `loopback-no-answer`. */
async function roundTrip(address: string, { clock, random }: Pick<Context, 'clock' | 'random'>, visit: Visit, signal: AbortSignal) {
  const loopback = await openLoopback({ redirectUri: 'http://localhost', random, clock, signal, again: mailauth('login') });
  const word = random.bytes(12).toString('hex');
  const page = { status: 200, html: `<!doctype html><title>mailauth doctor</title><p>${word}</p>` };
  const answered = loopback.answer(clock.now() + 3_600_000).then(async ({ params, respond }) => {
    if (params.kind === 'code' && params.code.reveal() === word) await respond(page);
  });
  // Where nobody comes, the listener is closed under it.
  answered.catch(() => undefined);
  try {
    const port = Number(new URL(loopback.redirectUri).port);
    const first = await visit(address, port, `/?${new URLSearchParams({ code: word, state: loopback.state })}`, signal);
    const shown = first.location === undefined ? first : await visit(address, port, first.location, signal);
    if (shown.body !== page.html) throw problem('loopback-no-answer', { address, why: `Something else answered (${shown.status}).` });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    const code = errorCode(error);
    if (code === undefined) throw error;
    if (address === '::1' && notThere.includes(code)) return false;
    throw code === 'loopback-no-answer'
      ? error
      : problem('loopback-no-answer', { address, why: `The connection failed (${code}).` }, { cause: error });
  } finally {
    await loopback.close();
  }
}
