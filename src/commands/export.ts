import { pathToFileURL } from 'node:url';
import * as z from 'zod/mini';
import { askAgent, defaultSocket } from '../agent/agent-client.ts';
import { type MailHost, mailOf, type Protocol } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import { isHandedOver, type MailboxRecord } from '../core/mailbox.ts';
import { again, type Command, mailauth, noted } from '../core/next.ts';
import { shellWord } from '../core/shell/quoting.ts';
import { nearest, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { ExportClient, ExportValues } from '../export/client.ts';
import { exportClients, exportText, tooLongLine } from '../export/clients.ts';
import { passwdFileHash } from '../export/dovecot.ts';
import {
  asFlags,
  carriedOwn,
  carriedPaths,
  carriedProxies,
  carriedValues,
  secretVariables,
  type Variable,
  variableFlags,
} from '../session/carried.ts';
import { type CommandModule, examples } from '../session/command.ts';
import { mailboxArgument, mailboxesOf, withoutToken } from '../session/mailbox-argument.ts';
import { libraryFile, noteCached, noteMissingInPath } from '../session/own-program.ts';
import type { Session } from '../session/session.ts';
import { passwordFromFile } from '../setup/sign-in/password-step.ts';
import { ensureHomeId, resolveHome } from '../store/home.ts';
import { saslUser } from '../tokens/formats.ts';

/** Programs that people ask for and that have no use for a token command: each gets the reason instead of "unknown". */
const cannot: Readonly<Record<string, { readonly why: string; readonly next: Command }>> = {
  fetchmail: {
    why: 'fetchmail 6.4.37, the version of Debian, has no XOAUTH2. getmail and mpop fetch in its place.',
    next: mailauth('export', 'getmail'),
  },
  thunderbird: { why: 'Thunderbird signs in by itself, with a browser.', next: mailauth('export', 'mutt') },
  outlook: { why: 'Outlook signs in by itself.', next: mailauth('export', 'mutt') },
};

const schema = z.object({ agent: z.optional(z.boolean()), passwordFile: z.optional(z.string()) });

export const exportConfig: CommandModule = {
  configure: (command) =>
    examples(
      command
        .argument('<client>', exportClients.map((client) => client.name).join(', '))
        .argument('[mailbox]', 'address of a mailbox that is set up'),
      [
        'mailauth export msmtp > msmtprc             a file to begin with, or to add to your own',
        'mailauth export powershell > mail.ps1',
        'mailauth export mutt helpdesk@contoso.com',
        'mailauth export curl > mail.sh              the token goes through a file descriptor',
        'mailauth export postfix | sudo sh           a queue before mailauth send',
        'mailauth export dovecot --password-file -   an IMAP server with a password of your own',
      ],
    )
      .option('--for <product>', 'which set-up, when the mailbox has several')
      .option('--password-file <file>', 'dovecot: a file with the local password, of which a hash is written; - is standard input')
      .option('--agent', 'ask mailauth agent, with curl, instead of starting mailauth each time'),

  async run({ args: [name = '', mailbox], flags }, session) {
    const client = clientNamed(name, mailbox);
    const record = await mailboxArgument(session, mailauth('export', client.name), mailbox, flags, { needs: 'token' });
    if (isHandedOver(record)) throw withoutToken([record]);
    const { agent: byAgent = false, passwordFile } = schema.parse(flags);
    if (passwordFile !== undefined && client.localPassword !== true) throw noLocalPassword(client);
    if (byAgent && client.withoutAgent !== undefined)
      throw problem('export-without-agent', { client: client.title, name: client.name, why: client.withoutAgent });
    const variables = carried(record, session);
    const values = {
      mailbox: record.mailbox,
      users: { read: saslUser(record), send: saslUser(record, 'smtp') },
      hosts: await hostsFor(client, record, session),
      ...(await callsFor(record, session, variables, byAgent)),
      ...defined({ passwordHash: await hashOf(passwordFile, client, session) }),
    };
    const text = exportText(client, values, [...setForUser(variables, session), ...secretsLeftOut(session)]);
    const long = tooLongLine(client, text);
    if (long !== undefined)
      throw problem('export-line-too-long', { client: client.title, name: client.name, most: client.longestLine ?? 0 });
    if (!noteCached(session)) await noteMissingInPath(session);
    return { data: { client: client.name, mailbox: record.mailbox, text }, text };
  },
};

function clientNamed(value: string, mailbox: string | undefined): ExportClient {
  const name = value.toLowerCase();
  const client = exportClients.find((known) => known.name === name);
  if (client !== undefined) return client;
  const reason = Object.hasOwn(cannot, name) ? cannot[name] : undefined;
  if (reason !== undefined) throw problem('export-cannot', { client: name, ...reason });
  const meant = nearest(
    name,
    exportClients.map((known) => known.name),
  );
  const next = meant === undefined ? undefined : again({}, [meant, ...(mailbox === undefined ? [] : [mailbox])]);
  throw problem('export-client-unknown', {
    ...(next === undefined ? {} : { next }),
    client: plain(value, 40),
    known: exportClients.map((known) => known.name),
    mailbox,
  });
}

/** Throws `export-protocol-missing` where the set-up has nothing that this program can use. */
async function hostsFor(client: ExportClient, record: MailboxRecord, session: Session): Promise<ExportValues['hosts']> {
  const cloud = await session.cloud(record);
  const hosts: Partial<Record<Protocol, MailHost>> = {};
  for (const protocol of mailOf(record.protocols)) if (client.speaks.includes(protocol)) hosts[protocol] = cloud[protocol];
  const canSend = client.sends === true && record.protocols.includes('graph-send');
  if (Object.keys(hosts).length > 0 || canSend) return hosts;
  const speaks = client.speaks.map((protocol) => protocol.toUpperCase()).join(' and ');
  throw problem('export-protocol-missing', { client: client.title, speaks, mailbox: record.mailbox, for: record.for });
}

const noLocalPassword = ({ title, name }: ExportClient) =>
  problem('usage', { message: `--password-file is for dovecot: ${title} gets no local password`, help: mailauth('export', name) });

async function hashOf(file: string | undefined, { name }: ExportClient, { ctx }: Session): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const next = noted(mailauth('export', name, { passwordFile: '-' }), 'with the local password on standard input');
  return passwdFileHash((await passwordFromFile(ctx, file, next)).reveal(), ctx.random.bytes(12));
}

