import type { Closable } from '../server/listen.ts';
import type { Service } from '../server/service.ts';
import type { Certificate } from '../server/tls-server.ts';
import type { State } from '../tenant/state-schema.ts';
import { imapLines } from './imap-lines.ts';
import { type LineReply, type LineSession, lineServer } from './line-server.ts';
import { judgeXoauth2, withFault } from './mail-sign-in.ts';

interface Folder {
  readonly flags: string;
  readonly messages: number;
}

const capabilities = 'IMAP4 IMAP4rev1 AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+';
const folders: Readonly<Record<string, Folder>> = {
  INBOX: { flags: '\\Marked \\HasNoChildren', messages: 3 },
  Drafts: { flags: '\\HasNoChildren \\Drafts', messages: 0 },
  'Sent Items': { flags: '\\HasNoChildren \\Sent', messages: 1 },
  'Deleted Items': { flags: '\\HasNoChildren \\Trash', messages: 0 },
  'Junk Email': { flags: '\\HasNoChildren \\Junk', messages: 0 },
};
const mostBadCommands = 10;
const closing = '* BYE Connection closed. 14';

/** The IMAP server of the sandbox: TLS from the first byte, XOAUTH2 only, the same small mailbox for every user. */
export function imapServer(service: Service, tls: Certificate): Closable {
  return lineServer({
    tls,
    security: 'tls',
    session: async () => {
      const state = await service.state.read();
      return withFault('imap', { fault: service.fault, state }, session(service, state));
    },
    tooLong: `* BAD Command line too long.\r\n${closing}`,
    reader: imapLines,
    idle: { limitMs: 30 * 60_000, says: '* BYE Connection is closed. 13' },
  });
}

/** One IMAP connection (RFC 9051) with the words of Exchange Online. Each line is a whole command. */
function session(service: Service, state: State): LineSession {
  let user: string | undefined;
  let selected: string | undefined;
  /** reads the next line when it belongs to the command before */
  let pending: ((line: string) => LineReply) | undefined;
  let bad = 0;

  const refuse = (tag: string, text: string): LineReply => {
    bad += 1;
    return bad >= mostBadCommands ? { lines: [`${tag} ${text}`, closing], hangUp: true } : { lines: [`${tag} ${text}`] };
  };

  const authenticate = (tag: string, response: string): LineReply => {
    if (response === '*') return { lines: [`${tag} BAD AUTHENTICATE cancelled.`] };
    const accepted = judgeXoauth2(service, state, response, 'IMAP.AccessAsUser.All');
    if (accepted === undefined) return refuse(tag, 'NO AUTHENTICATE failed.');
    user = accepted;
    return { lines: [`${tag} OK AUTHENTICATE completed.`] };
  };

  const open = (tag: string, verb: string, rest: string): LineReply => {
    const name = folderName(strings(rest)[0] ?? '');
    const folder = name === undefined ? undefined : folders[name];
    selected = undefined;
    if (folder === undefined) return { lines: [`${tag} NO Mailbox doesn't exist.`] };
    selected = name;
    const readOnly = verb === 'EXAMINE';
    return {
      lines: [
        `* ${folder.messages} EXISTS`,
        '* 0 RECENT',
        '* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)',
        `* OK [PERMANENTFLAGS (${readOnly ? '' : '\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent'})] Permanent flags`,
        '* OK [UIDVALIDITY 14] UIDVALIDITY value',
        `* OK [UIDNEXT ${folder.messages + 1}] The next unique identifier value`,
        `${tag} OK [READ-${readOnly ? 'ONLY' : 'WRITE'}] ${verb} completed.`,
      ],
    };
  };

  const signedIn = (tag: string, verb: string, rest: string): LineReply => {
    switch (verb) {
      case 'NAMESPACE':
        return { lines: ['* NAMESPACE (("" "/")) NIL NIL', `${tag} OK NAMESPACE completed.`] };
      case 'LIST':
      case 'LSUB':
        return { lines: [...list(verb, strings(rest)), `${tag} OK ${verb} completed.`] };
      case 'STATUS':
        return status(tag, rest);
      case 'SELECT':
      case 'EXAMINE':
        return open(tag, verb, rest);
      case 'IDLE':
        pending = (line) => ({ lines: [line.toUpperCase() === 'DONE' ? `${tag} OK IDLE completed.` : `${tag} BAD Expected DONE.`] });
        return { lines: ['+ IDLE accepted, awaiting DONE command.'] };
      case 'UNSELECT':
      case 'CLOSE':
        if (selected === undefined) return refuse(tag, 'BAD Command received in Invalid state.');
        selected = undefined;
        return { lines: [`${tag} OK ${verb} completed.`] };
      default:
        return refuse(tag, 'BAD Command Error. 12');
    }
  };

  const signedOut = (tag: string, verb: string, rest: string): LineReply => {
    if (verb === 'LOGIN') return refuse(tag, 'NO Basic authentication is disabled.');
    if (verb !== 'AUTHENTICATE') return refuse(tag, 'BAD Command received in Invalid state.');
    const [mechanism = '', response, ...more] = rest.split(' ');
    if (mechanism.toUpperCase() !== 'XOAUTH2' || more.length > 0) return refuse(tag, 'NO AUTHENTICATE failed.');
    if (response !== undefined) return authenticate(tag, response);
    pending = (line) => authenticate(tag, line);
    return { lines: ['+ '] };
  };

  const command = (tag: string, verb: string, rest: string): LineReply => {
    if (verb === 'LOGOUT') {
      return { lines: ['* BYE Microsoft Exchange Server IMAP4 server signing off.', `${tag} OK LOGOUT completed.`], hangUp: true };
    }
    if (verb === 'CAPABILITY') return { lines: [`* CAPABILITY ${capabilities}`, `${tag} OK CAPABILITY completed.`] };
    if (verb === 'NOOP') return { lines: [`${tag} OK NOOP completed.`] };
    if (verb === 'ID')
      return { lines: ['* ID ("name" "Microsoft.Exchange.Imap4.Imap4Server" "version" "15.20")', `${tag} OK ID completed`] };
    return user === undefined ? signedOut(tag, verb, rest) : signedIn(tag, verb, rest);
  };

  return {
    greeting: '* OK The Microsoft Exchange IMAP4 service is ready.',
    answer(line) {
      if (pending !== undefined) {
        const resume = pending;
        pending = undefined;
        return resume(line);
      }
      const read = /^([A-Za-z0-9.$_-]{1,32}) ([A-Za-z]{1,32})(?: (.*))?$/.exec(line);
      if (read === null) return refuse('*', 'BAD Command Argument Error. 12');
      const [, tag = '', verb = '', rest = ''] = read;
      return command(tag, verb.toUpperCase(), rest);
    },
  };
}

