import * as z from 'zod/mini';
import { MailauthError } from '../core/errors.ts';
import { Exit } from '../core/exit.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { problem } from '../diagnose/problem.ts';
import type { SecretStore } from '../store/store.ts';
import { storedToken } from '../tokens/current.ts';
import { rfc3339 } from '../tokens/formats.ts';
import { appOf } from '../tokens/refresh.ts';
import { checkAddress, isLoopback } from '../wizard/answers.ts';
import { signInAndStore } from '../wizard/sign-in-step.ts';
import { withApproval } from './approval.ts';
import { type CommandModule, examples } from './command.ts';
import { canAsk, mailboxArgument, mailboxesOf } from './mailbox-argument.ts';
import type { Session } from './session.ts';
import { tokenOf } from './token.ts';

const schema = z.object({ force: z.optional(z.boolean()), signIn: z.optional(z.string()), signInAs: z.optional(z.string()) });

interface Options {
  readonly force: boolean;
  readonly method: 'browser' | 'paste';
  readonly signInAs?: string;
}

function readOptions(flags: unknown): Options {
  const { force, signIn = 'browser', signInAs } = schema.parse(flags);
  if (signIn === 'device' || signIn === 'password')
    throw problem('not-yet', { what: `--sign-in ${signIn}`, instead: 'mailauth login --sign-in paste' });
  if (signIn !== 'browser' && signIn !== 'paste') {
    throw problem('value-invalid', {
      what: 'way to sign in',
      value: signIn,
      why: '--sign-in takes browser or paste.',
      next: 'mailauth login --help',
    });
  }
  const verdict = signInAs === undefined ? true : checkAddress(signInAs);
  if (verdict !== true)
    throw problem('value-invalid', { what: 'mail address', value: signInAs ?? '', why: verdict, next: 'mailauth login --help' });
  return { force: force === true, method: signIn, ...(signInAs === undefined ? {} : { signInAs: signInAs.toLowerCase() }) };
}

export const login: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth login helpdesk@contoso.com',
      'mailauth login --force                     sign in again, and choose the account',
      'mailauth login --sign-in paste             the browser is on another computer',
    ])
      .option('--force', 'sign in even when somebody is signed in')
      .option('--sign-in <way>', 'browser (here) or paste (a browser elsewhere)')
      .option('--sign-in-as <address>', 'the licensed user who signs in for a shared mailbox')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const options = readOptions(flags);
    const record = await mailboxArgument(session, 'mailauth login', args[0], flags);
    const asWanted = options.signInAs === undefined || options.signInAs === (record.signInAs ?? record.mailbox);
    const store = await session.store(record);
    if (!options.force && asWanted) {
      const current = await stillSignedIn(record, store, session);
      if (current !== undefined) return signedInAlready(record, current.account.username);
    }
    await store.probe();
    return signInNow(record, options, session);
  },
};

/**
 * The tokens of whoever is signed in; undefined when somebody must sign in. Proved by a refresh: a sign-in that Microsoft has
 * ended looks like any other in the store, and the errors about it name this command. Without an answer the stored one counts.
 */
async function stillSignedIn(record: MailboxRecord, store: SecretStore, session: Session): Promise<TokenSet | undefined> {
  const stored = await storedToken(store, record);
  if (stored?.refreshToken === undefined) return stored !== undefined && stored.expiresAt > session.ctx.clock.now() ? stored : undefined;
  try {
    return await tokenOf(session, record, { minValidityMs: 0, force: true });
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
    if (error.exit === Exit.needsSignIn || error.exit === Exit.notAllowed) return undefined;
    if (error.exit !== Exit.temporary) throw error;
    session.report.note(`Not checked with Microsoft: ${error.title}`);
    return stored;
  }
}

function signedInAlready(record: MailboxRecord, account: string) {
  return {
    data: { mailbox: record.mailbox, account, alreadySignedIn: true, store: record.store },
    text: `${record.mailbox} is signed in already (as ${account}); --force signs in again.\n`,
  };
}

async function signInNow(record: MailboxRecord, options: Options, session: Session) {
  if (options.method === 'browser' && !isLoopback(record.registration.redirectUri)) {
    throw problem('redirect-not-here', { uri: record.registration.redirectUri, mailbox: record.mailbox, for: record.for });
  }
  const [box, network, cloud, store] = await Promise.all([
    session.sandbox(),
    session.network(),
    session.cloud(record),
    session.store(record),
  ]);
  const app = await appOf(record, { ctx: session.ctx, network, cloud, store, timeoutMs: session.stepTimeoutMs });
  const { signInAs: _, ...own } = record;
  const delegate = options.signInAs ?? record.signInAs;
  const wanted: MailboxRecord = {
    ...own,
    cloud,
    endpoints: app.endpoints,
    ...(delegate === undefined || delegate === record.mailbox ? {} : { signInAs: delegate }),
  };
  const done = await signInAndStore(wanted, {
    deps: {
      ctx: withApproval(session, box),
      report: session.report,
      mailboxes: mailboxesOf(session),
      canAsk: canAsk(session),
      stepTimeoutMs: session.stepTimeoutMs,
      browserTimeoutMs: session.browserTimeoutMs,
      network: () => session.network(),
    },
    store,
    cloud,
    method: options.method,
    selectAccount: options.force,
    again: `mailauth login ${record.mailbox}`,
    ...(app.clientSecret === undefined ? {} : { clientSecret: app.clientSecret }),
  });
  const account = done.set.account.username;
  return {
    data: {
      mailbox: record.mailbox,
      account,
      alreadySignedIn: false,
      store: record.store,
      expiresAt: rfc3339(done.set.expiresAt),
      scopes: done.set.scopes,
    },
    text: `${record.mailbox} is signed in as ${account}.\n`,
  };
}
