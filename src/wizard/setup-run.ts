import type { Cloud, Tenant } from '../core/cloud.ts';
import { Interrupted, type MailauthError } from '../core/errors.ts';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import type { Secret } from '../core/secret.ts';
import { setupCommand } from '../diagnose/catalogue/entra-words.ts';
import { problem } from '../diagnose/problem.ts';
import { tenantForMailbox } from '../entra/discovery.ts';
import { guideNamed } from '../guides/guides.ts';
import type { ProtocolResult } from '../mail/result.ts';
import { rememberTests, testError } from '../mail/run-tests.ts';
import type { SecretStore } from '../store/store.ts';
import { clientSecretEntry } from '../store/token-entry.ts';
import { storedToken } from '../tokens/current.ts';
import { rfc3339 } from '../tokens/formats.ts';
import { type Answers, checkRedirectUri, isLoopback } from './answers.ts';
import { answer } from './ask.ts';
import { wantsProof } from './auto.ts';
import { pendingSecretEntry } from './client-secret.ts';
import { adminConsent } from './consent-step.ts';
import type { SetupDeps, SetupInput } from './deps.ts';
import { type HandedOff, writeForAdministrator } from './handoff-step.ts';
import { type Journal, type JournaledRegistration, journals, type SetupStep } from './journal.ts';
import { signInWithPassword } from './password-step.ts';
import { signInForProof } from './proof-step.ts';
import { type Known, registrationQuestions } from './questions.ts';
import { answersOf, isSameSetup, madeBefore, recordOf } from './record.ts';
import { type Registered, register, requireAnswers } from './registration.ts';
import { signInAndStore } from './sign-in-step.ts';
import { renderSummary, summaryFacts } from './summary.ts';
import { findTenant } from './tenant-step.ts';
import { testMailbox } from './test-step.ts';

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

export type First = Known & Pick<Answers, 'mailbox' | 'for'>;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One set-up under its lock. */
export class SetupRun {
  private readonly input: SetupInput;
  private readonly deps: SetupDeps;
  private readonly key: MailboxKey;
  private journal: Journal;

  constructor(input: SetupInput, deps: SetupDeps, key: MailboxKey, interrupted: Journal | undefined) {
    this.input = input;
    this.deps = deps;
    this.key = key;
    this.journal = interrupted ?? { answers: {}, done: [], startedAt: rfc3339(deps.ctx.clock.now()), wrongAccount: false };
  }

  async run(first: First): Promise<SetupOutcome> {
    const { deps, key } = this;
    const existing = await deps.mailboxes.readMailbox(key);
    // Without a person every missing answer is said at once, before the network and the keychain are touched.
    const early = deps.canAsk ? undefined : await this.remainingAnswers(first, existing);
    const { cloud: begunIn } = this.journal;
    const cloud = await deps.cloud(begunIn === undefined ? existing : { cloud: begunIn });
    this.journal = { ...this.journal, cloud };
    if (early !== undefined) requireAnswers(early, this.input, deps, cloud, this.journal.done.includes('store') || existing !== undefined);
    if (early !== undefined && existing !== undefined && (await this.isFinished(existing, early, cloud)))
      return { kind: 'already', record: existing };
    const store = await this.probe();
    if (this.input.fresh) await store.remove(pendingSecretEntry(key));
    const tenant = await findTenant(deps, cloud, this.input.flags.tenant ?? this.journal.answers.tenant ?? tenantForMailbox(first.mailbox));
    const answers = early ?? (await this.remainingAnswers(first, existing));
    if (early === undefined && existing !== undefined && (await this.isFinished(existing, answers, cloud)))
      return { kind: 'already', record: existing };
    await this.agree(answers, tenant, cloud, store);
    const waitingFor = this.journal.answers.clientId;
    await this.finished('store', answers);
    if (answers.register === 'handoff') return this.handOff(answers, tenant, cloud);
    const registered = await register(answers, {
      deps,
      input: this.input,
      key,
      tenant,
      cloud,
      store,
      waitingFor,
      registration: this.journal.registration ?? madeBefore(existing),
      note: (registration) => this.note(registration),
      remember: (known) => this.finished('store', known),
    });
    await this.finished('registration', registered.answers);
    if (answers.register === 'existing' && this.input.flags.consent === 'admin') {
      await adminConsent(answers, registered.registration.clientId, tenant, cloud, deps);
    }
    const record = recordOf({
      key,
      answers: registered.answers,
      registration: registered.registration,
      tenant,
      cloud,
      store: store.name,
      createdAt: existing?.createdAt ?? rfc3339(deps.ctx.clock.now()),
    });
    const { signIn } = registered.answers;
    if (signIn === 'skip') return this.handedOver(record, store);
    const isProof = signIn === 'password' || registered.proof !== undefined;
    return isProof ? this.proved(record, registered, store, cloud) : this.signedIn(record, registered, store, cloud);
  }

