import { defined } from '../core/defined.ts';
import type { MailauthError } from '../core/errors.ts';
import { isPersonal } from '../core/links.ts';
import type { MailboxKey, MailboxRecord, TokenSet } from '../core/mailbox.ts';
import type { ProtocolResult } from '../mail/result.ts';
import { rememberTests, testError } from '../mail/run-tests.ts';
import { credentialOf } from '../oauth/client-certificate.ts';
import { appToken } from '../oauth/client-credentials.ts';
import { appAt } from '../oauth/oauth-app.ts';
import { clientSecretEntry, pendingSecretEntry } from '../store/token-entry.ts';
import { storedToken } from '../tokens/current.ts';
import { resumeHere } from './journal/setup-commands.ts';
import type { HandedOff } from './register/handoff-step.ts';
import { fetchAndStore, testApp } from './sign-in/app-only-step.ts';
import { withConsent } from './sign-in/consent-step.ts';
import { signInWithPassword } from './sign-in/password-step.ts';
import { signInForProof } from './sign-in/proof-step.ts';
import type { Standing } from './sign-in/registered-setup.ts';
import { browserMethod, signInAndStore, signInMethod } from './sign-in/sign-in-step.ts';
import { testMailbox } from './sign-in/test-step.ts';

export type SetupOutcome =
  | ({ readonly kind: 'handed-off'; readonly key: MailboxKey; readonly tenantId: string } & HandedOff)
  | { readonly kind: 'already'; readonly record: MailboxRecord }
  | {
      readonly kind: 'done';
      readonly record: MailboxRecord;
      readonly signedIn: boolean;
      readonly results: readonly ProtocolResult[];
      readonly error?: MailauthError;
    };

/** The app stands: somebody signs in or nobody does, the protocols are tested, the mailbox file is written, the notes go. */
export function endSetup(at: Standing): Promise<SetupOutcome> {
  const { answers, proof } = at.registered;
  if (answers.access === 'app-only' && at.input.flags.signIn !== 'skip') return asApp(at);
  if (answers.signIn === 'skip') return handOver(at);
  return answers.signIn === 'password' || proof !== undefined ? prove(at) : signInHere(at);
}

/** Nobody signs in here: the registration stands, the product does the rest. */
async function handOver(at: Standing): Promise<SetupOutcome> {
  const { deps, notes, record } = at;
  await promoteSecret(at);
  await deps.mailboxes.writeMailbox(record);
  await notes.close();
  deps.report.progress('sign-in', 'skipped', 'Nobody signed in here');
  return { kind: 'done', record, signedIn: false, results: [] };
}

/** App-only access: nobody signs in, the app asks for its own token. */
async function asApp(at: Standing): Promise<SetupOutcome> {
  const { deps, input, notes, store, cloud, record, registered } = at;
  const { clientSecret } = registered;
  const app = { ...(await appAt({ ...record, cloud }, deps)), ...(clientSecret && credentialOf(clientSecret)) };
  const tokens = await fetchAndStore(record, {
    deps,
    store,
    cloud,
    fetch: () => appToken(app, record.mailbox),
    patient: record.registration.made !== undefined,
    again: resumeHere(record, cloud),
    keepFirst: () => promoteSecret(at),
  });
  await notes.signedIn();
  const results = input.test ? await testApp(deps, tokens.record, cloud, tokens.set) : [];
  const done = rememberTests(tokens.record, results, deps.ctx.clock.now());
  await deps.mailboxes.writeMailbox(done);
  await notes.close();
  return outcome(done, true, results);
}

/** As the product will sign in: with the password, or over a redirect that is there for the proof only. Nothing of it is kept. */
async function prove(at: Standing): Promise<SetupOutcome> {
  const { deps, notes, record, registered } = at;
  let results: readonly ProtocolResult[] = [];
  try {
    const set = await withConsent(at, () => signInAsProduct(at));
    results = await tested(at, record, set);
  } finally {
    await registered.proof?.remove();
  }
  const done = rememberTests(record, results, deps.ctx.clock.now());
  await promoteSecret(at);
  await deps.mailboxes.writeMailbox(done);
  await notes.close();
  return outcome(done, false, results);
}

function signInAsProduct({ deps, input, cloud, record, registered }: Standing): Promise<TokenSet> {
  const { answers, clientSecret, proof } = registered;
  const step = { deps, cloud, ...defined({ clientSecret }) };
  if (proof === undefined) return signInWithPassword(record, { ...step, input });
  return signInForProof(record, { ...step, proof, method: browserMethod(answers.signIn) });
}

/** This computer keeps the tokens. They are stored before the tests, so that a red test costs nobody a second sign-in. */
async function signInHere(at: Standing): Promise<SetupOutcome> {
  const { deps, input, notes } = at;
  const tokens = (await signedInBefore(at)) ?? (await withConsent(at, () => signInNow(at)));
  await notes.signedIn();
  const results = await tested(at, tokens.record, tokens.set);
  const done = input.test ? rememberTests(tokens.record, results, deps.ctx.clock.now()) : tokens.record;
  if (input.test) await deps.mailboxes.writeMailbox(done);
  await notes.close();
  return outcome(done, true, results);
}

/** An interrupted run came as far as the tests, and its token still counts. */
async function signedInBefore({ deps, notes, store, record }: Standing): Promise<{ record: MailboxRecord; set: TokenSet } | undefined> {
  if (!notes.now.done.includes('sign-in')) return undefined;
  const { account, signInAs } = (await deps.mailboxes.readMailbox(record)) ?? {};
  const set = await storedToken(store, record);
  if (account === undefined || signInAs !== record.signInAs || set === undefined || set.expiresAt <= deps.ctx.clock.now()) return undefined;
  return { record: { ...record, account }, set };
}

function signInNow(at: Standing): ReturnType<typeof signInAndStore> {
  const { deps, notes, store, cloud, record, registered } = at;
  const { answers, clientSecret } = registered;
  return signInAndStore(record, {
    deps,
    store,
    cloud,
    method: signInMethod(answers.signIn),
    selectAccount: notes.now.wrongAccount,
    again: resumeHere(record, cloud),
    approvalHint: !isPersonal({ tenant: record.tenantId }) && (record.registration.made?.grantIds ?? []).length === 0,
    ...defined({ clientSecret }),
    keepFirst: () => promoteSecret(at),
    onWrongAccount: () => notes.wrongAccount(),
  });
}

/** A client secret waits beside the old one until its sign-in worked, so that a failed attempt loses nothing. */
async function promoteSecret({ record, store }: Standing): Promise<void> {
  const waiting = pendingSecretEntry(record);
  const secret = await store.read(waiting);
  if (secret === undefined) return;
  await store.write(clientSecretEntry(record), secret);
  await store.remove(waiting);
}

const tested = async ({ deps, input, cloud }: Standing, record: MailboxRecord, set: TokenSet): Promise<readonly ProtocolResult[]> =>
  input.test ? testMailbox(deps, record, cloud, async () => set) : [];

function outcome(record: MailboxRecord, signedIn: boolean, results: readonly ProtocolResult[]): SetupOutcome {
  const error = testError(results);
  return { kind: 'done', record, signedIn, results, ...defined({ error }) };
}
