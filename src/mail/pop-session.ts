import * as z from 'zod/mini';
import type { MailHost } from '../core/cloud.ts';
import type { Clock, Network } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { withoutToken, xoauth2 } from '../tokens/sasl.ts';
import type { StageWork } from './stages.ts';
import { openWire } from './wire.ts';

/** A `-ERR`: the words behind it, stripped and without the token. `popProblem` says what they mean. */
export class PopRefusal extends Error {
  readonly reply: string;

  constructor(reply: string) {
    super('POP3 -ERR');
    this.name = 'PopRefusal';
    this.reply = reply;
  }
}

/**
 * A whole POP3 conversation on one connection (RFC 1939, CAPA and response codes RFC 2449, STLS RFC 2595, AUTH RFC 5034).
 * Each function is one stage's work; call them in the order of `stageOrder`.
 */
export interface PopSession {
  readonly dns: StageWork;
  readonly connect: StageWork;
  readonly tls: StageWork;
  readonly greeting: StageWork;
  readonly capability: StageWork;
  /** throws `PopRefusal` */
  signIn(user: string, token: Secret, signal: AbortSignal): Promise<void>;
  /** STAT: the number of messages; throws `PopRefusal` */
  count(signal: AbortSignal): Promise<number>;
  /** QUIT; throws `PopRefusal` */
  signOut(signal: AbortSignal): Promise<void>;
  close(): void;
}

const challengeSchema = z.object({ status: z.optional(z.string()), error: z.optional(z.string()) });

export function popSession(network: Network, clock: Clock, host: MailHost): PopSession {
  const where = { host: host.host, port: host.port };
  let clean = (said: string): string => said;
  const unreadable = (what: string, said?: string): MailauthError =>
    problem('pop-protocol', { ...where, what }, said === undefined ? {} : { detail: { reply: plain(clean(said)) } });
  const wire = openWire({ network, clock, host, unreadable });
  let capabilities: readonly string[] = [];

  /** The words behind +OK; throws `PopRefusal` for -ERR. */
  async function reply(signal: AbortSignal, to: string): Promise<string> {
    return ok(await wire.lines().next(signal), to);
  }

  function ok(line: string, to: string): string {
    const [, state = '', words = ''] = /^(\+OK|-ERR)\b ?(.*)$/i.exec(line) ?? [];
    if (state === '') throw unreadable(`its answer to ${to} cannot be read`, line);
    if (state.toUpperCase() === '-ERR') throw new PopRefusal(plain(clean(words)));
    return words;
  }

  function command(line: string, signal: AbortSignal): Promise<string> {
    wire.lines().send(line);
    return reply(signal, line);
  }

  async function askCapabilities(signal: AbortSignal): Promise<void> {
    await command('CAPA', signal).catch(refusedAs((said) => unreadable('it refuses CAPA', said)));
    const found: string[] = [];
    for (;;) {
      const line = await wire.lines().next(signal);
      if (line === '.') break;
      found.push(line.toUpperCase().trim());
    }
    capabilities = found;
  }

  function requireXoauth2(): void {
    const mechanisms = capabilities.filter((c) => c.startsWith('SASL ')).flatMap((c) => c.split(/ +/).slice(1));
    if (!mechanisms.includes('XOAUTH2')) throw problem('pop-no-xoauth2', where, { detail: { reply: plain(capabilities.join(', ')) } });
  }

  return {
    dns: wire.dns,
    connect: wire.connect,
    async tls(signal) {
      if (host.security === 'starttls') {
        await command('STLS', signal).catch(refusedAs((said) => problem('mail-no-starttls', where, { detail: { reply: said } })));
      }
      return wire.secure(signal);
    },
    async greeting(signal) {
      const refused = refusedAs((said) => problem('pop-greeting-refused', where, { detail: { reply: said } }));
      return plain(await reply(signal, 'the connection').catch(refused));
    },
    async capability(signal) {
      await askCapabilities(signal);
      if (host.security === 'tls') {
        requireXoauth2();
        return 'XOAUTH2 offered';
      }
      if (!capabilities.includes('STLS')) throw problem('mail-no-starttls', where);
      return 'STLS offered';
    },
    async signIn(user, token, signal) {
      clean = (said) => withoutToken(said, user, token);
      if (host.security === 'starttls') {
        // Everything learned in clear is forgotten (RFC 2595 section 4).
        await askCapabilities(signal);
        requireXoauth2();
      }
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
      // A refusal that explains itself first (RFC 7628 section 3.2.3) waits for an empty line.
      const why = readChallenge(answer.slice(1).trim());
      try {
        await command('', signal);
      } catch (cause) {
        if (cause instanceof PopRefusal && why !== '') throw new PopRefusal(plain(clean(`${cause.reply} · ${why}`)));
        throw cause;
      }
      throw unreadable('it says yes after it has said why not', answer);
    },
    async count(signal) {
      const words = await command('STAT', signal);
      const count = /^(\d{1,9}) \d+/.exec(words)?.[1];
      if (count === undefined) throw unreadable('its answer to STAT names no number', words);
      return Number(count);
    },
    async signOut(signal) {
      await command('QUIT', signal);
    },
    close: wire.close,
  };
}

/** `+`, `+ ` or `+ eyJ…`, but not `+OK` (RFC 5034 section 4) */
const goesOn = (line: string): boolean => /^\+(?: |$)/.test(line);

function refusedAs(meaning: (said: string) => MailauthError): (cause: unknown) => never {
  return (cause) => {
    throw cause instanceof PopRefusal ? meaning(cause.reply) : cause;
  };
}

/** `eyJzdGF0dXMiOiI0MDEi…` → `401`; nothing where it says nothing. */
function readChallenge(encoded: string): string {
  try {
    const read = challengeSchema.safeParse(JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')));
    return read.success ? (read.data.status ?? read.data.error ?? '') : '';
  } catch {
    return '';
  }
}