  private async remainingAnswers(first: First, existing: MailboxRecord | undefined): Promise<Answers> {
    const saved: Mutable<Known> = { ...(existing === undefined ? {} : answersOf(existing)), ...this.journal.answers };
    // Known from the start: it decides how the app is registered, and that the portal's first screen is done.
    const clientId = this.input.flags.clientId ?? this.journal.answers.clientId;
    // The administrator has answered: what was handed off is now registered.
    if (clientId !== undefined && saved.register === 'handoff') saved.register = 'existing';
    // Another app than the one that was made: that one's way says nothing about it.
    const named = this.input.flags.clientId?.toLowerCase();
    if (named !== undefined && saved.register === 'auto' && named !== saved.clientId) saved.register = 'existing';
    const known = await answer(registrationQuestions, clientId === undefined ? first : { ...first, clientId }, {
      ctx: this.deps.ctx,
      canAsk: this.deps.canAsk,
      flags: this.input.flags,
      saved,
      facts: this.deps.facts,
    });
    const { register: way, clientType, redirectUri = '', protocols, consent, signIn } = known;
    if (!way || !clientType || !protocols || !consent || !signIn) throw new Error('every question that always applies has an answer');
    const verdict = redirectUri === '' ? true : checkRedirectUri(redirectUri);
    if (verdict !== true) throw problem('redirect-not-accepted', { uri: redirectUri, why: verdict });
    const proof = way === 'auto' && wantsProof({ signIn, redirectUri, clientType });
    if (signIn === 'browser' && !isLoopback(redirectUri) && !proof)
      throw problem('redirect-not-here', { uri: redirectUri, mailbox: this.key.mailbox, for: first.for });
    if (signIn === 'password' && guideNamed(first.for)?.signInWays.includes('password') !== true)
      throw problem('password-not-here', { product: first.for, mailbox: this.key.mailbox });
    const { audience = 'single', name = '', secretMonths = 12 } = known;
    return {
      ...known,
      ...first,
      register: way,
      clientType,
      redirectUri,
      protocols,
      consent,
      signIn,
      audience,
      name,
      secretMonths,
      test: this.input.test,
    };
  }

  /** Finished, signed in and the same answers: nothing to do. */
  private async isFinished(existing: MailboxRecord, answers: Answers, cloud: Cloud): Promise<boolean> {
    if (this.journal.done.length > 0 || this.input.clientSecretFile !== undefined || !isSameSetup(existing, answers, cloud)) return false;
    return answers.signIn === 'skip' || (await storedToken(await this.deps.store(existing), existing)) !== undefined;
  }

  private async probe(): Promise<SecretStore> {
    this.deps.report.progress('store', 'started', 'Trying the secret store');
    const store = await this.deps.probedStore();
    this.deps.report.progress('store', 'done', `Secret store works: ${store.describe()}`);
    return store;
  }

  private async agree(answers: Answers, tenant: Tenant, cloud: Cloud, store: SecretStore): Promise<void> {
    const { ctx, report, canAsk } = this.deps;
    const facts = summaryFacts(answers, tenant, cloud, store.describe());
    report.show(renderSummary(facts, ctx.err.isTerminal ? ctx.err.columns : Number.POSITIVE_INFINITY));
    if (!cloud.verified)
      report.note(`The hosts and scopes of the cloud "${cloud.name}" are unverified: Microsoft does not document them all.`);
    // With `auto` the one question is the one about the tenant, asked with what it will change.
    if (answers.register === 'auto' || !canAsk) return;
    if (!(await ctx.prompts.confirm({ message: 'Go ahead?', default: true }))) throw problem('setup-declined', {});
  }

  private async finished(step: SetupStep, answers: Known): Promise<void> {
    this.journal = { ...this.journal, answers, done: [...new Set([...this.journal.done, step])] };
    await journals(this.deps.ctx, this.deps.home).write(this.key, this.journal);
  }

