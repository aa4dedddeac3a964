import type { Cmdlet } from '../core/cmdlet.ts';
import type { Clock, HttpRequest, Network, Random } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import type { Reporter } from '../core/run-parts.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { pauseMs } from '../core/time.ts';
import { readAccessToken } from '../oauth/claims.ts';
import { type ExchangePage, readPage } from './exchange-answer.ts';
import type { ExchangeAnswer, ExchangeRefusal, ExchangeWay } from './way.ts';

interface InvokeDeps {
  readonly network: Network;
  /** `https://outlook.office365.com`; the token goes there and nowhere else */
  readonly base: string;
  readonly tenantId: string;
  readonly token: Secret;
  /** who signed in, where the token does not say it */
  readonly administrator: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** of one request */
  readonly timeoutMs: number;
  readonly report: Reporter;
  /** the limit of all waits together */
  readonly maxWaitMs?: number;
}

const mostPages = 20;
const mostWaitMs = 90_000;
const firstPauseMs = 2_000;
const mostCuts = 2;

/**
 * The web call that Microsoft's module ExchangeOnlineManagement makes itself. Microsoft documents it for nobody else and may change it, so
 * every answer is read by a schema, and what does not fit is a refusal (docs/exchange.md names the sources).
 */
export function invokeCommand(deps: InvokeDeps): ExchangeWay {
  const address = `${deps.base}/adminapi/beta/${encodeURIComponent(deps.tenantId)}/InvokeCommand`;
  const post = postIn(deps);
  return {
    through: 'api',
    close: async () => undefined,
    async run(cmdlet): Promise<ExchangeAnswer> {
      const objects: unknown[] = [];
      let url = address;
      for (let count = 0; count < mostPages; count += 1) {
        const page = await post(url, cmdlet);
        if (page.kind === 'refused') return page;
        for (const warning of page.warnings) deps.report.detail(`Exchange warns: ${redact(warning)}`);
        objects.push(...page.objects);
        if (page.next === undefined) return { kind: 'ok', objects };
        if (!isOwn(page.next, deps.base)) return { kind: 'refused', reason: 'unreadable', said: 'Its next page is on another server.' };
        url = page.next;
      }
      return { kind: 'refused', reason: 'unreadable', said: `The list has more than ${mostPages} pages.` };
    },
  };
}

/** The token goes only where it was meant to go, whatever an answer says. */
const isOwn = (next: string, base: string): boolean =>
  URL.canParse(next) && new URL(next).origin === new URL(base).origin && next.startsWith(`${base}/adminapi/`);

/** One page. What may pass is waited for, visibly and bounded, as the server asks. */
function postIn(deps: InvokeDeps): (url: string, cmdlet: Cmdlet) => Promise<ExchangePage | ExchangeRefusal> {
  const { maxWaitMs = mostWaitMs } = deps;
  let waitedMs = 0;
  const mayWait = async (ms: number, why: string): Promise<boolean> => {
    if (waitedMs + ms > maxWaitMs) return false;
    waitedMs += ms;
    deps.report.progress(
      'exchange',
      'waiting',
      `${why}; waiting ${Math.max(1, Math.round(ms / 1000))} s (${maxWaitMs / 1000} s in all at most)`,
    );
    await deps.clock.sleep(ms, deps.signal);
    return true;
  };
  return async (url, cmdlet) => {
    deps.report.detail(`Exchange is asked: ${cmdlet.name} ${redact(JSON.stringify(cmdlet.parameters))}`);
    for (let attempt = 0; ; attempt += 1) {
      const page = await tried(deps, requestOf(deps, url, cmdlet), attempt);
      if (page.kind === 'page' || page.reason !== 'busy') return page;
      const { retryAfterSeconds: asked } = page;
      const ms = asked === undefined ? pauseMs(attempt, firstPauseMs) : Math.max(asked, 1) * 1000;
      if (!(await mayWait(ms, asked === undefined ? 'Exchange Online does not answer as it should' : 'Exchange Online asks to slow down')))
        return page;
    }
  };
}

/** A connection that was cut is tried again, a few times. A server that cannot be reached at all is not. */
async function tried({ network, report }: InvokeDeps, request: HttpRequest, attempt: number): Promise<ExchangePage | ExchangeRefusal> {
  try {
    const response = await network.request(request);
    report.detail(`Exchange answers ${response.status}: ${redact(plain(response.text, 2000))}`);
    return readPage(response);
  } catch (error) {
    const cut = error instanceof MailauthError && ['connection-closed', 'connect-timeout', 'http-failed'].includes(error.code);
    if (!cut || attempt >= mostCuts) throw error;
    return { kind: 'refused', reason: 'busy', said: error.title };
  }
}

function requestOf({ token, tenantId, administrator, timeoutMs, signal, random }: InvokeDeps, url: string, cmdlet: Cmdlet): HttpRequest {
  return {
    method: 'POST',
    url,
    headers: {
      authorization: `Bearer ${token.reveal()}`,
      'content-type': 'application/json',
      accept: 'application/json',
      // Exchange routes by it: to where the mailbox of this person is.
      'x-anchormailbox': anchorOf(token, tenantId, administrator),
      'x-cmdletname': cmdlet.name,
      'x-responseformat': 'json',
      prefer: 'odata.maxpagesize=1000',
      'client-request-id': random.uuid(),
    },
    body: JSON.stringify({ CmdletInput: { CmdletName: cmdlet.name, Parameters: cmdlet.parameters } }),
    timeoutMs,
    signal,
  };
}

/** The mailbox that every organisation has, for an app that is no person. */
const systemMailbox = 'SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}';

function anchorOf(token: Secret, tenantId: string, administrator: string): string {
  const claims = readAccessToken(token);
  if (!claims.opaque && claims.appOnly === true) return `APP:${systemMailbox}@${tenantId}`;
  const name = (claims.opaque ? undefined : claims.username) ?? administrator;
  // A header holds no other characters, and routing is all that it is for.
  return `UPN:${name.replace(/[^\x21-\x7e]/g, '')}`;
}
