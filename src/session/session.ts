import { resolve } from 'node:path';
import { type Cloud, defaultCloud, namedCloud } from '../core/cloud.ts';
import type { Context, Network } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { Exit, MailauthError } from '../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import type { Reporter } from '../core/run-parts.ts';
import { defaultStore, type SecretStore, type StoreName } from '../core/stores.ts';
import { rfc3339 } from '../core/time.ts';
import type { SchemaChange } from '../database/schema.ts';
import { problem } from '../errors/problem.ts';
import type { Sandbox } from '../sandbox/start-sandbox.ts';
import { mailboxFiles } from '../store/mailbox-file.ts';
import { refuseSteered } from '../store/steering.ts';
import type { InForce } from '../tokens/bound.ts';
import { isRefusal, noteRefusal } from '../tokens/refresh-refusal.ts';
import { chosenCloud, cloudFileOf } from './chosen-cloud.ts';
import { defaultBrowserTimeoutMs, defaultStepTimeoutMs, type Globals } from './globals.ts';
import { openStore } from './open-store.ts';
import { sharedWith } from './shared-with.ts';
import { shownNetwork, shownStore } from './shown-waits.ts';

/**
 * What one run of a command works with: the context, the global flags, and the parts that are only opened when needed
 * (`token get` from the store must not load a network, a sandbox or a theme).
 */
export interface Session {
  readonly ctx: Context;
  readonly globals: Globals;
  /** MAILAUTH_HOME, or the sandbox's own folder in it */
  readonly home: string;
  readonly report: Reporter;
  readonly stepTimeoutMs: number;
  readonly browserTimeoutMs: number;
  /** the sandbox, opened at the first call; undefined without `--sandbox` */
  sandbox(): Promise<Sandbox | undefined>;
  /** the network that trusts what this cloud needs */
  network(): Promise<Network>;
  /** the cloud of a mailbox: sandbox, flag, environment, its record, public; in this order */
  cloud(record?: Pick<MailboxRecord, 'cloud'>): Promise<Cloud>;
  /** the same cloud, and whether a flag or a variable chose it */
  inForce(record: Pick<MailboxRecord, 'cloud'>): Promise<InForce>;
  /** throws `authority-changed`, `authority-unknown` (4) where the stored sign-in does not belong to the cloud in force */
  refuseForeign(record: MailboxRecord, set: TokenSet): Promise<void>;
  /** trades a refresh token for a new set (RFC 6749 section 6) */
  refresh(record: MailboxRecord, old: TokenSet): Promise<TokenSet>;
  /** the same for Microsoft Graph: a refusal is not one of the mail servers' token, and is not noted in the mailbox file */
  refreshForGraph(record: MailboxRecord, old: TokenSet): Promise<TokenSet>;
  /**
   * the store of a set-up mailbox, or the one asked for, to read secrets that are used; not probed. Throws `home-exposed`,
   * `mailbox-file-altered` where somebody else may have said where they go.
   */
  store(record: MailboxRecord): Promise<SecretStore>;
  /** the same store, whoever can change the mailbox file: to show what is in it, or to remove it */
  storeToShow(record: Pick<MailboxRecord, 'store'>): Promise<SecretStore>;
  /** throws what `store` throws; without a mailbox, about the home as a whole */
  refuseSteered(record: MailboxRecord | undefined): Promise<void>;
  /** this very store, whatever was asked for: to move from one to another */
  storeNamed(name: StoreName): Promise<SecretStore>;
  /** for a set-up, probed: the store asked for, else the recorded one, else the keychain; only the sandbox may answer with its own file */
  probedStore(recorded?: StoreName): Promise<SecretStore>;
  /** makes the schema of the database, or brings it up to date. Throws `database-address-missing` and the database's problems */
  storeInit(): Promise<SchemaChange & { readonly where: string }>;
  close(): Promise<void>;
}