function list(verb: string, [reference = '', pattern = '']: readonly string[]): readonly string[] {
  if (pattern === '') return [`* ${verb} (\\Noselect) "/" ""`];
  const wanted = `${reference}${pattern}`.toLowerCase().split(/[*%]+/);
  const fits = (name: string): boolean => {
    const at = name.toLowerCase();
    if (wanted.length === 1) return at === wanted[0];
    return at.startsWith(wanted[0] ?? '') && at.endsWith(wanted.at(-1) ?? '') && wanted.every((piece) => at.includes(piece));
  };
  return Object.entries(folders)
    .filter(([name]) => fits(name))
    .map(([name, { flags }]) => `* ${verb} (${flags}) "/" ${name.includes(' ') ? `"${name}"` : name}`);
}

function status(tag: string, rest: string): LineReply {
  const name = folderName(strings(rest)[0] ?? '');
  const folder = name === undefined ? undefined : folders[name];
  if (name === undefined || folder === undefined) return { lines: [`${tag} NO Mailbox doesn't exist.`] };
  const values: Readonly<Record<string, number>> = {
    MESSAGES: folder.messages,
    RECENT: 0,
    UNSEEN: folder.messages,
    UIDNEXT: folder.messages + 1,
    UIDVALIDITY: 14,
  };
  const asked = (/\(([^)]*)\)\s*$/.exec(rest)?.[1] ?? '').toUpperCase().split(' ');
  const items = asked.filter((item) => values[item] !== undefined).map((item) => `${item} ${values[item]}`);
  return { lines: [`* STATUS "${name}" (${items.join(' ')})`, `${tag} OK STATUS completed.`] };
}

function folderName(given: string): string | undefined {
  return Object.keys(folders).find((name) => name.toLowerCase() === given.toLowerCase());
}

/** The quoted strings and atoms of an argument list (RFC 9051 section 4). */
function strings(rest: string): readonly string[] {
  const found = rest.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? [];
  return found.map((one) => (one.startsWith('"') ? one.slice(1, -1).replace(/\\(.)/g, '$1') : one));
}
