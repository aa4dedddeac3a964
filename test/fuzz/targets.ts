import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { findCommand, unknownCommand } from '../../src/cli/find-command.ts';
import { modules } from '../../src/cli/modules.ts';
import { globalsOf, parse } from '../../src/cli/parse.ts';
import { commands } from '../../src/cli/tree.ts';
import { type MailHost, namedCloud } from '../../src/core/cloud.ts';
import type { Files, HttpResponse, Network } from '../../src/core/context.ts';
import { MailauthError } from '../../src/core/errors.ts';
import { mailauth } from '../../src/core/next.ts';
import { readCloudFile } from '../../src/entra/cloud-file.ts';
import { discoverTenant } from '../../src/entra/discovery.ts';
import { judge } from '../../src/entra/graph-answer.ts';
import { explain } from '../../src/explain/explain-text.ts';
import { imapPreflight } from '../../src/mail/imap-preflight.ts';
import { popSession } from '../../src/mail/pop-session.ts';
import { smtpPreflight } from '../../src/mail/smtp-preflight.ts';
import type { StageWork } from '../../src/mail/stages.ts';
import { hasState, readAuthorizationAnswer } from '../../src/oauth/authorization-answer.ts';
import { readAccessToken, readIdToken } from '../../src/oauth/claims.ts';
import { entraProblem } from '../../src/oauth/entra-error.ts';
import { readGrant } from '../../src/oauth/grant.ts';
import { readPasted } from '../../src/oauth/paste.ts';
import { readTokenAnswer } from '../../src/oauth/token-exchange.ts';
import { journals } from '../../src/setup/journal/journal-file.ts';
import { mailboxFiles } from '../../src/store/mailbox-file.ts';
import { decodeEntries, findEntry, Unsealable, unseal } from '../../src/store/sealed-file.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { BadMessage, decodeReply, messageSize } from '../../src/system/keychain/dbus-reply.ts';
import { testContext } from '../support/context.ts';
import { nextOf } from '../support/next.ts';

/** A reader of something that comes from outside. */
export interface Target {
  readonly name: string;
  /** runs with each change of `npm test`; the slow readers get fewer */
  readonly share: number;
  /** reads it; what it answers is text that an operator may see. Throws only errors of mailauth's own */
  readonly read: (bytes: Buffer) => Promise<readonly string[]> | readonly string[];
}

const key = { mailbox: 'helpdesk@contoso.com', for: 'this-computer' };
const cloud = namedCloud('public');
const signal = new AbortController().signal;
const host: MailHost = { host: 'mail.example', port: 993, security: 'tls' };

const answer = (bytes: Buffer): HttpResponse => {
  const text = bytes.toString('utf8');
  const [head = '', ...rest] = text.split('\n\n');
  const status = Number(/^\d{3}/.exec(head)?.[0] ?? 200);
  return { status: status >= 100 && status < 600 ? status : 200, headers: { 'retry-after': head.slice(4, 40) }, text: rest.join('\n\n') };
};

const network = (respond: (url: string) => HttpResponse): Network =>
  ({ request: async ({ url }: { url: string }) => respond(url), proxyFor: () => undefined }) as unknown as Network;

const filesOf = (text: string): Files =>
  ({
    read: async () => text,
    readGuarded: async () => ({ text, mode: 0o600, own: true }),
    list: async () => ['x.json'],
  }) as unknown as Files;

/** A server that sends these bytes in two pieces and hangs up, whatever it is told. */
function mailServer(bytes: Buffer): Network {
  const half = bytes.length >> 1;
  const left = [bytes.subarray(0, half), bytes.subarray(half)].filter((piece) => piece.length > 0);
  const duplex = new Duplex({
    read() {
      this.push(left.shift() ?? null);
    },
    write: (_chunk, _encoding, done) => done(),
  });
  const tls = { getProtocol: () => 'TLSv1.3', getPeerCertificate: () => ({}), remoteAddress: '127.0.0.1' };
  const socket = Object.assign(duplex, tls) as unknown as TLSSocket & Socket;
  return { connect: async () => socket, secure: async () => socket, proxyFor: () => undefined } as unknown as Network;
}

async function stages(of: Record<'connect' | 'tls' | 'greeting' | 'capability', StageWork>): Promise<readonly string[]> {
  return [await of.connect(signal), await of.tls(signal), await of.greeting(signal), await of.capability(signal)];
}

const textOf = (error: MailauthError): readonly string[] => [error.title, error.why ?? '', error.detail.reply ?? '', ...nextOf(error)];