export function openSession(own: Context, globals: Globals, realHome: string, report: Reporter): Session {
  const home = globals.sandbox ? resolve(realHome, 'sandbox') : realHome;
  const shared = sharedWith(own, globals, home);
  const ctx = shared?.ctx ?? own;
  let sandbox: Promise<Sandbox> | undefined;
  const sandboxOf = async (): Promise<Sandbox | undefined> => {
    if (!globals.sandbox) return undefined;
    sandbox ??= report.meanwhile(
      'Starting the sandbox',
      import('../sandbox/start-sandbox.ts').then(({ openSandbox }) => openSandbox({ ctx, home, ...defined({ fault: globals.fault }) })),
    );
    return sandbox;
  };
  const opened = new Map<StoreName, Promise<SecretStore>>();
  // Opened once a command, so that a person types the passphrase once and its key is derived once.
  const secretStore = (name: StoreName): Promise<SecretStore> => {
    const store =
      opened.get(name) ??
      openStore(ctx, globals, home, name, { say: (text) => report.show(text), postgres: shared?.store }).then((one) =>
        shownStore(one, report),
      );
    opened.set(name, store);
    return store;
  };
  const session: Session = {
    ...{ ctx, globals, home, report },
    stepTimeoutMs: globals.timeoutMs ?? defaultStepTimeoutMs,
    browserTimeoutMs: globals.timeoutMs ?? defaultBrowserTimeoutMs,
    sandbox: sandboxOf,
    async network() {
      const box = await sandboxOf();
      return shownNetwork(box === undefined ? ctx.network : box.network, report);
    },
    async cloud(record) {
      const box = await sandboxOf();
      if (box !== undefined) return box.cloud;
      return (await chosenCloud(ctx, globals)) ?? (record === undefined ? namedCloud(defaultCloud) : outsideSandbox(record.cloud));
    },
    async inForce(record) {
      return { cloud: await session.cloud(record), isChosen: globals.cloud !== undefined || globals.cloudFile !== undefined };
    },
    refuseForeign: (record, set) => refuseForeignIn(session, record, set),
    refresh: (record, old) => refreshAndNote(session, record, old),
    refreshForGraph: (record, old) => refreshForGraph(session, record, old),
    async store(record) {
      await session.refuseSteered(record);
      return session.storeToShow(record);
    },
    storeToShow: (record) => secretStore(globals.store ?? record.store),
    refuseSteered: (record) => refuseSteered(ctx, { home, isSandbox: globals.sandbox, cloudFile: cloudFileOf(globals) }, record),
    storeNamed: secretStore,
    probedStore: (recorded) => probedStore(session, globals.store ?? recorded ?? defaultStore),
    async storeInit() {
      if (shared === undefined) throw problem('database-address-missing', {});
      return { where: await shared.database.where(), ...(await shared.database.migrate()) };
    },
    async close() {
      ctx.keychain.close();
      shared?.database.close();
      // A sandbox that failed to open has nothing to close.
      await sandbox?.then(
        (box) => box.close(),
        () => undefined,
      );
    },
  };
  return session;
}

async function probedStore(session: Session, name: StoreName): Promise<SecretStore> {
  const { globals, report } = session;
  await session.refuseSteered(undefined);
  const store = await session.storeNamed(name);
  try {
    await store.probe();
    return store;
  } catch (error) {
    const isNoKeychain = error instanceof MailauthError && error.exit === Exit.noStore;
    if (!isNoKeychain || !globals.sandbox || globals.store !== undefined || name !== defaultStore) throw error;
    report.note('No keychain is usable here: the sandbox keeps its worthless secrets in a file.');
    return session.storeNamed('sandbox-file');
  }
}

async function refuseForeignIn(session: Session, record: MailboxRecord, set: TokenSet): Promise<void> {
  const { refuseForeign } = await import('../tokens/bound.ts');
  // The sandbox need not run to be told from other clouds.
  const inForce = session.globals.sandbox
    ? { cloud: { ...record.cloud, name: 'sandbox' }, isChosen: false }
    : await session.inForce(record);
  refuseForeign(record, set, inForce);
}

/** A mailbox file that calls its cloud the sandbox gets none of its freedom: plain http, and any port of this computer. */
const outsideSandbox = (cloud: Cloud): Cloud => (cloud.name === 'sandbox' ? { ...cloud, name: 'unknown' } : cloud);

/** Trades the refresh token, and notes in the mailbox file whether Microsoft refused it: `status` shows that until it works again. */
async function refreshAndNote(session: Session, record: MailboxRecord, old: TokenSet): Promise<TokenSet> {
  const { ctx, home, stepTimeoutMs } = session;
  const [{ refreshed }, inForce, store] = await Promise.all([
    import('../tokens/refresh.ts'),
    session.inForce(record),
    session.store(record),
  ]);
  ctx.log(`refresh ${record.for}: ${inForce.cloud.name}`);
  const files = mailboxFiles({ files: ctx.files, home });
  try {
    const fresh = await refreshed(record, old, { ctx, stepTimeoutMs, network: () => session.network(), ...inForce, store });
    await noteRefusal(files, record, undefined);
    return fresh;
  } catch (error) {
    if (isRefusal(error)) await noteRefusal(files, record, { at: rfc3339(ctx.clock.now()), code: error.code });
    throw error;
  }
}

async function refreshForGraph(session: Session, record: MailboxRecord, old: TokenSet): Promise<TokenSet> {
  const { ctx, stepTimeoutMs } = session;
  const [{ refreshed }, { graphScopes }, inForce, store] = await Promise.all([
    import('../tokens/refresh.ts'),
    import('../oauth/scopes.ts'),
    session.inForce(record),
    session.store(record),
  ]);
  const scopes = graphScopes(inForce.cloud, record.protocols, record);
  return refreshed({ ...record, scopes }, old, { ctx, stepTimeoutMs, network: () => session.network(), ...inForce, store });
}
