import * as z from 'zod/mini';
import { defined } from '../../core/defined.ts';
import { Exit, MailauthError } from '../../core/errors.ts';
import { isLoopback, type MailboxRecord, type TokenSet } from '../../core/mailbox.ts';
import { mailauth } from '../../core/next.ts';
import type { SecretStore } from '../../core/stores.ts';
import { bareAddress } from '../../core/text.ts';
import { rfc3339 } from '../../core/time.ts';
import { problem } from '../../errors/problem.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { mailboxArgument, mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { canPaste, checkQr, deviceOptions, signInRun } from '../../session/sign-in-run.ts';
import { ofThisProduct, tokenOf } from '../../session/token-for.ts';
import { checkAddress } from '../../setup/answers/answers.ts';
import { withFlagsOf } from '../../setup/journal/setup-deps.ts';
import { untilConsented } from '../../setup/sign-in/consent-wait.ts';
import { keepTokens } from '../../setup/sign-in/kept-tokens.ts';
import { signInAndKeep } from '../../setup/sign-in/sign-in-step.ts';
import { guardWrites } from '../../store/home.ts';
import type { MailboxFiles } from '../../store/mailbox-file.ts';
import { storedToken, tokenLock } from '../../tokens/current.ts';
import { appOf } from '../../tokens/refresh.ts';
import { isRefusal } from '../../tokens/refresh-refusal.ts';
import { proveLogin, unproven } from './login-app.ts';

const schema = z.object({
  force: z.optional(z.boolean()),
  signIn: z.optional(z.string()),
  signInAs: z.optional(z.string()),
  qr: z.optional(z.boolean()),
  test: z.optional(z.boolean()),
});

interface Options {
  readonly force: boolean;
  readonly method: 'browser' | 'paste' | 'device';
  readonly qr: boolean;
  readonly test: boolean;
  readonly signInAs?: string;
}

function readOptions(flags: unknown): Options {
  const { force, signIn = 'browser', signInAs, qr = false, test = true } = schema.parse(flags);
  if (signIn !== 'browser' && signIn !== 'paste' && signIn !== 'device') {
    throw problem('value-invalid', {
      what: 'way to sign in',
      value: signIn,
      why: `--sign-in takes browser, paste or device.${signIn === 'password' ? ' A password is used once, by setup, and never kept.' : ''}`,
      next: mailauth('login', { help: true }),
    });
  }
  checkQr(qr, signIn);
  const verdict = signInAs === undefined ? true : checkAddress(signInAs);
  if (verdict !== true)
    throw problem('value-invalid', { what: 'mail address', value: signInAs ?? '', why: verdict, next: mailauth('login', { help: true }) });
  return {
    force: force === true,
    method: signIn,
    qr,
    test,
    ...(signInAs === undefined ? {} : { signInAs: bareAddress(signInAs).toLowerCase() }),
  };
}

export const login: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth login helpdesk@contoso.com',
      'mailauth login --force                     sign in again, and choose the account',
      'mailauth login --sign-in paste             the browser is on another computer',
      'mailauth login --sign-in device --qr       a code that is typed on a phone',
    ])
      .option('--force', 'sign in even when the mailbox is signed in')
      .option('--sign-in <way>', 'browser (here), paste (a browser elsewhere) or device (a code that is typed anywhere)')
      .option('--qr', 'with --sign-in device: its address also as a QR code')
      .option('--sign-in-as <address>', 'the licensed user who signs in for a shared mailbox')
      .option('--no-test', 'do not try the new tokens at the mail server')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const options = readOptions(flags);
    const record = await mailboxArgument(session, mailauth('login'), args[0], flags);
    const asWanted = options.signInAs === undefined || options.signInAs === (record.signInAs ?? record.mailbox);
    try {
      if (record.access === 'app-only') {
        const { loginAsApp } = await import('./login-app.ts');
        return await loginAsApp(record, flags, session);
      }
      const store = await session.store(record);
      await refuseElsewhere(record, store, session);
      if (!options.force && asWanted) {
        const current = await stillSignedIn(record, store, session);
        if (current !== undefined) return signedInAlready(record, current.account.username);
      }
      await store.probe();
      return await signInNow(record, options, session);
    } catch (error) {
      throw withFlagsOf(session.ctx.surroundings.running, ofThisProduct(error, record));
    }
  },
};

/**
 * The tokens of this sign-in would take the place of those of another cloud, unasked. Throws `authority-changed`.
 */
async function refuseElsewhere(record: MailboxRecord, store: SecretStore, session: Session): Promise<void> {
  const stored = await readable(store, record);
  if (stored !== undefined) await session.refuseForeign(record, stored).catch(unlessReplaced);
}

/** This command replaces a sign-in that belongs nowhere, or that is of another person than the mailbox file says. */
const isReplaced = (error: unknown): boolean =>
  error instanceof MailauthError && (error.code === 'authority-unknown' || error.code === 'account-changed');

const unlessReplaced = (error: unknown): void => {
  if (!isReplaced(error)) throw error;
};

