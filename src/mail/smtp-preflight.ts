import type { MailHost } from '../core/cloud.ts';
import type { Clock, Network } from '../core/context.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { type Dialect, type Offer, type OwnPreflight, ownPreflight, unreadableAnswer } from './preflight.ts';
import { openWire, type Wire } from './wire.ts';

/** The name in our EHLO: an address literal (RFC 5321 section 4.1.3), so that the mail server does not learn this computer's name. */
export const ourName = '[127.0.0.1]';

export interface Reply {
  readonly status: number;
  readonly lines: readonly string[];
}

/** SMTP on a connection: what every dialect of the preflight has, and single commands. */
export interface SmtpTalk extends Dialect {
  offer(signal: AbortSignal): Promise<Offer & { readonly extensions: readonly string[] }>;
  command(line: string, signal: AbortSignal): Promise<Reply>;
  /** the reply to what was sent already */
  reply(signal: AbortSignal, to: string): Promise<Reply>;
}

/** SMTP before the sign-in (RFC 5321 section 4.3, RFC 3207). */
export function smtpPreflight(network: Network, clock: Clock, host: MailHost): OwnPreflight {
  const wire = openWire({ network, clock, host, unreadable: unreadableAnswer('smtp', host) });
  return ownPreflight(wire, host, smtpTalk(wire, host), 'QUIT');
}

export function smtpTalk(wire: Wire, host: MailHost): SmtpTalk {
  const where = { host: host.host, port: host.port };
  const unreadable = unreadableAnswer('smtp', host);

  /** One reply, all its lines (RFC 5321 section 4.2.1). */
  async function reply(signal: AbortSignal, to: string): Promise<Reply> {
    const lines: string[] = [];
    let first: string | undefined;
    for (;;) {
      const line = await wire.lines().next(signal);
      const [, status = '', more = '', words = ''] = /^([2-5]\d\d)(?:([ -])(.*))?$/.exec(line) ?? [];
      if (status === '' || (first !== undefined && status !== first)) throw unreadable(`its answer to ${to} cannot be read`, line);
      first = status;
      lines.push(words);
      if (more !== '-') return { status: Number(status), lines };
    }
  }

  async function command(line: string, signal: AbortSignal): Promise<Reply> {
    wire.lines().send(line);
    return reply(signal, line.split(' ')[0] ?? '');
  }

  return {
    protocol: 'smtp',
    startTls: 'STARTTLS',
    async greeting(signal) {
      const answer = await reply(signal, 'the connection');
      if (answer.status >= 400) throw problem('smtp-greeting-refused', where, evidence(answer));
      if (answer.status !== 220) throw unreadable('its first line is not an SMTP greeting', words(answer));
      return plain(answer.lines.join(' '));
    },
    async offer(signal) {
      const answer = await command(`EHLO ${ourName}`, signal);
      if (answer.status >= 400 && answer.status < 500) throw problem('smtp-greeting-refused', where, evidence(answer));
      if (answer.status !== 250) throw unreadable('it refuses EHLO', words(answer));
      const extensions = answer.lines.slice(1).map((line) => line.trim().toUpperCase());
      // `AUTH=LOGIN` is an old spelling that some servers still send as well.
      const mechanisms = extensions.filter((one) => /^AUTH[ =]/.test(one)).flatMap((one) => one.split(/[ =]+/).slice(1));
      return {
        xoauth2: mechanisms.includes('XOAUTH2'),
        startTls: extensions.includes('STARTTLS'),
        said: extensions.join(', '),
        extensions,
      };
    },
    async beginTls(signal) {
      const answer = await command('STARTTLS', signal);
      if (answer.status !== 220) throw problem('mail-no-starttls', where, evidence(answer));
    },
    command,
    reply,
  };
}

export const words = ({ status, lines }: Reply): string => `${status} ${lines.join(' ')}`;
const evidence = (answer: Reply): { detail: { reply: string } } => ({ detail: { reply: plain(words(answer)) } });
