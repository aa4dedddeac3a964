import type { MailHost } from '../core/cloud.ts';
import type { Clock, Network } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { StageWork } from './stages.ts';
import { openWire } from './wire.ts';

/**
 * SMTP before the sign-in, on a connection of our own (RFC 5321 section 4.3, RFC 3207), so that each stage can be told
 * from the next. Each function is one stage's work; call them in the order of `stageOrder`.
 */
export interface SmtpPreflight {
  readonly dns: StageWork;
  readonly connect: StageWork;
  readonly tls: StageWork;
  readonly greeting: StageWork;
  readonly capability: StageWork;
  /** over TLS: XOAUTH2 is offered; then QUIT */
  finish(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Who we say we are: an address literal (RFC 5321 section 4.1.3), for the name of this computer is nobody's business. */
export const ourName = '[127.0.0.1]';

interface Reply {
  readonly status: number;
  readonly lines: readonly string[];
}

export function smtpPreflight(network: Network, clock: Clock, host: MailHost): SmtpPreflight {
  const where = { host: host.host, port: host.port };
  const unreadable = (what: string, said?: string): MailauthError =>
    problem('smtp-protocol', { ...where, what }, said === undefined ? {} : { detail: { reply: plain(said) } });
  const wire = openWire({ network, clock, host, unreadable });
  let extensions: readonly string[] = [];

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

  const said = ({ status, lines }: Reply): { detail: { reply: string } } => ({ detail: { reply: plain(`${status} ${lines.join(' ')}`) } });

  async function askExtensions(signal: AbortSignal): Promise<void> {
    const answer = await command(`EHLO ${ourName}`, signal);
    if (answer.status >= 400 && answer.status < 500) throw problem('smtp-greeting-refused', where, said(answer));
    if (answer.status !== 250) throw unreadable('it refuses EHLO', said(answer).detail.reply);
    extensions = answer.lines.slice(1).map((line) => line.trim().toUpperCase());
  }

  function requireXoauth2(): void {
    // `AUTH=LOGIN` is an old spelling that some servers still send as well.
    const offered = extensions.filter((e) => /^AUTH[ =]/.test(e)).flatMap((e) => e.split(/[ =]+/).slice(1));
    if (!offered.includes('XOAUTH2')) throw problem('smtp-no-xoauth2', where, { detail: { reply: plain(extensions.join(', ')) } });
  }

  return {
    dns: wire.dns,
    connect: wire.connect,
    async tls(signal) {
      if (host.security === 'starttls') {
        const answer = await command('STARTTLS', signal);
        if (answer.status !== 220) throw problem('mail-no-starttls', where, said(answer));
      }
      return wire.secure(signal);
    },
    async greeting(signal) {
      const answer = await reply(signal, 'the connection');
      if (answer.status >= 400) throw problem('smtp-greeting-refused', where, said(answer));
      if (answer.status !== 220) throw unreadable('its first line is not an SMTP greeting', said(answer).detail.reply);
      return plain(answer.lines.join(' '));
    },
    async capability(signal) {
      await askExtensions(signal);
      if (host.security === 'tls') {
        requireXoauth2();
        return 'XOAUTH2 offered';
      }
      if (!extensions.includes('STARTTLS')) throw problem('mail-no-starttls', where);
      return 'STARTTLS offered';
    },
    async finish(signal) {
      if (host.security === 'starttls') {
        // Everything learned in clear is forgotten (RFC 3207 section 4.2).
        await askExtensions(signal);
        requireXoauth2();
      }
      wire.lines().send('QUIT');
    },
    close: wire.close,
  };
}
