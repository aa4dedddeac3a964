import { randomUUID } from 'node:crypto';

/** What the lab can be told to answer instead of tokens. */
export type Refusal = 'unavailable' | 'throttled' | 'revoked' | 'code-expired';

/** An answer of the token endpoint that is no grant (RFC 6749 section 5.2), with Entra's number. */
export class Refused extends Error {
  readonly status: number;
  readonly error: string;
  readonly aadsts: number;
  readonly headers: Record<string, string>;

  constructor(status: number, error: string, aadsts: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.error = error;
    this.aadsts = aadsts;
    this.headers = headers;
  }
}

export const refusals: Readonly<Record<Refusal, () => Refused>> = {
  unavailable: () => new Refused(503, 'temporarily_unavailable', 90006, 'External error.'),
  throttled: () => new Refused(429, 'temporarily_unavailable', 90055, 'Server overload.', { 'retry-after': '7' }),
  revoked: () => new Refused(400, 'invalid_grant', 700082, 'The refresh token has expired due to inactivity.'),
  'code-expired': () => new Refused(400, 'invalid_grant', 70008, 'The provided authorization code or refresh token has expired.'),
};

/** The body as Entra writes it. */
export function oauthError({ error, aadsts, message }: Refused) {
  const timestamp = new Date().toISOString().replace('T', ' ').replace(/\.\d+/, '');
  const [trace_id, correlation_id] = [randomUUID(), randomUUID()];
  return {
    error,
    error_description: `AADSTS${aadsts}: ${message} Trace ID: ${trace_id} Correlation ID: ${correlation_id} Timestamp: ${timestamp}`,
    error_codes: [aadsts],
    timestamp,
    trace_id,
    correlation_id,
  };
}
