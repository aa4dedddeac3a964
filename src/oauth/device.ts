import type { Context } from '../core/context.ts';
import { Exit, MailauthError } from '../core/errors.ts';
import type { TokenSet } from '../core/mailbox.ts';
import { type Command, inPlaceOfLogin } from '../core/next.ts';
import { problem } from '../errors/problem.ts';
import { waitWithKeys } from '../ui/waiting.ts';
import { type DeviceAuthorization, judgePoll, type PollVerdict, readDeviceAuthorization } from './device-answer.ts';
import { entraProblem } from './entra-error.ts';
import { readGrant } from './grant.ts';
import type { OAuthApp } from './oauth-app.ts';
import { acceptGrant, type OtherAccount } from './sign-in.ts';
import type { SignInView } from './sign-in-view.ts';
import { formRequest, readTokenAnswer, type TokenAnswer } from './token-exchange.ts';

export interface DeviceSignIn {
  /** a public client: Entra does not offer the device code flow to a confidential client */
  readonly app: OAuthApp;
  readonly mailbox: string;
  readonly signInAs?: string;
  /** full scope strings, OIDC ones included */
  readonly scopes: readonly string[];
  /** how long to wait for the person; undefined: as long as the code is valid */
  readonly waitMs: number | undefined;
  /** the command that does it again */
  readonly again: Command;
  /** gets the account that signed in, where another one was wanted */
  readonly seen?: (other: OtherAccount) => void;
  /** called when the code is on the screen: in the sandbox this plays the person */
  shown?(verificationUri: string, userCode: string): Promise<void>;
}

/** How a device code is shown and waited for. */
export interface DeviceOptions {
  /** also as a QR code */
  readonly qr: boolean;
  /** undefined: as long as the code is valid */
  readonly waitMs: number | undefined;
  /** called when the code is on the screen: the sandbox plays the person `as` here */
  shown?(verificationUri: string, userCode: string, as: string): Promise<void>;
}

/** What the command shows while it waits. */
interface DeviceView extends Pick<SignInView, 'report' | 'step'> {
  codeRequired(device: Pick<DeviceAuthorization, 'verificationUri' | 'userCode'>, deadline: number): Promise<void>;
}

/** RFC 8628 section 3.5: each `slow_down` adds five seconds for all polls that follow. */
const slowDownMs = 5000;
const longestPauseMs = 60_000;
const grantType = 'urn:ietf:params:oauth:grant-type:device_code';

/** Numbers of policies that judge how and from where a person signs in: a sign-in in the browser may pass them when a code cannot. */
const blocking = new Set([53003, 530035, 530036, 50199, 530032, 53000, 53001, 53002, 53009, 530003, 50097, 50155, 50187, 50129, 53011]);

/**
 * Device code flow (RFC 8628). Not with MSAL: MSAL ends the flow at `slow_down`, where RFC 8628 section 3.5 asks for a longer pause, and
 * hides Entra's errors. `keep` stores the tokens. Who signed in and what was granted is checked before that, as after a sign-in in the
 * browser. Throws the device, Entra, identity, network and store problems,
 * and the signal's reason at once.
 */
export async function deviceSignIn(
  ctx: Pick<Context, 'clock' | 'signal' | 'keys'>,
  request: DeviceSignIn,
  view: DeviceView,
  keep: (tokens: TokenSet) => Promise<void>,
): Promise<TokenSet> {
  try {
    const device = await authorize(request);
    const wanted = request.waitMs === undefined ? Number.POSITIVE_INFINITY : ctx.clock.now() + request.waitMs;
    const deadline = Math.min(device.expiresAt, wanted);
    await view.codeRequired(device, deadline);
    const { report, step } = view;
    const text = 'Waiting for the sign-in with this code (Ctrl-C stops)';
    const limitMs = deadline - ctx.clock.now();
    report.progress(step, 'started', text);
    await request.shown?.(device.verificationUri, device.userCode);
    const wait = { step, text, live: 'Waiting for the sign-in with this code', limitMs, leftMs: deadline - ctx.clock.now() };
    const answer = await waitWithKeys({ ctx, report }, wait, [], poll(ctx, request, device, deadline));
    const tokens = accepted(request, answer);
    await keep(tokens);
    return tokens;
  } catch (thrown) {
    throw thrown instanceof MailauthError ? thrown.but({ next: thrown.next.map((step) => inPlaceOfLogin(step, request.again)) }) : thrown;
  }
}

/** RFC 8628 section 3.1. Entra's v2 endpoint stands beside the token endpoint. */
async function authorize(request: DeviceSignIn): Promise<DeviceAuthorization> {
  const { app, mailbox, scopes } = request;
  const address = app.endpoints.token.replace(/\/token$/, '/devicecode');
  const answer = await post(app, address, { client_id: app.clientId, scope: scopes.join(' ') }, app.timeoutMs);
  if (answer.error !== undefined) throw refusal(request, answer.error);
  const read = readDeviceAuthorization(answer.body, answer.receivedAt, app.cloud.name === 'sandbox');
  if (read.kind === 'unreadable') throw problem('token-answer-unreadable', { mailbox, why: read.why });
  return read.device;
}

