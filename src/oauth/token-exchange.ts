import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import type { Clock, HttpResponse, Network } from '../core/context.ts';
import { type EntraError, readEntraError } from './entra-error.ts';

/** What the token endpoint said: a grant's body, or the error. */
export interface TokenAnswer {
  readonly body: unknown;
  readonly error?: EntraError;
  /** milliseconds since the epoch */
  readonly receivedAt: number;
}

export interface Way {
  readonly network: Network;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Reads an answer of the token endpoint; anything but 200 is an error, JSON or not. */
export function readTokenAnswer(response: HttpResponse, receivedAt: number): TokenAnswer {
  const { status, headers } = response;
  const body = parse(response.text);
  if (status === 200 && readEntraError(body) === undefined) return { body, receivedAt };
  const said = readEntraError(body) ?? { error: '', description: `The token endpoint answered ${status}.` };
  return { body, receivedAt, error: { ...said, status, retryAfter: retryAfterSeconds(headers) } };
}

/** Seconds of a Retry-After header (RFC 9110 section 10.2.3), at most a day. Entra does not use the form with a date, so that is ignored. */
export function retryAfterSeconds(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || !/^\d{1,9}(?:\.\d+)?$/.test(value)) return undefined;
  return Math.min(Math.ceil(Number(value)), 86_400);
}

/** MSAL's network, on ours: remembers the answer and the failure, which MSAL hides. One for each call. */
export class TokenExchange implements INetworkModule {
  answer: TokenAnswer | undefined;
  failure: unknown;
  readonly #way: Way;

  constructor(way: Way) {
    this.#way = way;
  }

  async sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    const { network, clock, timeoutMs, signal } = this.#way;
    try {
      const response = await network.request({
        method: 'POST',
        url,
        headers: { ...options?.headers },
        body: options?.body ?? '',
        timeoutMs,
        signal,
      });
      this.answer = readTokenAnswer(response, clock.now());
      // MSAL's type parameter is its own guess about the body, which only MSAL reads.
      return { headers: { ...response.headers }, body: (this.answer.body ?? {}) as T, status: response.status };
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /** The endpoints are given: an unasked GET would be a discovery that was meant not to happen. */
  async sendGetRequestAsync<T>(url: string): Promise<NetworkResponse<T>> {
    this.failure = new Error(`MSAL wanted to GET ${new URL(url).origin}`);
    throw this.failure;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
