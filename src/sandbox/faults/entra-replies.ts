import type { Context } from '../../core/context.ts';
import { type Refusal, refusals } from './entra-refusals.ts';

export type Aadsts = keyof typeof refusals;
export type Blanks = Readonly<Record<string, string>>;

/** That Entra refuses, and the values for the blanks of its sentence. */
export interface Refused {
  readonly kind: 'refused';
  readonly aadsts: Aadsts;
  readonly blanks: Blanks;
}

/** A refusal ready to be sent as JSON, shown on a page, or put on a redirect. */
export interface EntraError {
  readonly aadsts: Aadsts;
  readonly status: number;
  readonly error: string;
  /** `AADSTSnnn: sentence Trace ID: … Correlation ID: … Timestamp: …` */
  readonly description: string;
  /** the body of the token endpoint's answer (RFC 6749 section 5.2, with Entra's additions) */
  readonly json: Readonly<Record<string, unknown>>;
}

/** Fills in a refusal. `correlationId` is the client's own `client-request-id` when it sent one. */
export function entraError(
  ctx: Pick<Context, 'clock' | 'random'>,
  login: string,
  aadsts: Aadsts,
  blanks: Blanks = {},
  correlationId: string = ctx.random.uuid(),
): EntraError {
  const refusal: Refusal = refusals[aadsts];
  const traceId = ctx.random.uuid();
  const timestamp = entraTime(ctx.clock.now());
  const sentence = refusal.text.replace(/\{(\w+)\}/g, (_, name: string) => blanks[name] ?? '');
  const description = `AADSTS${aadsts}: ${sentence} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
  return {
    aadsts,
    status: refusal.status,
    error: refusal.error,
    description,
    json: {
      error: refusal.error,
      error_description: description,
      error_codes: [aadsts],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `${login}/error?code=${aadsts}`,
      ...(refusal.suberror === undefined ? {} : { suberror: refusal.suberror }),
    },
  };
}

/** `2026-11-21 23:40:00Z`, as in Entra's errors. */
function entraTime(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}
