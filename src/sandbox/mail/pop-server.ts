import type { Closable } from '../server/listen.ts';
import type { Service } from '../server/service.ts';
import type { Certificate } from '../server/tls-server.ts';
import type { State } from '../tenant/state-schema.ts';
import { type LineReply, type LineSession, lineServer } from './line-server.ts';
import { judgeXoauth2, withFault } from './mail-sign-in.ts';

const messages = 3;
const messageOctets = 512;
const capabilities = ['TOP', 'UIDL', 'SASL XOAUTH2', 'USER'];
const say = (...lines: string[]): LineReply => ({ lines });
const refused = say('-ERR Authentication failure: unknown user name or bad password.');

/** The POP3 server of the sandbox: implicit TLS, XOAUTH2 only, the same small mailbox for every user. */
export function popServer(service: Service, tls: Certificate): Closable {
  return lineServer({
    tls,
    security: 'tls',
    session: async () => {
      const state = await service.state.read();
      return withFault('pop', { fault: service.fault, state }, session(service, state));
    },
    tooLong: '-ERR Command line too long.',
  });
}

/** One POP3 connection (RFC 1939) with the words of Exchange Online. */
function session(service: Service, state: State): LineSession {
  let user: string | undefined;
  /** the next line is the token */
  let pending = false;

  const signIn = (response: string): LineReply => {
    if (response === '*') return say('-ERR Authentication cancelled.');
    user = judgeXoauth2(service, state, response, 'POP.AccessAsUser.All');
    return user === undefined ? refused : say('+OK User successfully authenticated.');
  };

  const signedOut = (verb: string, rest: string): LineReply => {
    if (verb === 'USER' || verb === 'PASS') return say('-ERR Logon failure: Basic authentication is disabled.');
    if (verb !== 'AUTH') return say('-ERR Command is not valid in this state.');
    const [mechanism = '', ...more] = rest.split(' ');
    // Exchange accepts the token only on a line of its own.
    if (mechanism.toUpperCase() !== 'XOAUTH2' || more.length > 0) return say('-ERR Protocol error. 18');
    pending = true;
    return say('+ ');
  };

  const signedIn = (verb: string): LineReply => {
    switch (verb) {
      case 'STAT':
        return say(`+OK ${messages} ${messages * messageOctets}`);
      case 'LIST':
        return say(`+OK ${messages} ${messages * messageOctets}`, ...numbered((n) => `${n} ${messageOctets}`), '.');
      case 'UIDL':
        return say('+OK', ...numbered((n) => `${n} sandbox-${n}`), '.');
      default:
        return say('-ERR Protocol error. 14');
    }
  };

  return {
    greeting: '+OK The Microsoft Exchange POP3 service is ready.',
    answer(line) {
      if (pending) {
        pending = false;
        return signIn(line);
      }
      const [, verb = '', rest = ''] = /^([A-Za-z]{3,4})(?: (.*))?$/.exec(line) ?? [];
      switch (verb.toUpperCase()) {
        case 'QUIT':
          return { lines: ['+OK Microsoft Exchange Server POP3 server signing off.'], hangUp: true };
        case 'CAPA':
          return say('+OK', ...capabilities, '.');
        case 'NOOP':
          return say('+OK');
        default:
          return user === undefined ? signedOut(verb.toUpperCase(), rest) : signedIn(verb.toUpperCase());
      }
    },
  };
}

function numbered(text: (n: number) => string): readonly string[] {
  return Array.from({ length: messages }, (_, i) => text(i + 1));
}
