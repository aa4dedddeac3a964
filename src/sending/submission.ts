import { isAscii } from 'node:buffer';
import type { MailHost } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import { Interrupted, MailauthError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { MailAttempt } from '../mail/mail-refusal.ts';
import { unreadableAnswer } from '../mail/preflight.ts';
import { type Reply, type SmtpTalk, smtpTalk, words } from '../mail/smtp-preflight.ts';
import { explainSmtp } from '../mail/smtp-problem.ts';
import type { ConversationStage } from '../mail/stages.ts';
import { openWire, type Wire } from '../mail/wire.ts';
import { withDotsDoubled } from '../message/message.ts';
import { withoutToken, xoauth2 } from '../tokens/sasl.ts';
import { inBytes, mostBytes } from './read-input.ts';

export interface SubmissionDeps {
  readonly ctx: Pick<Context, 'network' | 'clock' | 'signal'>;
  readonly host: MailHost;
  /** the name for SASL `user=` */
  readonly user: string;
  readonly token: Secret;
  /** of each step */
  readonly timeoutMs: number;
  /** how long the answer to a whole message is waited for; RFC 5321 section 4.5.3.2.6 wants ten minutes */
  readonly answerMs: number;
  /** the circumstances, for the words of a refusal */
  readonly attempt: Omit<MailAttempt, 'phase' | 'now'>;
}

export interface Letter {
  /** `''`: the empty sender of a bounce */
  readonly sender: string;
  readonly recipients: readonly string[];
  /** lines end with CR LF */
  readonly bytes: Buffer;
}

/** The server has the message for these recipients. */
export interface Taken {
  readonly accepted: readonly string[];
  readonly refused: readonly Refusal[];
  readonly reply: string;
}

interface Refusal {
  readonly recipient: string;
  readonly reply: string;
}

/**
 * Submits one message (RFC 6409) over TLS with XOAUTH2, byte for byte. Written on mailauth's own lines and not on nodemailer, which rewrites
 * line ends and takes a fifth of a second to load. Where a recipient is refused for now, nothing is sent to the others either: the caller sends
 * it again, and nobody gets it twice. Throws what explains a refusal, and `send-answer-lost` where the answer to the whole message is missing.
 */
export async function submit(letter: Letter, deps: SubmissionDeps): Promise<Taken> {
  const { ctx, host } = deps;
  const wire = openWire({ network: ctx.network, clock: ctx.clock, host, unreadable: unreadableAnswer('smtp', host) });
  const talk = smtpTalk(wire, host);
  try {
    const extensions = await open(wire, talk, deps);
    await signIn(talk, deps);
    await offerSender(talk, letter, extensions, deps);
    const { accepted, refused } = await offerRecipients(talk, letter, deps);
    const reply = await handOver(wire, talk, letter, deps);
    await sayGoodbye(talk, deps);
    return { accepted, refused, reply };
  } finally {
    wire.close();
  }
}

const goodbyeMs = 500;

/** The server has the message, so nothing that goes wrong here matters (RFC 5321 section 4.1.1.10). */
async function sayGoodbye(talk: SmtpTalk, deps: SubmissionDeps): Promise<void> {
  await inTime('quit', { ...deps, timeoutMs: goodbyeMs }, (signal) => talk.command('QUIT', signal)).catch(() => undefined);
}

/** Resolves to what the server offers over TLS. */
async function open(wire: Wire, talk: SmtpTalk, deps: SubmissionDeps): Promise<readonly string[]> {
  const { host } = deps;
  const step = <T>(name: ConversationStage | 'greeting' | 'capability' | 'tls' | 'connect', work: (signal: AbortSignal) => Promise<T>) =>
    inTime(name, deps, work);
  await step('connect', wire.connect);
  if (host.security === 'tls') await step('tls', wire.secure);
  await step('greeting', talk.greeting);
  let offer = await step('capability', talk.offer);
  if (host.security === 'starttls') {
    if (!offer.startTls) throw problem('mail-no-starttls', host);
    await step('tls', talk.beginTls);
    await step('tls', wire.secure);
    offer = await step('capability', talk.offer);
  }
  if (!offer.xoauth2) throw problem('smtp-no-xoauth2', host, { detail: { reply: plain(offer.said) } });
  return offer.extensions;
}

/** In two steps, because an Exchange token is longer than the command line that some servers read. */
async function signIn(talk: SmtpTalk, deps: SubmissionDeps): Promise<void> {
  const command = (line: string) => inTime('auth', deps, (signal) => talk.command(line, signal));
  try {
    let answer = await command('AUTH XOAUTH2');
    if (answer.status === 334) answer = await command(xoauth2(deps.user, deps.token).reveal());
    // A server that explains its refusal first waits for an empty line before it refuses (RFC 7628 section 3.2.3).
    if (answer.status === 334) answer = await command('');
    if (answer.status !== 235) throw refusedBy('AUTH XOAUTH2', answer);
  } catch (cause) {
    throw explained(cause, 'auth', deps);
  }
}

/** MAIL FROM with what the message needs of the server. Throws `send-too-large`, `send-extension-missing`. */
async function offerSender(talk: SmtpTalk, letter: Letter, extensions: readonly string[], deps: SubmissionDeps): Promise<void> {
  const { sender, recipients, bytes } = letter;
  const { host, port } = deps.host;
  const offers = (name: string) => extensions.some((line) => line === name || line.startsWith(`${name} `));
  const limit = Number(/^SIZE (\d{1,15})$/.exec(extensions.find((line) => line.startsWith('SIZE ')) ?? '')?.[1] ?? 0) || mostBytes;
  if (bytes.length > limit) throw problem('send-too-large', { limit: inBytes(limit), where: host });
  const isEightBit = !isAscii(bytes);
  const isUtf8 = !/^[\0-\x7f]*$/.test([sender, ...recipients].join(''));
  if (isEightBit && !offers('8BITMIME'))
    throw problem('send-extension-missing', { host, port, extension: '8BITMIME', needs: '8-bit text' });
  if (isUtf8 && !offers('SMTPUTF8')) {
    throw problem('send-extension-missing', { host, port, extension: 'SMTPUTF8', needs: 'an address with other letters than ASCII' });
  }
  const parameters = [
    ...(offers('SIZE') ? [` SIZE=${bytes.length}`] : []),
    ...(isEightBit ? [' BODY=8BITMIME'] : []),
    ...(isUtf8 ? [' SMTPUTF8'] : []),
  ];
  const answer = await inTime('mailbox', deps, (signal) => talk.command(`MAIL FROM:<${sender}>${parameters.join('')}`, signal));
  if (answer.status !== 250) throw explained(refusedBy('MAIL FROM', answer), 'mailbox', deps);
}

/** Throws `send-recipients-later` where one is refused for now, `send-recipients-refused` where all are refused for good. */
async function offerRecipients(talk: SmtpTalk, { recipients }: Letter, deps: SubmissionDeps): Promise<Omit<Taken, 'reply'>> {
  const accepted: string[] = [];
  const refused: Refusal[] = [];
  const later: Refusal[] = [];
  for (const recipient of recipients) {
    const answer = await inTime('send', deps, (signal) => talk.command(`RCPT TO:<${recipient}>`, signal));
    if (answer.status === 250 || answer.status === 251) accepted.push(recipient);
    else (answer.status < 500 ? later : refused).push({ recipient, reply: cleaned(answer, deps) });
  }
  const { host } = deps.host;
  if (later.length > 0) throw problem('send-recipients-later', { host, refused: later.map(shownRefusal) });
  if (accepted.length === 0) throw recipientsRefused(host, { accepted, refused });
  return { accepted, refused };
}

export const recipientsRefused = (host: string, { accepted, refused }: Omit<Taken, 'reply'>): MailauthError =>
  problem('send-recipients-refused', { host, accepted, refused: refused.map(shownRefusal) });

const shownRefusal = ({ recipient, reply }: Refusal): string => `${plain(recipient, 80)} (${plain(reply, 160)})`;

const sliceBytes = 256 * 1024;

/** DATA, the message, and the answer to it. Resolves to the server's words when it has the message. */
async function handOver(wire: Wire, talk: SmtpTalk, { bytes }: Letter, deps: SubmissionDeps): Promise<string> {
  const ready = await inTime('send', deps, (signal) => talk.command('DATA', signal));
  if (ready.status !== 354) throw explained(refusedBy('DATA', ready), 'send', deps);
  const stuffed = withDotsDoubled(bytes);
  for (let at = 0; at < stuffed.length; at += sliceBytes) {
    await inTime('send', deps, (signal) => wire.lines().write(stuffed.subarray(at, at + sliceBytes), signal));
  }
  const answer = await lastAnswer(talk, deps);
  if (answer.status !== 250) throw explained(refusedBy('DATA', answer), 'send', deps);
  return cleaned(answer, deps);
}

/** From here on the server may have taken the message, whatever happens to its answer. */
async function lastAnswer(talk: SmtpTalk, deps: SubmissionDeps): Promise<Reply> {
  try {
    return await inTime('send', { ...deps, timeoutMs: deps.answerMs }, (signal) => talk.command('.', signal));
  } catch (cause) {
    throw answerLost(cause, deps.host.host);
  }
}

/** A stop at this moment (Ctrl-C, SIGTERM) says it, too. */
export function answerLost(cause: unknown, host: string): unknown {
  if (cause instanceof Interrupted) {
    cause.goOn = 'Look into Sent Items before you send it again: the server has the whole message, and its answer did not come.';
    return cause;
  }
  return cause instanceof MailauthError ? problem('send-answer-lost', { host }, { detail: cause.detail, cause }) : cause;
}

async function inTime<T>(stage: string, { ctx, host, timeoutMs }: SubmissionDeps, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    return await work(AbortSignal.any([ctx.signal, deadline]));
  } catch (cause) {
    if (ctx.signal.aborted) throw ctx.signal.reason;
    if (!deadline.aborted) throw cause;
    const through = ctx.network.proxyFor(host.host, host.port);
    throw problem('mail-stage-timeout', { host: host.host, port: host.port, stage, timeoutMs, through });
  }
}

const refusedBy = (command: string, answer: Reply): Error => Object.assign(new Error('refused'), { command, response: words(answer) });

const cleaned = (answer: Reply, { user, token }: SubmissionDeps): string => plain(withoutToken(words(answer), user, token));

/** A refusal in the words of the tests, which know the sentences of Exchange. */
function explained(cause: unknown, phase: ConversationStage, { attempt, ctx, user, token }: SubmissionDeps): unknown {
  if (ctx.signal.aborted) return ctx.signal.reason;
  return explainSmtp(cause, { ...attempt, phase, now: ctx.clock.now() }, (said) => withoutToken(said, user, token));
}