/**
 * Asks until the person has decided or time is up. A failure of the network or the server does not end the wait; when it lasts to the
 * end, it is thrown.
 */
async function poll(
  { clock, signal }: Pick<Context, 'clock' | 'signal'>,
  request: DeviceSignIn,
  device: DeviceAuthorization,
  deadline: number,
): Promise<TokenAnswer> {
  let pauseMs = device.intervalMs;
  let waitMs = pauseMs;
  let trouble: MailauthError | undefined;
  while (clock.now() + waitMs < deadline) {
    await clock.sleep(waitMs, signal);
    const { answer, verdict, failure } = await askOnce(request, device, deadline - clock.now());
    if (answer !== undefined) return answer;
    trouble = failure;
    if (verdict.kind === 'hiccup') {
      // RFC 8628 section 3.5: longer pauses while the server does not answer.
      waitMs = verdict.waitMs === undefined ? Math.min(waitMs * 2, longestPauseMs) : Math.max(verdict.waitMs, pauseMs);
      continue;
    }
    if (verdict.kind === 'slow-down') pauseMs += slowDownMs;
    else if (verdict.kind !== 'pending') throw failure;
    waitMs = pauseMs;
  }
  await clock.sleep(Math.max(0, deadline - clock.now()), signal);
  throw trouble ?? tooLate(request, device, deadline);
}

function tooLate(request: DeviceSignIn, device: DeviceAuthorization, deadline: number): MailauthError {
  if (deadline < device.expiresAt) {
    return problem('device-timeout', { seconds: Math.round((request.waitMs ?? 0) / 1000), again: request.again });
  }
  return problem('device-code-expired', { ...wordsOf(request), said: '', error: '' });
}

interface Asked {
  readonly verdict: PollVerdict;
  /** with the tokens; only when granted */
  readonly answer?: TokenAnswer;
  readonly failure?: MailauthError;
}

/** One poll. A failure that may pass (network, timeout) is a `hiccup`; any other is thrown. */
async function askOnce(request: DeviceSignIn, device: DeviceAuthorization, leftMs: number): Promise<Asked> {
  const { app } = request;
  const form = { grant_type: grantType, client_id: app.clientId, device_code: device.deviceCode.reveal() };
  try {
    const answer = await post(app, app.endpoints.token, form, Math.max(1000, Math.min(app.timeoutMs, leftMs)));
    const verdict = judgePoll(answer);
    if (verdict.kind === 'granted') return { verdict, answer };
    if (verdict.kind === 'pending' || verdict.kind === 'slow-down' || answer.error === undefined) return { verdict };
    return { verdict, failure: refusal(request, answer.error) };
  } catch (error) {
    if (app.signal.aborted || !(error instanceof MailauthError) || error.exit !== Exit.temporary) throw error;
    return { verdict: { kind: 'hiccup', waitMs: undefined }, failure: error };
  }
}

async function post(app: OAuthApp, url: string, form: Readonly<Record<string, string>>, timeoutMs: number): Promise<TokenAnswer> {
  const response = await app.network.request(formRequest(url, form, { timeoutMs, signal: app.signal }));
  return readTokenAnswer(response, app.clock.now());
}

/** Checks who signed in and what was granted, as after a sign-in in the browser. */
function accepted(request: DeviceSignIn, answer: TokenAnswer): TokenSet {
  const { mailbox, scopes } = request;
  const grant = readGrant(answer.body, scopes, answer.receivedAt);
  if (grant === undefined) throw problem('token-answer-unreadable', { mailbox, why: 'The token endpoint answered, but not with a token.' });
  return acceptGrant(request, grant);
}

/**
 * Entra's refusal in the words of this flow. The OAuth error decides first, then the numbers that mean something else here than in a
 * browser.
 */
function refusal(request: DeviceSignIn, error: NonNullable<TokenAnswer['error']>): MailauthError {
  const words = wordsOf(request);
  const said = entraProblem(error, words);
  const code = codeOf(error);
  if (code === undefined || code === said.code) return said;
  return problem(code, { ...words, said: '', error: error.error, aadsts: said.detail.aadsts }, { detail: said.detail, cause: said });
}

const wordsOf = ({ app, mailbox, signInAs, scopes }: DeviceSignIn) => {
  return { cloud: app.cloud, tenant: app.tenantId, clientId: app.clientId, scopes, mailbox, signInAs };
};

function codeOf(error: NonNullable<TokenAnswer['error']>) {
  const verdict = judgePoll({ error });
  if (verdict.kind === 'declined') return 'device-declined';
  if (verdict.kind === 'expired') return 'device-code-expired';
  if (verdict.kind === 'unknown-code') return 'device-code-unknown';
  if (error.codes?.includes(7000218)) return 'device-needs-public-client';
  return error.codes?.some((number) => blocking.has(number)) === true ? 'device-blocked' : undefined;
}

/**
 * The page of the code as a QR code, in lines of half blocks for a terminal. The light modules are drawn, so that it reads
 * correctly on a dark screen; phones also read the inverse on a light screen.
 */
export async function qr(text: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr');
  return renderUnicodeCompact(text, { border: 2 });
}
