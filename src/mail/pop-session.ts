import * as z from 'zod/mini';
import type { MailHost } from '../core/cloud.ts';
import type { Clock, Network } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { withoutToken, xoauth2 } from '../tokens/sasl.ts';
import { type Dialect, type Preflight, preflight, unreadableAnswer } from './preflight.ts';
import { openWire, type Wire } from './wire.ts';

/** A server's `-ERR`. `reply` holds its words, without control characters and without the token; `popProblem` says what they mean. */
export class PopRefusal extends Error {
  readonly reply: string;

  constructor(reply: string) {
    super('POP3 -ERR');
    this.name = 'PopRefusal';
    this.reply = reply;
  }
}

/** A whole POP3 conversation on one connection (RFC 1939, CAPA and response codes RFC 2449, STLS RFC 2595, AUTH RFC 5034). */
interface PopSession extends Omit<Preflight, 'askAgain'> {
  /** throws `PopRefusal` */
  signIn(user: string, token: Secret, signal: AbortSignal): Promise<void>;
  /** STAT: the number of messages; throws `PopRefusal` */
  count(signal: AbortSignal): Promise<number>;
  /** QUIT; throws `PopRefusal` */
  signOut(signal: AbortSignal): Promise<void>;
}

const challengeSchema = z.object({ status: z.optional(z.string()), error: z.optional(z.string()) });

export function popSession(network: Network, clock: Clock, host: MailHost): PopSession {
  const talk = popTalk(network, clock, host);
  const { wire, command, ok, unreadable } = talk;
  const { askAgain, ...stages } = preflight(wire, host, popDialect(talk, host));

  return {
    ...stages,
    async signIn(user, token, signal) {
      talk.cleanReplies((said) => withoutToken(said, user, token));
      await askAgain(signal);
      // Two lines: Exchange takes no initial response here (Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth").
      wire.lines().send('AUTH XOAUTH2');
      const invitation = await wire.lines().next(signal);
      if (!goesOn(invitation)) {
        ok(invitation, 'AUTH');
        throw unreadable('it says yes before it has seen the token', invitation);
      }
      wire.lines().send(xoauth2(user, token).reveal());
      const answer = await wire.lines().next(signal);
      if (!goesOn(answer)) {
        ok(answer, 'AUTH');
        return;
      }
      // A server that explains its refusal first waits for an empty line before it refuses (RFC 7628 section 3.2.3).
      const why = readChallenge(answer.slice(1).trim());
      await command('', signal).catch((cause: unknown) => {
        throw cause instanceof PopRefusal && why !== '' ? new PopRefusal(talk.shown(`${cause.reply} · ${why}`)) : cause;
      });
      throw unreadable('it says yes after it has said why not', answer);
    },
    async count(signal) {
      const words = await command('STAT', signal);
      const count = /^(\d{1,9}) \d+/.exec(words)?.[1];
      if (count === undefined) throw unreadable('its answer to STAT contains no number', words);
      return Number(count);
    },
    async signOut(signal) {
      await command('QUIT', signal);
    },
  };
}

/** Lines and answers of POP3; what a server says is shown without the token. */
interface PopTalk {
  readonly wire: Wire;
  /** the words behind +OK; throws `PopRefusal` for -ERR */
  command(line: string, signal: AbortSignal): Promise<string>;
  reply(signal: AbortSignal, to: string): Promise<string>;
  ok(line: string, to: string): string;
  unreadable(what: string, said?: string): MailauthError;
  cleanReplies(clean: (said: string) => string): void;
  shown(said: string): string;
}

function popTalk(network: Network, clock: Clock, host: MailHost): PopTalk {
  let clean = (said: string): string => said;
  const shown = (said: string): string => plain(clean(said));
  const report = unreadableAnswer('pop', host);
  const unreadable = (what: string, said?: string): MailauthError => report(what, said === undefined ? undefined : clean(said));
  const wire = openWire({ network, clock, host, unreadable });

  const ok = (line: string, to: string): string => {
    const [, state = '', words = ''] = /^(\+OK|-ERR)\b ?(.*)$/i.exec(line) ?? [];
    if (state === '') throw unreadable(`its answer to ${to} cannot be read`, line);
    if (state.toUpperCase() === '-ERR') throw new PopRefusal(shown(words));
    return words;
  };
  const reply = async (signal: AbortSignal, to: string): Promise<string> => ok(await wire.lines().next(signal), to);

  return {
    wire,
    ok,
    reply,
    command(line, signal) {
      wire.lines().send(line);
      return reply(signal, line);
    },
    unreadable,
    cleanReplies(withoutSecret) {
      clean = withoutSecret;
    },
    shown,
  };
}

function popDialect({ wire, command, reply, unreadable }: PopTalk, host: MailHost): Dialect {
  const where = { host: host.host, port: host.port };
  return {
    protocol: 'pop',
    startTls: 'STLS',
    async greeting(signal) {
      const refused = refusedAs((said) => problem('pop-greeting-refused', where, { detail: { reply: said } }));
      return plain(await reply(signal, 'the connection').catch(refused));
    },
    async offer(signal) {
      await command('CAPA', signal).catch(refusedAs((said) => unreadable('it refuses CAPA', said)));
      const capabilities: string[] = [];
      for (let line = await wire.lines().next(signal); line !== '.'; line = await wire.lines().next(signal)) {
        capabilities.push(line.toUpperCase().trim());
      }
      const mechanisms = capabilities.filter((one) => one.startsWith('SASL ')).flatMap((one) => one.split(/ +/).slice(1));
      return {
        xoauth2: mechanisms.includes('XOAUTH2'),
        startTls: capabilities.includes('STLS'),
        said: capabilities.join(', '),
      };
    },
    async beginTls(signal) {
      await command('STLS', signal).catch(refusedAs((said) => problem('mail-no-starttls', where, { detail: { reply: said } })));
    },
  };
}

/** `+`, `+ ` or `+ eyJ…`, but not `+OK` (RFC 5034 section 4) */
const goesOn = (line: string): boolean => /^\+(?: |$)/.test(line);

function refusedAs(meaning: (said: string) => MailauthError): (cause: unknown) => never {
  return (cause) => {
    throw cause instanceof PopRefusal ? meaning(cause.reply) : cause;
  };
}

/** `eyJzdGF0dXMiOiI0MDEi…` → `401`; an empty string when the challenge cannot be read. */
function readChallenge(encoded: string): string {
  try {
    const read = challengeSchema.safeParse(JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')));
    return read.success ? (read.data.status ?? read.data.error ?? '') : '';
  } catch {
    return '';
  }
}
