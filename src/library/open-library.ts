import { PassThrough } from 'node:stream';
import type { MailHost } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import { Exit, Interrupted } from '../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { mailauth } from '../core/next.ts';
import type { Reporter } from '../core/run-parts.ts';
import { allShown } from '../core/shown.ts';
import { problem } from '../errors/problem.ts';
import { readGlobals } from '../session/globals.ts';
import { mailboxArgument } from '../session/mailbox-argument.ts';
import { openSession, type Session } from '../session/session.ts';
import { tokenOf } from '../session/token-for.ts';
import { asProblem } from '../session/unexpected.ts';
import { resolveHome } from '../store/home.ts';
import { createSystem } from '../system/system.ts';
import { saslUser } from '../tokens/formats.ts';
import type { AccessToken, ImapFlowOptions, Mailauth, MailauthError, MailauthOptions, NodemailerOptions } from './mailauth.ts';

/** Makes the error that the caller knows: the class belongs to the program that was imported, which is not this one. */
type Fail = (parts: ConstructorParameters<typeof MailauthError>[0]) => Error;

/** How much is left of a token when nodemailer asks for the next one, in milliseconds. */
const marginMs = 300_000;

/** The part of the library that needs the whole program. `explain` is its own (explain-now.ts). */
export function openLibrary(options: MailauthOptions, fail: Fail): Omit<Mailauth, 'explain'> {
  const { call, close } = caller(options, fail);
  return {
    token: (mailbox, { minValiditySeconds = 300, ...flags } = {}) =>
      call(mailbox, async (on): Promise<AccessToken> => {
        const record = await meant(on, mailbox, flags);
        const set = await tokenOf(on, record, { minValidityMs: wholeSeconds(minValiditySeconds) * 1000, force: false });
        return { accessToken: set.accessToken.reveal(), username: saslUser(record), expiresAt: new Date(set.expiresAt) };
      }),

    nodemailer: (mailbox, flags = {}) =>
      call(mailbox, async (on): Promise<NodemailerOptions> => {
        const record = await meant(on, mailbox, flags);
        const { security, ...place } = await server(on, record, 'smtp');
        const first = await tokenOf(on, record, { minValidityMs: marginMs, force: false });
        const later = (force: boolean) => call(mailbox, (again) => tokenOf(again, record, { minValidityMs: marginMs, force }));
        return { ...place, secure: security === 'tls', requireTLS: security === 'starttls', auth: renewing(record, first, later) };
      }),

    imapflow: (mailbox, flags = {}) =>
      call(mailbox, async (on): Promise<ImapFlowOptions> => {
        const record = await meant(on, mailbox, flags);
        const { security, ...place } = await server(on, record, 'imap');
        const set = await tokenOf(on, record, { minValidityMs: marginMs, force: false });
        return {
          ...place,
          secure: security === 'tls',
          ...(security === 'starttls' ? { doSTARTTLS: true } : {}),
          auth: { user: saslUser(record, 'imap'), accessToken: set.accessToken.reveal() },
          logger: false,
        };
      }),

    close,
  };
}

