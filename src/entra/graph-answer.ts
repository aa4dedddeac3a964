import * as z from 'zod/mini';
import type { HttpResponse } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { Command } from '../core/next.ts';
import { plain } from '../core/text.ts';
import type { graphEntries } from '../errors/catalogue/registration/graph-errors.ts';
import type { policyEntries } from '../errors/catalogue/registration/policy-errors.ts';
import { problem, squeezed } from '../errors/problem.ts';
import { recognised } from '../errors/recognise/recognise.ts';

interface GraphOk {
  readonly kind: 'ok';
  readonly status: number;
  readonly body: unknown;
}

/** Graph's error object (learn.microsoft.com/graph/errors). Texts are plain. */
export interface GraphRefusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** `code`, then those of `details[]` and of the inner errors: the reason often stands only there */
  readonly codes: readonly string[];
  readonly requestId?: string;
}

export type GraphAnswer = GraphOk | GraphRefusal;

/** Reads an answer that will not become better by waiting. Throws `graph-token-refused` (4) and `graph-unreadable` (5). */
export function judge(response: HttpResponse, host: string, again: Command): GraphAnswer {
  const { status } = response;
  if (status >= 200 && status < 300) {
    if (response.text === '') return { kind: 'ok', status, body: undefined };
    const body = parse(response.text);
    if (body === undefined) throw problem('graph-unreadable', { host, why: 'It answered with a page, not with data.' });
    return { kind: 'ok', status, body };
  }
  if (status < 400) throw problem('graph-unreadable', { host, why: 'It leads to another address.' });
  const refusal = refusalOf(response);
  if (status === 401) throw problem('graph-token-refused', { again, why: refusal.message }, { detail: graphDetail(refusal) });
  return refusal;
}

const text = z.catch(z.optional(z.string()), undefined);
const coded = z.catch(z.optional(z.object({ code: text, 'request-id': text })), undefined);
const errorBody = z.object({
  error: z.object({
    code: z.catch(z.string(), ''),
    message: z.catch(z.string(), ''),
    details: z.catch(z.optional(z.array(z.object({ code: text }))), undefined),
    innerError: coded,
    innererror: coded,
  }),
});

/**
 * What a claims challenge asks for, as JSON for the `claims` of the next sign-in: a policy with an authentication context, or continuous
 * access evaluation. A new token without it gets the same answer (learn.microsoft.com/entra/identity-platform/claims-challenge).
 */
export function challengeIn({ status, headers }: HttpResponse): string | undefined {
  const [, encoded] = /\bclaims="([\w+/=-]{4,8000})"/.exec(status === 401 ? (headers['www-authenticate'] ?? '') : '') ?? [];
  const claims = Buffer.from(encoded ?? '', 'base64').toString();
  const read = z.looseObject({}).safeParse(parse(claims));
  return read.success ? claims : undefined;
}

export function refusalOf(response: HttpResponse): GraphRefusal {
  const read = errorBody.safeParse(parse(response.text));
  const error = read.success ? read.data.error : undefined;
  const inner = error?.innerError ?? error?.innererror;
  const requestId = inner?.['request-id'] ?? response.headers['request-id'] ?? response.headers['x-ms-request-id'];
  const nested = nestedIn(error?.message);
  const codes = [error?.code, ...(error?.details ?? []).slice(0, 10).map((one) => one.code), inner?.code, nested?.errorCode, nested?.code];
  return {
    kind: 'refused',
    status: response.status,
    code: plain(error?.code ?? '', 80),
    message: plain(nested?.message ?? error?.message ?? '', 400),
    codes: codes.flatMap((code) => (code === undefined || code === '' ? [] : [plain(code, 80)])),
    ...defined({ requestId: requestId === undefined ? undefined : plain(requestId, 64) }),
  };
}

/** Some services behind Graph put an error of their own into its message, as JSON (recorded: Azure/azure-cli#33778). */
const nestedError = z.object({ errorCode: text, code: text, message: text });

const nestedIn = (message = ''): z.infer<typeof nestedError> | undefined =>
  message.startsWith('{') ? nestedError.safeParse(parse(message)).data : undefined;

/** The refusal as the evidence of an error of mailauth. */
export function graphDetail({ requestId, code, message }: GraphRefusal): { correlationId?: string; reply?: string } {
  const reply = [code, message].filter((part) => part !== '').join(': ');
  return defined({ correlationId: requestId, reply: reply === '' ? undefined : reply });
}

/** Does the refusal carry a code or a sentence by which the catalogue knows this entry? */
export const means = (refusal: GraphRefusal, code: keyof typeof graphEntries | keyof typeof policyEntries): boolean =>
  recognised([...refusal.codes, refusal.message].join('\n'), [code]) !== undefined;

/** Graph names the reason sometimes in a code and sometimes only in the sentence, so both are searched. */
export function says(refusal: GraphRefusal, ...reasons: readonly string[]): boolean {
  const letters = squeezed(refusal.message);
  return reasons.some((reason) => refusal.codes.includes(reason) || letters.includes(squeezed(reason)));
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