/**
 * How other programs call mailauth, also from cron and from a unit: whole paths, because those have another PATH, and the variables of this
 * shell that mailauth needs. Windows has no `env`, so there the variables are flags. The program is named itself, because `mailauth.cmd` of npm
 * is found by a shell only.
 */
async function callsFor(
  record: MailboxRecord,
  session: Session,
  variables: readonly Variable[],
  byAgent: boolean,
): Promise<Omit<ExportValues, 'mailbox' | 'users' | 'hosts' | 'passwordHash'>> {
  const { ctx, globals } = session;
  const { records } = await mailboxesOf(session).listMailboxes();
  const isOneOfSeveral = records.filter((other) => other.mailbox === record.mailbox).length > 1;
  const [, authorities] = variables.find(([name]) => name === authoritiesVariable) ?? [];
  const onWindows = ctx.platform === 'win32';
  const program = onWindows ? ctx.machine.program : ['env', ...variables.map((one) => one.join('=')), ...ctx.machine.program];
  const named = [...(isOneOfSeveral ? ['--for', record.for] : []), ...(globals.sandbox ? ['--sandbox'] : [])];
  const meant = [...named, ...(onWindows ? asFlags(variables, named) : [])];
  return {
    command: byAgent ? await askingAgent(record, session, isOneOfSeveral) : [...program, 'token', 'get', record.mailbox, ...meant],
    sending: [...program, 'send', '--mailbox', record.mailbox, ...meant],
    library: {
      url: pathToFileURL(libraryFile).href,
      variables: variables.filter(([name]) => !readAtStart.includes(name)),
      sandbox: globals.sandbox,
      ...(isOneOfSeveral ? { product: record.for } : {}),
    },
    shell: ctx.surroundings.shell,
    onWindows,
    home: resolveHome(ctx),
    ...defined({ authorities }),
    atStart: variables.filter(([name]) => readAtStart.includes(name)),
  };
}

/** Variables that no flag stands for: on Windows the user who runs the program must have them, and `setx` sets them. */
const setForUser = (variables: readonly Variable[], { ctx }: Session): readonly string[] =>
  ctx.platform !== 'win32'
    ? []
    : variables
        .filter(([name]) => !variableFlags.has(name) && !answeredByCommand.includes(name))
        .map(([name, value]) => `mailauth needs ${name} there: setx ${name} ${shellWord(value, ctx.surroundings.shell)}`);

/** The command names the mailbox, and what it is about is recorded with it. */
const answeredByCommand = ['MAILAUTH_MAILBOX', 'MAILAUTH_TENANT', 'MAILAUTH_CLIENT_ID', 'MAILAUTH_DEBUG', 'MAILAUTH_PLAIN'];

const authoritiesVariable = 'NODE_EXTRA_CA_CERTS';
const readAtStart: readonly string[] = [authoritiesVariable, 'NODE_USE_SYSTEM_CA'];

async function askingAgent(key: MailboxRecord, { ctx, globals, home }: Session, isOneOfSeveral: boolean): Promise<readonly string[]> {
  if (ctx.platform === 'win32') throw problem('agent-windows', {});
  const homeId = await ensureHomeId(ctx.files, ctx.random, home);
  return askAgent({ socket: defaultSocket(ctx, home, globals.sandbox), homeId, key, isOneOfSeveral });
}

function carried(record: MailboxRecord, { ctx, report }: Session): readonly Variable[] {
  const isBus = record.store === 'keychain' && ctx.platform === 'linux';
  return [
    ['MAILAUTH_HOME', resolveHome(ctx)] as const,
    ...carriedOwn(ctx),
    ...carriedPaths(ctx, [authoritiesVariable]),
    ...(isBus ? carriedValues(ctx, ['DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR']) : []),
    ...carriedProxies({ ctx, report }),
  ];
}

/** A configuration is a file that others may read, so a secret of this shell is named there and not written. */
const secretsLeftOut = ({ ctx: { env } }: Session): readonly string[] =>
  Object.entries(secretVariables).flatMap(([name, instead]) =>
    env[name] ? [`${name} is set and is a secret, so it is not written here: ${instead}.`] : [],
  );
