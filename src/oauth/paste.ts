import { isSignInPage } from '../core/cloud.ts';
import { isGuid, plain } from '../core/text.ts';
import { pastedTexts as say } from '../errors/catalogue/entra/pasted-errors.ts';
import { type AuthorizationAnswer, hasState, type ReadAnswer, readAuthorizationAnswer, readCode } from './authorization-answer.ts';

type Pasted =
  | { readonly kind: 'answer'; readonly answer: AuthorizationAnswer }
  /** ask again, with this complaint */
  | {
      readonly kind: 'retry';
      readonly why: string;
      /** it may be the beginning of the address: the rest could come as the next paste */
      readonly unfinished?: true;
    };

const longestText = 64 * 1024;

/**
 * Reads what a person pasted after signing in on another computer: the redirected address (wrapped, quoted or
 * not), `code=…&state=…`, or the bare code. The state is checked when it is there, and an
 * address without one is cut off; PKCE covers the bare code.
 * Never throws, whatever the text.
 */
export function readPasted(text: string, sent: { readonly redirectUri: string; readonly state: string }): Pasted {
  if (text.length > longestText) return retry(say.tooLong);
  const pasted = unwrap(text);
  if (pasted === '') return retry(say.empty);

  if (/^[?#&]?(?:code|error|state|session_state|error_description)=/i.test(pasted)) {
    return judge(new URLSearchParams(pasted.replace(/^[?#&]/, '')), sent.state);
  }
  // The words of an error page instead of its address; they may well hold an address of their own.
  const number = /^(?:Error:?)?AADSTS(\d{4,8})/i.exec(pasted)?.[1] ?? /AADSTS(\d{4,8}):/.exec(text)?.[1];
  if (number !== undefined && !/^https?:/i.test(pasted)) return retry(say.errorPage(number));
  const address = findAddress(pasted);
  if (address !== undefined) return readAddress(address, sent);
  // Copied from behind "code=" on: the rest of the query hangs on the code.
  if (/^[^&=]{16,}&[a-z_]+=/.test(pasted)) return judge(new URLSearchParams(`code=${pasted}`), sent.state);
  // Words of a sentence are short; the lines of a wrapped code are not.
  const pieces = text.trim().split(/\s+/);
  if (pieces.length > 1 && pieces.every((piece) => piece.length < 20)) return retry(say.unknown(sent.redirectUri));
  return readBareCode(pasted, sent.redirectUri);
}

const quotes = new Set('<>"\'`()[]{},;');

/** Terminals wrap and bracket what is pasted, chats quote it and write `&amp;`; neither an address nor a code holds blanks. */
function unwrap(text: string): string {
  const flat = text
    .replaceAll('\u001b[200~', '')
    .replaceAll('\u001b[201~', '')
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, '');
  let start = 0;
  let end = flat.length;
  // A regular expression with `$` would take seconds for 64 KiB of quotes. `[` may begin an address, but never the redirect's.
  while (start < end && quotes.has(flat.charAt(start))) start++;
  while (end > start && quotes.has(flat.charAt(end - 1))) end--;
  return flat.slice(start, end).replaceAll('&amp;', '&');
}

function findAddress(pasted: string): URL | undefined {
  const start = pasted.search(/https?:\/\//i);
  if (start >= 0) return parse(pasted.slice(start));
  // Browsers hide the scheme in the address bar.
  if (/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(?:[/?#]|$)/i.test(pasted)) return parse(`http://${pasted}`);
  if (/^[a-z0-9.-]+\.[a-z]{2,}\//i.test(pasted)) return parse(`https://${pasted}`);
  return undefined;
}

function readAddress(address: URL, sent: { readonly redirectUri: string; readonly state: string }): Pasted {
  const target = sent.redirectUri;
  const ours = parse(target);
  if (ours === undefined) return retry(say.unknown(target));
  const local = isLocal(address);
  if (address.host !== ours.host && !(local && isLocal(ours))) return retry(elsewhere(address, target));
  if (address.protocol !== ours.protocol) return retry(elsewhere(address, target));
  if (local && address.port !== ours.port) return retry(say.otherPort(target));
  if (/https?:\/\//i.test(address.href.slice(8))) return retry(say.twice);
  return judge(address.searchParams, sent.state);
}

function isLocal(address: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(address.hostname);
}

/** The usual wrong pages, each with its own word. */
function elsewhere(address: URL, target: string): string {
  if (/\/(?:nativeclient|wrongplace)$/i.test(address.pathname)) return say.wrongPlace(target);
  if (/\/(?:authorize|adminconsent)$/i.test(address.pathname) || address.searchParams.has('code_challenge')) return say.authorize(target);
  if (!isSignInPage(address.hostname)) return say.otherHost(plain(address.host, 80), target);
  if (/^\/error$/i.test(address.pathname)) return say.errorPage(/^\d{4,8}$/.exec(address.searchParams.get('code') ?? '')?.[0]);
  if (/\/(?:devicelogin\w*|deviceauth|device|link)$/i.test(address.pathname)) return say.devicePage(target);
  return say.signInPage(target);
}

function judge(params: URLSearchParams, state: string): Pasted {
  if (params.has('state') && !hasState(params, state)) {
    const [given = '', ...more] = params.getAll('state');
    if (more.length > 0) return retry(say.twice);
    return state.startsWith(given) ? { kind: 'retry', why: say.cut, unfinished: true } : retry(say.otherState);
  }
  // Microsoft always sends the state back, behind the code: without it the end is missing.
  if (!params.has('state') && (params.has('code') || params.has('error'))) return { kind: 'retry', why: say.cut, unfinished: true };
  return orRetry(readAuthorizationAnswer(params));
}

function readBareCode(pasted: string, target: string): Pasted {
  if (isGuid(pasted)) return retry(say.guid);
  if (/^eyJ[\w-]*\./.test(pasted)) return retry(say.token);
  // Entra: `1.AX0A…`; personal accounts: `M.C532_BAY.2.U.…`, with ! * $ in it, escaped in the address bar.
  if (!/^[\w.~!*$%+/=-]{20,}$/.test(pasted)) return retry(say.unknown(target));
  const code = unescaped(pasted);
  return code === undefined ? retry(say.damaged) : orRetry(readCode(code));
}

function orRetry(read: ReadAnswer): Pasted {
  if (read.kind === 'answer') return read;
  return retry({ none: say.noAnswer, twice: say.twice, damaged: say.damaged }[read.why]);
}

function retry(why: string): Pasted {
  return { kind: 'retry', why };
}

function parse(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
