import type { MailHost } from '../core/cloud.ts';
import type { Clock, Network } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { StageWork } from './stages.ts';
import { openWire } from './wire.ts';

/**
 * IMAP before the sign-in, on a connection of our own (RFC 9051 sections 3.1, 6.1.1, 6.2.1, 7.1), so that each stage can
 * be told from the next. Each function is one stage's work; call them in the order of `stageOrder`.
 */
export interface ImapPreflight {
  readonly dns: StageWork;
  readonly connect: StageWork;
  readonly tls: StageWork;
  readonly greeting: StageWork;
  readonly capability: StageWork;
  /** over TLS: XOAUTH2 is offered; then LOGOUT */
  finish(signal: AbortSignal): Promise<void>;
  close(): void;
}

export function imapPreflight(network: Network, clock: Clock, host: MailHost): ImapPreflight {
  const where = { host: host.host, port: host.port };
  const unreadable = (what: string, reply?: string): MailauthError =>
    problem('imap-protocol', { ...where, what }, reply === undefined ? {} : { detail: { reply: plain(reply) } });
  const wire = openWire({ network, clock, host, unreadable });
  let capabilities: ReadonlySet<string> = new Set();
  let tags = 0;

  /** Sends a command and collects its untagged lines until the tagged OK. */
  async function command(name: string, signal: AbortSignal, refused: (reply: string) => MailauthError): Promise<readonly string[]> {
    tags += 1;
    const tag = `m${tags}`;
    const untagged: string[] = [];
    wire.lines().send(`${tag} ${name}`);
    for (;;) {
      const line = await wire.lines().next(signal);
      if (line.startsWith('* ')) {
        if (/^\* BYE\b/i.test(line))
          throw problem('connection-closed', { ...where, purpose: 'the mail server' }, { detail: { reply: plain(line) } });
        untagged.push(line.slice(2));
        continue;
      }
      if (line.startsWith('+')) throw unreadable(`it asks for more ("+") in the middle of ${name}`, line);
      const [, answered, state = ''] = /^(\S+) (OK|NO|BAD)\b/i.exec(line) ?? [];
      if (answered !== tag) throw unreadable(`its answer to ${name} cannot be read`, line);
      if (state.toUpperCase() !== 'OK') throw refused(line.slice(tag.length + 1));
      return untagged;
    }
  }

  async function askCapabilities(signal: AbortSignal): Promise<void> {
    const answer = await command('CAPABILITY', signal, (reply) => unreadable('it refuses CAPABILITY', reply));
    const words = answer.find((line) => /^CAPABILITY /i.test(line));
    if (words === undefined) throw unreadable('its answer to CAPABILITY names none');
    capabilities = new Set(words.toUpperCase().split(/ +/).slice(1));
  }

  function requireXoauth2(): void {
    if (!capabilities.has('AUTH=XOAUTH2')) {
      throw problem('imap-no-xoauth2', where, { detail: { reply: plain([...capabilities].join(' ')) } });
    }
  }

  return {
    dns: wire.dns,
    connect: wire.connect,
    async tls(signal) {
      if (host.security === 'starttls') {
        await command('STARTTLS', signal, (reply) => problem('mail-no-starttls', where, { detail: { reply: plain(reply) } }));
      }
      return wire.secure(signal);
    },
    async greeting(signal) {
      const line = await wire.lines().next(signal);
      const [, state = '', words = ''] = /^\* (OK|NO|BAD|BYE|PREAUTH)\b ?(.*)$/i.exec(line) ?? [];
      switch (state.toUpperCase()) {
        case 'OK':
          return plain(words);
        case 'PREAUTH':
          throw unreadable('it says that we are signed in already, so there is nothing to test', line);
        case '':
          throw unreadable('its first line is not an IMAP greeting', line);
        default:
          throw problem('imap-greeting-refused', where, { detail: { reply: plain(words) } });
      }
    },
    async capability(signal) {
      await askCapabilities(signal);
      if (host.security === 'tls') {
        requireXoauth2();
        return 'XOAUTH2 offered';
      }
      if (!capabilities.has('STARTTLS')) throw problem('mail-no-starttls', where);
      return 'STARTTLS offered';
    },
    async finish(signal) {
      if (host.security === 'starttls') {
        // Everything learned in clear is forgotten (RFC 9051 section 6.2.1).
        await askCapabilities(signal);
        requireXoauth2();
      }
      wire.lines().send('m0 LOGOUT');
    },
    close: wire.close,
  };
}