interface Caller {
  /** a failure of `act` in the caller's own class, and nothing left open that would keep the caller's process alive */
  call<T>(mailbox: string | undefined, act: (on: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

function caller(options: MailauthOptions, fail: Fail): Caller {
  const stop = new AbortController();
  let calls = 0;
  let opened: Session | undefined;
  return {
    async call(mailbox, act) {
      calls += 1;
      try {
        stop.signal.throwIfAborted();
        opened ??= openQuietly(options, stop.signal);
        return await act(opened);
      } catch (thrown) {
        throw await failureOf(thrown, mailbox, opened, fail);
      } finally {
        calls -= 1;
        if (calls === 0) opened?.ctx.keychain.close();
      }
    },
    async close() {
      stop.abort(new Interrupted(Exit.failed));
      await opened?.close();
    },
  };
}

/** Programs without types may pass anything. Throws `value-invalid`, and what `token get` throws. */
async function meant(on: Session, mailbox: unknown, flags: { readonly for?: unknown }): Promise<MailboxRecord> {
  const address = textOf('mailbox', mailbox);
  return mailboxArgument(on, mailauth('token get'), address, defined({ for: textOf('product', flags.for) }), { needs: 'token' });
}

function textOf(what: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw problem('value-invalid', { what, value: typeof value, why: `The ${what} is a string.`, next: mailauth('status') });
}

/** Throws `export-protocol-missing`. */
async function server(on: Session, record: MailboxRecord, protocol: 'imap' | 'smtp'): Promise<MailHost & Ways> {
  if (!record.protocols.includes(protocol)) {
    const client = { imap: 'ImapFlow', smtp: 'nodemailer' }[protocol];
    throw problem('export-protocol-missing', { client, speaks: protocol.toUpperCase(), mailbox: record.mailbox, for: record.for });
  }
  const [cloud, box] = await Promise.all([on.cloud(record), on.sandbox()]);
  const place = cloud[protocol];
  const proxy = (await on.network()).proxyFor(place.host, place.port);
  const ca = box === undefined ? undefined : [(await on.ctx.files.read(box.caFile)) ?? ''];
  return { ...place, ...defined({ proxy, tls: ca && { ca } }) };
}

/** nodemailer asks for the next token when the first has ended, and with `renew` when the server has refused it. */
function renewing(record: MailboxRecord, first: TokenSet, later: (force: boolean) => Promise<TokenSet>): NodemailerOptions['auth'] {
  return {
    type: 'OAuth2',
    user: saslUser(record, 'smtp'),
    ...forNodemailer(first),
    provisionCallback(_user, renew, callback) {
      void later(renew).then(
        (set) => {
          const { accessToken, expires } = forNodemailer(set);
          callback(null, accessToken, expires);
        },
        (error: Error) => callback(error),
      );
    },
  };
}

interface Ways {
  readonly proxy?: string;
  readonly tls?: { readonly ca: string[] };
}

const forNodemailer = (set: TokenSet) => ({ accessToken: set.accessToken.reveal(), expires: set.expiresAt - marginMs / 2 });

/** Throws `value-invalid`. */
function wholeSeconds(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 10_000_000) return value;
  throw problem('value-invalid', {
    what: 'number of seconds',
    value: String(value),
    why: 'minValiditySeconds takes a whole number from 0 up.',
    next: mailauth('token get', { help: true }),
  });
}

async function failureOf(thrown: unknown, mailbox: string | undefined, on: Session | undefined, fail: Fail): Promise<Error> {
  if (thrown instanceof Interrupted) return fail({ code: 'closed', title: 'mailauth was closed', next: [], exit: thrown.exit });
  const ctx = on?.ctx ?? createSystem(process, false, new AbortController().signal);
  const { code, title, why, next, exit } = await asProblem(thrown, ctx);
  const here = { ...ctx.surroundings, running: mailauth('token get', mailbox) };
  return fail({ code, title, why, next: allShown(next, here), exit, cause: thrown });
}

/** A session of the caller's process that never asks, never prints, and does not touch its standard streams. */
function openQuietly({ home, sandbox = false }: MailauthOptions, signal: AbortSignal): Session {
  const nothing = new PassThrough();
  nothing.end();
  const env = { ...process.env, ...defined({ MAILAUTH_HOME: home }) };
  const own: NodeJS.Process = Object.create(process, {
    env: { value: env },
    stdin: { value: nothing },
    stdout: { value: new PassThrough() },
    stderr: { value: new PassThrough() },
  });
  const system = createSystem(own, false, signal);
  const ctx = { ...system, surroundings: { ...system.surroundings, sandbox } };
  const globals = readGlobals({ input: false, sandbox }, env);
  return openSession(ctx, globals, resolveHome(ctx), silent);
}

const ignore = (): void => undefined;

const silent: Reporter = {
  progress: ignore,
  busy: ignore,
  meanwhile: (_text, doing) => doing,
  waiting: ignore,
  takesKeys: false,
  isForPeople: false,
  authorizationRequired: ignore,
  note: ignore,
  detail: ignore,
  show: ignore,
  settle: ignore,
};
