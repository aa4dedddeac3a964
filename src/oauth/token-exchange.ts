import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import type { Clock, HttpRequest, HttpResponse, Network } from '../core/context.ts';
import { type EntraError, readEntraError } from './entra-error.ts';

/** What the token endpoint answered: the body of a grant, or the error. */
export interface TokenAnswer {
  readonly body: unknown;
  readonly error?: EntraError;
  /** milliseconds since the epoch */
  readonly receivedAt: number;
}

/** What one exchange with the token endpoint needs. */
interface ExchangeOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Reads an answer of the token endpoint. Every status but 200 is an error, with JSON or without. */
export function readTokenAnswer(response: HttpResponse, receivedAt: number): TokenAnswer {
  const { status, headers } = response;
  const body = parse(response.text);
  if (status === 200 && readEntraError(body) === undefined) return { body, receivedAt };
  const said = readEntraError(body) ?? { error: '', description: `The token endpoint answered ${status}.` };
  return { body, receivedAt, error: { ...said, status, retryAfter: retryAfterSeconds(headers) } };
}

/** A form to an endpoint of Entra (RFC 6749 section 3.2 and appendix B). */
export function formRequest(
  url: string,
  form: Readonly<Record<string, string>>,
  { timeoutMs, signal }: Pick<ExchangeOptions, 'timeoutMs' | 'signal'>,
): HttpRequest {
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams(form).toString(),
    timeoutMs,
    signal,
  };
}

/** Seconds of a Retry-After header (RFC 9110 section 10.2.3), at most a day. Entra does not use the form with a date, so that is ignored. */
export function retryAfterSeconds(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || !/^\d{1,9}(?:\.\d+)?$/.test(value)) return undefined;
  return Math.min(Math.ceil(Number(value)), 86_400);
}

/** Gives MSAL mailauth's network, and remembers the answer and the failure, which MSAL hides. Each call of MSAL needs a new one. */
export class TokenExchange implements INetworkModule {
  answer: TokenAnswer | undefined;
  failure: unknown;
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  async sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    const { network, clock, timeoutMs, signal } = this.#options;
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
      // MSAL chooses the type parameter, and only MSAL reads the body.
      return { headers: { ...response.headers }, body: (this.answer.body ?? {}) as T, status: response.status };
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /** MSAL is given the endpoints, so a GET would be a discovery that must not happen. */
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
