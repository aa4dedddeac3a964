import * as z from 'zod/mini';
import { defined } from '../core/defined.ts';
import { type ErrorDetail, Exit, type ExitCode, type MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { rfc3339Exact } from '../core/time.ts';
import { aadstsEntries } from '../errors/catalogue/entra/entra-errors.ts';
import type { EntraWords } from '../errors/catalogue/entra/entra-words.ts';
import type { Entry } from '../errors/entry/entry.ts';
import { problem, wordsOfSign } from '../errors/problem.ts';
import { reasonOf } from '../errors/recognise/recognise.ts';

/** What Entra said: the body of a failed request, or the query of a redirect (RFC 6749 sections 4.1.2.1 and 5.2). */
export interface EntraError {
  /** the OAuth error: `invalid_grant` …; empty when there was none */
  readonly error: string;
  readonly description?: string | undefined;
  /** numbers after AADSTS, the last is the reason */
  readonly codes?: readonly number[] | undefined;
  readonly correlationId?: string | undefined;
  /** `cancel` in a redirect: the person pressed Cancel */
  readonly subcode?: string | undefined;
  /** as sent: `2026-11-21 23:40:00Z` */
  readonly timestamp?: string | undefined;
  /** HTTP status */
  readonly status?: number | undefined;
  /** seconds, from Retry-After */
  readonly retryAfter?: number | undefined;
}

/** This sign-in's own values, for the words. */
type EntraBlanks = Omit<EntraWords, 'said' | 'error' | 'aadsts' | 'retryAfter'>;

const text = z.catch(z.optional(z.string()), undefined);

const errorBody = z.object({
  error: z.string(),
  error_description: text,
  error_subcode: text,
  error_codes: z.catch(z.optional(z.array(z.int())), undefined),
  correlation_id: text,
  timestamp: text,
});

/** Reads a parsed JSON body, or the redirect's parameters as an object. undefined: it is not an OAuth error. */
export function readEntraError(body: unknown): EntraError | undefined {
  const read = errorBody.safeParse(body);
  if (!read.success || read.data.error === '') return undefined;
  const {
    error,
    error_description: description,
    error_codes: listed,
    error_subcode: subcode,
    correlation_id: correlationId,
    timestamp,
  } = read.data;
  const codes = listed !== undefined && listed.length > 0 ? listed : numbersIn(description ?? '');
  return {
    error,
    codes,
    ...defined({
      description,
      subcode,
      correlationId: correlationId ?? /Correlation ID: ([0-9a-f-]{36})/i.exec(description ?? '')?.[1],
      timestamp: timestamp ?? /Timestamp: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ)/.exec(description ?? '')?.[1],
    }),
  };
}

const numbersIn = (description: string): readonly number[] =>
  [...description.matchAll(/AADSTS(\d{4,8})/g)].slice(0, 5).map((match) => Number(match[1]));

/** The error in mailauth's words: by Microsoft's sentence or AADSTS number where the catalogue knows it, else by the OAuth error, else that sentence. */
export function entraProblem(said: EntraError, blanks: EntraBlanks): MailauthError {
  const codes = said.codes ?? numbersIn(said.description ?? '');
  const known = reasonOf(said.description ?? '', codes, said.error, isEntraCode);
  const aadsts = known?.aadsts ?? codes.at(-1);
  const words: EntraWords = {
    ...blanks,
    error: plain(said.error, 80),
    said: firstSentence(reasonIn(said.description ?? '', aadsts)),
    aadsts,
    retryAfter: said.retryAfter,
  };
  const detail = detailOf(said, words);
  const code = known?.code ?? byOAuthError(said, codes);
  if (code !== 'entra-unknown') return problem(code, words, { detail });
  if (isNotEntra(said)) return notEntra(said, blanks);
  return problem(code, words, { detail }).but({ exit: exits[said.error] ?? Exit.failed });
}

/** A status without the JSON of RFC 6749 section 5.2, such as 307 or 204: something between this computer and Microsoft has answered. */
const isNotEntra = ({ error, status }: EntraError): boolean => error === '' && status !== undefined;

const notEntra = ({ status }: EntraError, { mailbox }: EntraBlanks): MailauthError =>
  problem('token-answer-unreadable', {
    mailbox,
    why: `The token endpoint answered ${status} without an error of Microsoft's. A proxy or the page of a guest network does that.`,
  }).but({ exit: Exit.temporary });

type EntraCode = keyof typeof aadstsEntries;

const isEntraCode = (code: string): code is EntraCode => Object.hasOwn(aadstsEntries, code);

/** Of several numbered sentences the one with this number. */
function reasonIn(description: string, aadsts: number | undefined): string {
  const at = aadsts === undefined ? -1 : description.lastIndexOf(`AADSTS${aadsts}`);
  return at < 0 ? description : description.slice(at);
}

const byOAuthWord = new Map<string, EntraCode>();
for (const code of Object.keys(aadstsEntries) as EntraCode[]) {
  const e: Entry<EntraWords> = aadstsEntries[code];
  for (const word of e.hints ?? []) byOAuthWord.set(wordsOfSign(word), code);
}

function byOAuthError({ error, subcode, status = 0 }: EntraError, codes: readonly number[]): EntraCode {
  if (status === 429 || status >= 500 || byOAuthWord.get(error) === 'entra-busy') return 'entra-busy';
  if (subcode === 'cancel') return 'consent-declined';
  // A number that we do not know says more than the OAuth error's own words.
  if (codes.length > 0) return 'entra-unknown';
  return byOAuthWord.get(error) ?? 'entra-unknown';
}

/** "Clients should react to the OAuth error, not to numbers" (learn.microsoft.com/entra/identity-platform/reference-error-codes). */
const exits: Readonly<Record<string, ExitCode>> = {
  invalid_grant: Exit.needsSignIn,
  interaction_required: Exit.needsSignIn,
  login_required: Exit.needsSignIn,
  consent_required: Exit.notAllowed,
  access_denied: Exit.notAllowed,
};

function detailOf(said: EntraError, words: EntraWords): ErrorDetail {
  const at = said.timestamp === undefined ? Number.NaN : Date.parse(said.timestamp.replace(' ', 'T'));
  const reply = words.said === '' ? words.error : words.said;
  return {
    ...defined({
      aadsts: words.aadsts,
      oauthError: words.error === '' ? undefined : words.error,
      correlationId: said.correlationId === undefined ? undefined : plain(said.correlationId, 64),
      reply: reply === '' ? undefined : reply,
      retryAfterSeconds: said.retryAfter,
      at: Number.isNaN(at) ? undefined : rfc3339Exact(at),
    }),
  };
}

/** Microsoft's first sentence, without number, trace ids and control characters. */
export function firstSentence(description: string): string {
  const [, body = ''] = /^(?:AADSTS\d+: ?)?([\s\S]*?)(?: ?Trace ID:|\r|\n|$)/.exec(description.slice(0, 4000)) ?? [];
  const flat = plain(body, 1000);
  return plain(/^.*?[.!?](?= [A-Z]|$)/.exec(flat)?.[0] ?? flat);
}