export const targets: readonly Target[] = [
  {
    name: 'argv',
    share: 10,
    read: async (bytes) => {
      // One word a line, as a shell hands them over.
      const { words, rest } = findCommand(bytes.toString('utf8').split('\n'));
      const entry = commands.find(({ name }) => name === words.join(' '));
      if (entry === undefined) return textOf(unknownCommand(words));
      const ctx = testContext();
      const read = await parse(entry, await modules[entry.name](), rest, ctx).catch(own);
      if (read instanceof MailauthError) return textOf(read);
      if (typeof read === 'string') return [];
      const globals = await globalsOf(read, entry, ctx).catch(own);
      return globals instanceof MailauthError ? textOf(globals) : [];
    },
  },
  {
    name: 'pasted-address',
    share: 40,
    read: (bytes) => {
      const read = readPasted(bytes.toString('utf8'), { redirectUri: 'http://localhost:4711/', state: 'x'.repeat(43) });
      return read.kind === 'retry' ? [read.why] : [];
    },
  },
  {
    name: 'callback',
    share: 40,
    read: (bytes) => {
      const params = new URLSearchParams(bytes.toString('utf8'));
      hasState(params, 'x'.repeat(43));
      readAuthorizationAnswer(params);
      return [];
    },
  },
  {
    name: 'token-answer',
    share: 40,
    read: (bytes) => {
      const { body, error } = readTokenAnswer(answer(bytes), 0);
      const grant = readGrant(body, ['offline_access'], 0);
      // What is stored must be a date.
      if (grant !== undefined) new Date(grant.receivedAt + grant.expiresInSeconds * 1000).toISOString();
      return error === undefined ? [] : textOf(entraProblem(error, { cloud, tenant: 't', clientId: 'c', scopes: [] }));
    },
  },
  {
    name: 'jwt',
    share: 40,
    read: (bytes) => {
      const text = bytes.toString('latin1');
      const id = readIdToken(text);
      const access = readAccessToken(text);
      return [...Object.values(id ?? {}), ...Object.values(access)].filter((value) => typeof value === 'string');
    },
  },
  {
    name: 'discovery',
    share: 40,
    read: async (bytes) => {
      const asked: string[] = [];
      const respond = (url: string) => {
        asked.push(url);
        return answer(bytes);
      };
      const tenant = await discoverTenant({ network: network(respond), cloud, domainOrId: 'contoso.com', timeoutMs: 1000, signal }).catch(
        own,
      );
      if (asked.some((url) => !url.startsWith(`${cloud.login}/`))) throw new Error(`a request left for ${asked}`);
      if (tenant instanceof MailauthError) return textOf(tenant);
      for (const url of [tenant.endpoints.authorization, tenant.endpoints.token]) {
        if (new URL(url).origin !== new URL(cloud.login).origin) throw new Error(`a foreign endpoint: ${url}`);
      }
      return [tenant.id];
    },
  },
  {
    name: 'graph-answer',
    share: 40,
    read: (bytes) => {
      const judged = judge(answer(bytes), 'graph.microsoft.com', mailauth('setup'));
      return judged.kind === 'refused' ? [judged.message] : [];
    },
  },
  {
    name: 'mailbox-file',
    share: 40,
    read: async (bytes) => {
      await mailboxFiles({ files: filesOf(bytes.toString('utf8')), home: '/nowhere' }).readMailbox(key);
      return [];
    },
  },
  {
    name: 'cloud-file',
    share: 40,
    read: (bytes) => {
      const read = readCloudFile(bytes.toString('utf8'), 'lab.json');
      for (const url of [read.login, read.graph]) if (new URL(url).protocol !== 'https:') throw new Error(`not https: ${url}`);
      return [];
    },
  },
  {
    name: 'setup-journal',
    share: 40,
    read: async (bytes) => {
      await journals({ files: filesOf(bytes.toString('utf8')) }, '/nowhere').read(key);
      return [];
    },
  },
  {
    name: 'sealed-file',
    share: 40,
    read: (bytes) => {
      for (const open of [() => unseal(bytes, Buffer.alloc(32, 7)), () => decodeEntries(bytes), () => findEntry(bytes, 'token/x')]) {
        try {
          open();
        } catch (error) {
          if (!(error instanceof Unsealable)) throw error;
        }
      }
      return [];
    },
  },
  {
    name: 'd-bus-message',
    share: 40,
    read: (bytes) => {
      const whole = Buffer.concat([bytes, Buffer.alloc(Math.max(0, 16 - bytes.length))]);
      try {
        if (messageSize(whole) <= whole.length) decodeReply(whole);
      } catch (error) {
        if (!(error instanceof BadMessage)) throw error;
      }
      return [];
    },
  },
  { name: 'imap-server', share: 15, read: (bytes) => stages(imapPreflight(mailServer(bytes), systemClock, host)) },
  { name: 'smtp-server', share: 15, read: (bytes) => stages(smtpPreflight(mailServer(bytes), systemClock, host)) },
  { name: 'pop-server', share: 15, read: (bytes) => stages(popSession(mailServer(bytes), systemClock, host)) },
  {
    name: 'explain',
    share: 5,
    read: async (bytes) => {
      const { input, entries, unknown } = await explain([bytes.toString('utf8')], { cloud });
      return [input, ...entries.flatMap(({ error }) => textOf(error)), ...unknown.flatMap(({ title, why = '' }) => [title, why])];
    },
  },
];

const own = (error: unknown): MailauthError => {
  if (error instanceof MailauthError) return error;
  throw error;
};

/** Everything that an operator may see of one input. Rejects where a reader throws what is no error of mailauth's own. */
export async function seen(target: Target, bytes: Buffer): Promise<readonly string[]> {
  try {
    return await target.read(bytes);
  } catch (error) {
    return textOf(own(error));
  }
}
