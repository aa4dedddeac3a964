import * as z from 'zod/mini';
import { askAgent, defaultSocket } from '../agent/agent-client.ts';
import { type MailHost, mailOf, type Protocol } from '../core/cloud.ts';
import { isHandedOver, type MailboxRecord } from '../core/mailbox.ts';
import { again, type Command, mailauth } from '../core/next.ts';
import { stores } from '../core/stores.ts';
import { nearest, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { ExportClient } from '../export/client.ts';
import { exportClients, exportText } from '../export/clients.ts';
import { carriedPaths, carriedProxies, carriedValues } from '../session/carried.ts';
import { type CommandModule, examples } from '../session/command.ts';
import { mailboxArgument, mailboxesOf, withoutToken } from '../session/mailbox-argument.ts';
import type { Session } from '../session/session.ts';
import { ensureHomeId, resolveHome } from '../store/home.ts';
import { saslUser } from '../tokens/formats.ts';

/** Programs that people ask for and that cannot use a token command: each gets the reason instead of "unknown". */
const cannot: Readonly<Record<string, { readonly why: string; readonly next: Command }>> = {
  fetchmail: { why: 'fetchmail has no XOAUTH2 and reads no token from a command.', next: mailauth('export', 'getmail') },
  postfix: {
    why: 'Postfix takes its password from a map, not from a command; the plugin sasl-xoauth2 refreshes tokens by itself, from a file of its own.',
    next: mailauth('export', 'msmtp'),
  },
  thunderbird: { why: 'Thunderbird signs in by itself, with a browser.', next: mailauth('export', 'mutt') },
  outlook: { why: 'Outlook signs in by itself.', next: mailauth('export', 'mutt') },
};

const schema = z.object({ agent: z.optional(z.boolean()) });

export const exportConfig: CommandModule = {
  configure: (command) =>
    examples(
      command
        .argument('<client>', exportClients.map((client) => client.name).join(', '))
        .argument('[mailbox]', 'address of a mailbox that is set up'),
      [
        'mailauth export msmtp >> ~/.msmtprc',
        'mailauth export mutt helpdesk@contoso.com',
        'mailauth export curl > mail.sh              the token goes through a file descriptor',
      ],
    )
      .option('--for <product>', 'which set-up, when the mailbox has several')
      .option('--agent', 'ask mailauth agent, with curl, instead of starting mailauth each time'),

  async run({ args: [name = '', mailbox], flags }, session) {
    const client = clientNamed(name, mailbox);
    const record = await mailboxArgument(session, mailauth('export', client.name), mailbox, flags, { needs: 'token' });
    if (isHandedOver(record)) throw withoutToken([record]);
    const cloud = await session.cloud(record);
    const hosts: Partial<Record<Protocol, MailHost>> = {};
    for (const protocol of mailOf(record.protocols)) if (client.speaks.includes(protocol)) hosts[protocol] = cloud[protocol];
    if (Object.keys(hosts).length === 0) {
      const speaks = client.speaks.map((protocol) => protocol.toUpperCase()).join(' and ');
      throw problem('export-protocol-missing', { client: client.title, speaks, mailbox: record.mailbox, for: record.for });
    }
    const command = await tokenCommand(record, session, schema.parse(flags).agent === true);
    const text = exportText(client, {
      mailbox: record.mailbox,
      users: { read: saslUser(record), send: saslUser(record, 'smtp') },
      hosts,
      command,
    });
    if (!(await isInPath(session))) session.report.note('mailauth is not in your PATH yet: npm install --global entra-mailauth');
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

/**
 * The command as it also works from cron and from a unit: whole paths, because those have another PATH, and the variables of this shell that a
 * refresh needs. Windows has no `env`, so there the command is the plain word.
 */
async function tokenCommand(record: MailboxRecord, session: Session, byAgent: boolean): Promise<readonly string[]> {
  const { ctx, globals, home } = session;
  const { records } = await mailboxesOf(session).listMailboxes();
  const isOneOfSeveral = records.filter((other) => other.mailbox === record.mailbox).length > 1;
  if (byAgent) {
    if (ctx.platform === 'win32') throw problem('agent-windows', {});
    const homeId = await ensureHomeId(ctx.files, ctx.random, home);
    return askAgent({ socket: defaultSocket(ctx, home, globals.sandbox), homeId, key: record, isOneOfSeveral });
  }
  return [
    ...(ctx.platform === 'win32' ? ['mailauth'] : ['env', ...carried(record, session), ...ctx.machine.program]),
    'token',
    'get',
    record.mailbox,
    ...(isOneOfSeveral ? ['--for', record.for] : []),
    ...(globals.sandbox ? ['--sandbox'] : []),
  ];
}

/** `NAME=VALUE` for each variable. */
function carried(record: MailboxRecord, { ctx, report }: Session): readonly string[] {
  const isBus = record.store === 'keychain' && ctx.platform === 'linux';
  return [
    ['MAILAUTH_HOME', resolveHome(ctx)] as const,
    ...carriedPaths(ctx, [...stores[record.store].keyFiles, 'NODE_EXTRA_CA_CERTS']),
    ...(isBus ? carriedValues(ctx, ['DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR']) : []),
    ...carriedProxies({ ctx, report }),
  ].map(([name, value]) => `${name}=${value}`);
}

async function isInPath({ ctx }: Session): Promise<boolean> {
  const separator = ctx.platform === 'win32' ? ';' : ':';
  const names = ctx.platform === 'win32' ? ['mailauth.cmd', 'mailauth.ps1'] : ['mailauth'];
  for (const folder of (ctx.env.PATH ?? '').split(separator)) {
    if (folder === '') continue;
    const found: readonly string[] = await ctx.files.list(folder).catch(() => []);
    if (names.some((name) => found.includes(name))) return true;
  }
  return false;
}
