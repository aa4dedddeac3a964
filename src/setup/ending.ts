import { defined } from '../core/defined.ts';
import type { MailauthError } from '../core/errors.ts';
import { isPersonal } from '../core/links.ts';
import type { MailboxKey, MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { authorityOf, differenceOf } from '../core/sign-in-authority.ts';
import type { ProtocolResult } from '../mail/result.ts';
import { rememberTests, testError } from '../mail/run-tests.ts';
import { credentialOf } from '../oauth/client-certificate.ts';
import { appToken } from '../oauth/client-credentials.ts';
import { appAt } from '../oauth/oauth-app.ts';
import { storedToken } from '../tokens/current.ts';
import { testedWithExchange } from './exchange-step.ts';
import { testedNow } from './exchange-wait.ts';
import { resumeHere } from './journal/setup-deps.ts';
import type { HandedOff } from './register/handoff-step.ts';
import { appTokenWithRoles, testApp } from './sign-in/app-only-step.ts';
import { withConsent } from './sign-in/consent-step.ts';
import { keepTokens, promoteSecret, type TokenKeeper } from './sign-in/kept-tokens.ts';
import { signInWithPassword } from './sign-in/password-step.ts';
import { signInForProof } from './sign-in/proof-step.ts';
import type { RegisteredSetup } from './sign-in/registered-setup.ts';
import { browserMethod, type SignedIn, signInAndKeep, signInMethod } from './sign-in/sign-in-step.ts';

/** A finished set-up that these answers would make again. */
export interface Already {
  readonly kind: 'already';
  readonly record: MailboxRecord;
  /** its label is another one now, and nothing else */
  readonly isRelabelled?: boolean;
}

export type SetupOutcome =
  | ({ readonly kind: 'handed-off'; readonly key: MailboxKey; readonly tenantId: string } & HandedOff)
  | Already
  | {
      readonly kind: 'done';
      readonly record: MailboxRecord;
      readonly signedIn: boolean;
      readonly results: readonly ProtocolResult[];
      readonly error?: MailauthError;
    };

/** The app is registered: a person signs in where one has to, the protocols are tested, the mailbox file is written, the journal is removed. */
export function endSetup(at: RegisteredSetup): Promise<SetupOutcome> {
  const { answers, proof } = at.registered;
  if (answers.access === 'app-only' && at.input.flags.signIn !== 'skip') return asApp(at);
  if (answers.signIn === 'skip') return handOver(at);
  return answers.signIn === 'password' || proof !== undefined ? prove(at) : signInHere(at);
}

/** No sign-in on this computer: the app is registered, and the product does the rest. */
async function handOver(at: RegisteredSetup): Promise<SetupOutcome> {
  const { deps, journal, record } = at;
  await promoteSecret(record, at.store);
  await deps.mailboxes.writeMailbox(record);
  await journal.close();
  return { kind: 'done', record, signedIn: false, results: [] };
}

/** App-only access: no person signs in, the app asks for its own token. */
async function asApp(at: RegisteredSetup): Promise<SetupOutcome> {
  const { deps, journal, cloud, record, registered } = at;
  const { clientSecret } = registered;
  const app = { ...(await appAt({ ...record, cloud }, deps)), ...(clientSecret && credentialOf(clientSecret)) };
  const set = await appTokenWithRoles(record, {
    deps,
    cloud,
    fetch: () => appToken(app, record.mailbox),
    patient: record.registration.made !== undefined,
    again: resumeHere(record, cloud),
  });
  await keepTokens(record, set, keeperOf(at));
  await journal.signedIn();
  const signedIn = { ...record, account: set.account };
  const results = await testedWithExchange(at, { record: signedIn, set }, () => testApp(deps, signedIn, cloud, set));
  const done = rememberTests(signedIn, results, deps.ctx.clock.now());
  await deps.mailboxes.writeMailbox(done);
  await journal.close();
  return outcome(done, true, results);
}

/** Signs in as the product will: with the password, or over a redirect that exists for the proof only. No token is kept. */
async function prove(at: RegisteredSetup): Promise<SetupOutcome> {
  const { deps, journal, record, registered } = at;
  let results: readonly ProtocolResult[] = [];
  try {
    const set = await withConsent(at, () => signInAsProduct(at));
    results = await tested(at, record, set);
  } finally {
    await registered.proof?.remove();
  }
  const done = rememberTests(record, results, deps.ctx.clock.now());
  await promoteSecret(record, at.store);
  await deps.mailboxes.writeMailbox(done);
  await journal.close();
  return outcome(done, false, results);
}

function signInAsProduct({ deps, input, cloud, record, registered }: RegisteredSetup): Promise<TokenSet> {
  const { answers, clientSecret, proof } = registered;
  const step = { deps, cloud, ...defined({ clientSecret }) };
  if (proof === undefined) return signInWithPassword(record, { ...step, input });
  return signInForProof(record, { ...step, proof, method: browserMethod(answers.signIn) });
}

/** This computer keeps the tokens. They are stored before the tests, so that after a red test no person has to sign in a second time. */
async function signInHere(at: RegisteredSetup): Promise<SetupOutcome> {
  const { deps, input, journal } = at;
  const { record, set } = (await storedBefore(at)) ?? (await withConsent(at, () => signInNow(at)));
  await journal.signedIn();
  const signedIn = { ...record, account: set.account };
  const results = await tested(at, signedIn, set);
  const done = input.test ? rememberTests(signedIn, results, deps.ctx.clock.now()) : signedIn;
  if (input.test) await deps.mailboxes.writeMailbox(done);
  await journal.close();
  return outcome(done, true, results);
}

/** The tokens of an interrupted run that came as far as the tests, while they are valid. */
async function storedBefore({ deps, journal, store, record }: RegisteredSetup): Promise<SignedIn | undefined> {
  if (!journal.now.done.includes('sign-in')) return undefined;
  const { account, signInAs } = (await deps.mailboxes.readMailbox(record)) ?? {};
  const set = await storedToken(store, record);
  const authority = authorityOf(record.cloud, { tenantId: record.tenantId, clientId: record.registration.clientId });
  if (set?.authority === undefined || differenceOf(set.authority, authority) !== undefined) return undefined;
  const isSame = account !== undefined && signInAs === record.signInAs;
  return isSame && set !== undefined && set.expiresAt > deps.ctx.clock.now() ? { record, set } : undefined;
}

async function signInNow(at: RegisteredSetup): Promise<SignedIn> {
  const { deps, journal, cloud, record, registered } = at;
  const { answers, clientSecret, registration } = registered;
  const signedIn = await signInAndKeep(record, {
    deps,
    journal,
    cloud,
    method: signInMethod(answers.signIn),
    selectAccount: journal.now.wrongAccount,
    again: resumeHere(record, cloud),
    approvalHint: !isPersonal({ tenant: record.tenantId }) && (record.registration.made?.grantIds ?? []).length === 0,
    ...defined({ clientSecret }),
    keep: (tokens, named) => keepTokens(named, tokens, keeperOf(at)),
  });
  const { signInAs } = signedIn.record;
  if (signInAs !== undefined && signInAs !== record.signInAs)
    await journal.registered({ ...answers, openedBy: 'delegate', signInAs }, registration);
  return signedIn;
}

const keeperOf = ({ deps, store }: RegisteredSetup): TokenKeeper => ({
  report: deps.report,
  mailboxes: deps.mailboxes,
  store,
  pendingSecret: 'promote',
});

const tested = (at: RegisteredSetup, record: MailboxRecord, set: TokenSet): Promise<readonly ProtocolResult[]> =>
  testedWithExchange(at, { record, set }, () => testedNow(at, { record, set }));

function outcome(record: MailboxRecord, signedIn: boolean, results: readonly ProtocolResult[]): SetupOutcome {
  const error = testError(results);
  return { kind: 'done', record, signedIn, results, ...defined({ error }) };
}
