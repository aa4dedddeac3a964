import type { MailHost } from '../core/cloud.ts';
import type { Clock, Network } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { type Dialect, type OwnPreflight, ownPreflight, unreadableAnswer } from './preflight.ts';
import { openWire, type Wire } from './wire.ts';

/** IMAP before the sign-in (RFC 9051 sections 3.1, 6.1.1, 6.2.1, 7.1). */
export function imapPreflight(network: Network, clock: Clock, host: MailHost): OwnPreflight {
  const wire = openWire({ network, clock, host, unreadable: unreadableAnswer('imap', host) });
  return ownPreflight(wire, host, imapDialect(wire, host), 'm0 LOGOUT');
}

function imapDialect(wire: Wire, host: MailHost): Dialect {
  const where = { host: host.host, port: host.port };
  const unreadable = unreadableAnswer('imap', host);
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

  return {
    protocol: 'imap',
    startTls: 'STARTTLS',
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
    async offer(signal) {
      const answer = await command('CAPABILITY', signal, (reply) => unreadable('it refuses CAPABILITY', reply));
      const words = answer.find((line) => /^CAPABILITY /i.test(line));
      if (words === undefined) throw unreadable('its answer to CAPABILITY lists no capability');
      const capabilities = new Set(words.toUpperCase().split(/ +/).slice(1));
      return {
        xoauth2: capabilities.has('AUTH=XOAUTH2'),
        startTls: capabilities.has('STARTTLS'),
        said: [...capabilities].join(' '),
      };
    },
    async beginTls(signal) {
      await command('STARTTLS', signal, (reply) => problem('mail-no-starttls', where, { detail: { reply: plain(reply) } }));
    },
  };
}