  /** Somebody else is the administrator: the folder is written, and the set-up waits for the app's ID. */
  private async handOff(answers: Answers, tenant: Tenant, cloud: Cloud): Promise<SetupOutcome> {
    const { deps, key } = this;
    const setupId = this.journal.registration?.setupId ?? deps.ctx.random.uuid();
    await this.note({ grantIds: [], ...this.journal.registration, setupId });
    const written = await writeForAdministrator(answers, { deps, key, tenant, cloud, setupId });
    return { kind: 'handed-off', key, tenantId: tenant.id, ...written };
  }

  private async note(registration: JournaledRegistration): Promise<void> {
    this.journal = { ...this.journal, registration };
    await journals(this.deps.ctx, this.deps.home).write(this.key, this.journal);
  }

  /** Nobody signs in here: the registration stands, the product does the rest. */
  private async handedOver(record: MailboxRecord, store: SecretStore): Promise<SetupOutcome> {
    await this.promoteSecret(record, store);
    await this.deps.mailboxes.writeMailbox(record);
    await this.close();
    this.deps.report.progress('sign-in', 'skipped', 'Nobody signed in here');
    return { kind: 'done', record, signedIn: false, results: [] };
  }

  /** As the product will sign in: with the password, or over a redirect that is there for the proof only. Nothing of it is kept. */
  private async proved(record: MailboxRecord, registered: Registered, store: SecretStore, cloud: Cloud): Promise<SetupOutcome> {
    const { deps, input } = this;
    const { clientSecret, proof } = registered;
    const step = { deps, cloud, ...(clientSecret === undefined ? {} : { clientSecret }) };
    let results: readonly ProtocolResult[] = [];
    try {
      const method = this.answered('signIn') === 'paste' ? 'paste' : 'browser';
      const set =
        proof === undefined
          ? await signInWithPassword(record, { ...step, input })
          : await signInForProof(record, { ...step, proof, method });
      if (input.test) results = await testMailbox(deps, record, cloud, async () => set.accessToken);
    } finally {
      await proof?.remove();
    }
    const done = rememberTests(record, results, deps.ctx.clock.now());
    await this.promoteSecret(done, store);
    await deps.mailboxes.writeMailbox(done);
    await this.close();
    const error = testError(results);
    return { kind: 'done', record: done, signedIn: false, results, ...(error === undefined ? {} : { error }) };
  }

  private async signedIn(
    record: MailboxRecord,
    registered: { clientSecret?: Secret },
    store: SecretStore,
    cloud: Cloud,
  ): Promise<SetupOutcome> {
    const { deps } = this;
    const tokens = await signInAndStore(record, {
      deps,
      store,
      cloud,
      method: this.answered('signIn') === 'paste' ? 'paste' : 'browser',
      selectAccount: this.journal.wrongAccount,
      again: setupCommand({ mailbox: record.mailbox, cloud }),
      ...(registered.clientSecret === undefined ? {} : { clientSecret: registered.clientSecret }),
      keepFirst: (signedInRecord) => this.promoteSecret(signedInRecord, store),
      onWrongAccount: async () => {
        this.journal = { ...this.journal, wrongAccount: true };
        await journals(deps.ctx, deps.home).write(this.key, this.journal);
      },
    });
    await this.finished('sign-in', this.journal.answers);
    let done = tokens.record;
    let results: readonly ProtocolResult[] = [];
    if (this.input.test) {
      results = await testMailbox(deps, done, cloud, async () => tokens.set.accessToken);
      done = rememberTests(done, results, deps.ctx.clock.now());
      await deps.mailboxes.writeMailbox(done);
    }
    await this.close();
    const error = testError(results);
    return { kind: 'done', record: done, signedIn: true, results, ...(error === undefined ? {} : { error }) };
  }

  private answered<K extends keyof Answers>(id: K): Known[K] {
    return this.journal.answers[id];
  }

  /** A client secret waits beside the old one until its sign-in worked, so that a failed attempt loses nothing. */
  private async promoteSecret(record: MailboxRecord, store: SecretStore): Promise<void> {
    const waiting = pendingSecretEntry(record);
    const secret = await store.read(waiting);
    if (secret === undefined) return;
    await store.write(clientSecretEntry(record), secret);
    await store.remove(waiting);
  }

  private async close(): Promise<void> {
    if (this.deps.ctx.signal.aborted) throw new Interrupted();
    await journals(this.deps.ctx, this.deps.home).forget(this.key);
  }
}