/**
 * The stored tokens, or undefined when a person must sign in. A refresh proves them: a sign-in that Microsoft has ended looks like any other
 * in the store, and the errors about it name this command. Where Microsoft does not answer, a stored token is taken while it is valid.
 */
async function stillSignedIn(record: MailboxRecord, store: SecretStore, session: Session): Promise<TokenSet | undefined> {
  const stored = await readable(store, record);
  if (stored?.refreshToken === undefined) return stored !== undefined && stored.expiresAt > session.ctx.clock.now() ? stored : undefined;
  session.report.busy('sign-in', 'Looking whether the mailbox is still signed in');
  try {
    return await tokenOf(session, record, { minValidityMs: 0, force: true });
  } catch (error) {
    if (isRefusal(error) || isReplaced(error)) return undefined;
    const isTaken = error instanceof MailauthError && error.exit === Exit.temporary && stored.expiresAt > session.ctx.clock.now();
    if (!isTaken) throw error;
    session.report.note(`Not checked with Microsoft: ${error.title}`);
    return stored;
  }
}

/** What the store has. A damaged entry is treated like a missing one, because signing in replaces it. */
async function readable(store: SecretStore, record: MailboxRecord): Promise<TokenSet | undefined> {
  try {
    return await storedToken(store, record);
  } catch (error) {
    if (error instanceof MailauthError && error.code === 'store-damaged') return undefined;
    throw error;
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
  if (options.method === 'paste' && !canPaste(session)) throw problem('paste-not-asked', {});
  if (options.method === 'device' && record.registration.clientType === 'confidential')
    throw problem('device-confidential', { again: mailauth('login', record.mailbox) });
  // Microsoft says so only after the person has typed the code and signed in.
  if (options.method === 'device' && record.registration.publicClientFlows === false) throw withoutPublicFlows(record);
  const [box, inForce, store] = await Promise.all([session.sandbox(), session.inForce(record), session.store(record)]);
  const { cloud } = inForce;
  const delegate = options.signInAs ?? record.signInAs;
  const run = signInRun(session, box, delegate ?? record.mailbox);
  const app = await appOf(record, { ...run, ...inForce, store });
  const { signInAs: _, refused: __, ...own } = record;
  const wanted: MailboxRecord = {
    ...own,
    cloud,
    endpoints: app.endpoints,
    ...(delegate === undefined || delegate === record.mailbox ? {} : { signInAs: delegate }),
  };
  const deps = { ...run, device: deviceOptions(session, box, options.qr) };
  const mailboxes = keepingChanges(mailboxesOf(session));
  const again = mailauth('login', record.mailbox);
  const attempt = () =>
    signInAndKeep(wanted, {
      deps,
      cloud,
      method: options.method,
      selectAccount: options.force,
      again,
      keep: (tokens, named) =>
        storeAlone(record, session, (current) =>
          keepTokens(named, tokens, { report: session.report, mailboxes, store: current, pendingSecret: 'leave' }),
        ),
      ...defined({ clientSecret: app.clientSecret }),
    });
  const { record: signedIn, set } = await untilConsented(attempt, { deps, record: wanted, cloud, again });
  const account = set.account.username;
  const proof = options.test ? await proveLogin({ ...signedIn, account: set.account }, cloud, set, session) : unproven;
  const kept = (await mailboxesOf(session).readMailbox(record)) ?? record;
  return {
    data: {
      mailbox: record.mailbox,
      account,
      alreadySignedIn: false,
      store: kept.store,
      expiresAt: rfc3339(set.expiresAt),
      scopes: set.scopes,
      ...proof.data,
    },
    ...defined({ error: proof.error }),
    text: `${record.mailbox} is signed in as ${account}${proof.words}.\n`,
  };
}

const withoutPublicFlows = ({ cloud, tenantId, registration, scopes, mailbox, for: madeFor }: MailboxRecord): MailauthError =>
  problem('device-needs-public-client', {
    ...{ cloud, tenant: tenantId, clientId: registration.clientId, scopes, mailbox, madeFor },
    ...{ said: '', error: '' },
  });

/**
 * A sign-in takes minutes and holds no lock. Storing its tokens takes the lock of the refresh. Where another process does not release that
 * lock in time, they are stored all the same: a person has signed in for them, and a refresh does not overwrite what it finds changed.
 * `store move` may have named another store meanwhile.
 */
async function storeAlone(record: MailboxRecord, session: Session, act: (store: SecretStore) => Promise<void>): Promise<void> {
  const { ctx, home, stepTimeoutMs } = session;
  const release = await guardWrites(home, () => ctx.files.lock(tokenLock(home, record), stepTimeoutMs));
  try {
    await act(await session.store((await mailboxesOf(session).readMailbox(record)) ?? record));
  } finally {
    await release?.();
  }
}

/** While a person was signing in, a rotation, a test or a move may have written to the mailbox file: what they wrote is newer. */
function keepingChanges(files: MailboxFiles): MailboxFiles {
  return {
    ...files,
    async writeMailbox(record) {
      const { registration, lastTests, store } = (await files.readMailbox(record)) ?? record;
      await files.writeMailbox({ ...record, registration, lastTests, store });
    },
  };
}
