import * as z from 'zod/mini';
import type { HttpResponse } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { plain } from '../core/text.ts';
import { retryAfterSeconds } from '../oauth/token-exchange.ts';
import type { ExchangeRefusal, RefusalReason } from './way.ts';

/** One page of what a cmdlet gave. */
export interface ExchangePage {
  readonly kind: 'page';
  readonly objects: readonly unknown[];
  readonly warnings: readonly string[];
  readonly next: string | undefined;
}

const page = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.optional(z.string()),
  '@adminapi.warnings': z.catch(z.optional(z.array(z.string())), undefined),
});

/** Reads one answer of InvokeCommand. What is not in this shape is `unreadable`, whatever its status. */
export function readPage(response: HttpResponse): ExchangePage | ExchangeRefusal {
  const { status, text } = response;
  if (status >= 400) return refusalIn(response);
  if (status < 200 || status >= 300) return refused(response, 'unreadable', 'It leads to another address.');
  // A cmdlet that changes something may answer with nothing.
  if (text.trim() === '') return { kind: 'page', objects: [], warnings: [], next: undefined };
  const read = page.safeParse(json(text));
  if (!read.success) return refused(response, 'unreadable', 'It answered with a page, or in a form that mailauth does not know.');
  const { value, '@odata.nextLink': next, '@adminapi.warnings': warnings = [] } = read.data;
  return { kind: 'page', objects: value, warnings: warnings.map((one) => plain(one)), next };
}

const words = z.catch(z.optional(z.string()), undefined);
const errorBody = z.object({
  error: z.object({
    code: words,
    message: words,
    details: z.catch(z.optional(z.array(z.object({ message: words }))), undefined),
    innererror: z.catch(
      z.optional(z.object({ message: words, internalexception: z.catch(z.optional(z.object({ message: words })), undefined) })),
      undefined,
    ),
  }),
});

function refusalIn(response: HttpResponse): ExchangeRefusal {
  const { status } = response;
  if (status === 401) return refused(response, 'token', '');
  const error = errorBody.safeParse(json(response.text)).data?.error;
  if (status === 429 || status >= 500) return refused(response, 'busy', saidIn(error));
  if (error === undefined) {
    // Exchange answers a person without any role with 403 and nothing else.
    const isBare = status === 403 && response.text.trim() === '';
    return isBare ? refused(response, 'role', '') : refused(response, 'unreadable', `It answered ${status} without Exchange's words.`);
  }
  const all = [error.code, error.message, ...(error.details ?? []).map((one) => one.message), error.innererror?.message];
  return refused(response, reasonOf(status, all.join('\n')), saidIn(error));
}

/** The words that help stand behind `|Exception|` in the first detail, then in the inner error. */
function saidIn(error: z.infer<typeof errorBody>['error'] | undefined): string {
  const detail = error?.details?.[0]?.message?.replace(/^\|[^|]{0,200}\|/, '');
  const inner = error?.innererror?.internalexception?.message;
  return plain([detail, inner, error?.message].find((one) => one !== undefined && one.trim() !== '') ?? '');
}

/** By the words first, because Exchange uses 400, 403 and 404 for the same things (the names of the exceptions are those of its module). */
const reasons: readonly [RegExp, RefusalReason][] = [
  [/Enable-OrganizationCustomization/i, 'customization'],
  [
    /not allowed to call|(?:is not|isn't) recognized|within your current role|scope of your role|parameter[^\n]{0,80}can(?:no|')t be found/i,
    'cmdlet',
  ],
  [/ManagementObjectAmbiguous|(?:isn't|is not) unique|matches multiple/i, 'ambiguous'],
  [/ManagementObjectNotFound|(?:couldn't|could not|can't|cannot) (?:be found|find)|wasn't found/i, 'not-found'],
  [/throttl|ServerBusy|too many requests/i, 'busy'],
];

/** What Exchange's words mean, whichever way they came; undefined: mailauth does not know them. */
export const reasonOfWords = (text: string): RefusalReason | undefined => reasons.find(([sign]) => sign.test(text))?.[1];

function reasonOf(status: number, text: string): RefusalReason {
  const known = reasonOfWords(text);
  if (known !== undefined) return known;
  if (status === 403) return 'role';
  return status === 404 ? 'not-found' : 'other';
}

function refused({ headers }: HttpResponse, reason: RefusalReason, said: string): ExchangeRefusal {
  const id = headers['request-id'] ?? headers['x-ms-request-id'];
  return {
    ...{ kind: 'refused', reason, said },
    ...defined({ retryAfterSeconds: retryAfterSeconds(headers), requestId: id === undefined ? undefined : plain(id, 64) }),
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
