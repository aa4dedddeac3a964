import { join } from 'node:path';
import type { Cloud, Tenant } from '../core/cloud.ts';
import { Interrupted, MailauthError } from '../core/errors.ts';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import type { Secret } from '../core/secret.ts';
import { setupCommand } from '../diagnose/catalogue/entra-words.ts';
import { problem } from '../diagnose/problem.ts';
import { discoverTenant, tenantForMailbox } from '../entra/discovery.ts';
import type { ProtocolResult } from '../mail/result.ts';
import { rememberTests, runTests, testError } from '../mail/run-tests.ts';
import { scopesFor } from '../oauth/scopes.ts';
import { guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import type { SecretStore } from '../store/store.ts';
import { clientSecretEntry } from '../store/token-entry.ts';
import { storedToken } from '../tokens/current.ts';
import { rfc3339 } from '../tokens/formats.ts';
import { type Answers, checkRedirectUri, checkTenant, isLoopback } from './answers.ts';
import { answer } from './ask.ts';
import { pendingSecretEntry } from './client-secret.ts';
import type { SetupDeps, SetupInput } from './deps.ts';
import { type Journal, journals, type SetupStep } from './journal.ts';
import { firstQuestions, type Known, registrationQuestions } from './questions.ts';
import { register } from './registration.ts';
import { signInAndStore } from './sign-in-step.ts';
import { renderSummary, summaryFacts } from './summary.ts';

export type SetupOutcome =
  | { readonly kind: 'already'; readonly record: MailboxRecord }
  | {
      readonly kind: 'done';
      readonly record: MailboxRecord;
      readonly signedIn: boolean;
      readonly results: readonly ProtocolResult[];
      readonly error?: MailauthError;
    };

/**
 * The wizard: questions, tenant, store, summary, registration, sign-in, tests. Each finished step is in the journal before the next
 * begins, so that a stop at any point loses at most the step in hand. Run again on a finished mailbox it changes nothing.
 */
export async function runSetup(input: SetupInput, deps: SetupDeps): Promise<SetupOutcome> {
  const book = journals(deps.ctx, deps.home);
  const first = await firstAnswers(input, deps);
  const key: MailboxKey = { mailbox: first.mailbox, for: first.for };
  const release = await guardWrites(deps.home, () => deps.ctx.files.lock(join(deps.home, 'locks', `setup-${mailboxSlug(key)}`), 0));
  if (release === undefined) throw problem('setup-busy', { mailbox: key.mailbox });
  try {
    if (input.fresh) await book.forget(key);
    const interrupted = input.fresh ? undefined : await book.read(key);
    if (interrupted !== undefined)
      deps.report.note(`Going on with the set-up that was interrupted (${interrupted.startedAt}); --fresh forgets it.`);
    return await new SetupRun(input, deps, key, interrupted).run(first);
  } finally {
    await release();
  }
}

type First = Known & Pick<Answers, 'mailbox' | 'for'>;

/** Mailbox and product; from an interrupted set-up where exactly one waits. Throws `nothing-to-resume`, `resume-choice`. */
async function firstAnswers(input: SetupInput, deps: SetupDeps): Promise<First> {
  let saved: Known = {};
  if (input.flags.mailbox === undefined && !input.fresh) {
    const waiting = await journals(deps.ctx, deps.home).all();
    const [only] = waiting;
    if (only !== undefined && waiting.length === 1 && (input.resume || (await wantsResume(deps, only)))) saved = only.answers;
    else if (input.resume && waiting.length > 1) saved = (await whichSetup(deps, waiting)).answers;
    else if (input.resume) throw problem('nothing-to-resume', {});
  }
  const known = await answer(firstQuestions, {}, { ctx: deps.ctx, canAsk: deps.canAsk, flags: input.flags, saved, facts: deps.facts });
  const { mailbox, for: product } = known;
  if (mailbox === undefined || product === undefined) throw new Error('the first questions always have answers');
  return { ...known, mailbox, for: product };
}

/** Throws `resume-choice` where nobody can be asked. */
async function whichSetup(deps: SetupDeps, waiting: readonly Journal[]): Promise<Journal> {
  const choices = waiting.map(({ answers: { mailbox = '', for: product = '' }, startedAt }, i) => ({
    value: String(i),
    name: mailbox,
    description: `for ${product}, interrupted ${startedAt}`,
  }));
  const chosen = deps.canAsk
    ? waiting[Number(await deps.ctx.prompts.select({ message: 'Which interrupted set-up?', choices }))]
    : undefined;
  if (chosen === undefined) throw problem('resume-choice', { candidates: waiting.map((j) => String(j.answers.mailbox)) });
  return chosen;
}

async function wantsResume(deps: SetupDeps, journal: Journal): Promise<boolean> {
  if (!deps.canAsk) return false;
  return deps.ctx.prompts.confirm({ message: `The set-up of ${journal.answers.mailbox} was interrupted. Go on with it?`, default: true });
}

/** One set-up under its lock. */
class SetupRun {
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
    if (early !== undefined && existing !== undefined && (await this.isFinished(existing, early, cloud)))
      return { kind: 'already', record: existing };
    const store = await this.probe();
    if (this.input.fresh) await store.remove(pendingSecretEntry(key));
    const tenant = await this.tenant(first, cloud);
    const answers = early ?? (await this.remainingAnswers(first, existing));
    if (early === undefined && existing !== undefined && (await this.isFinished(existing, answers, cloud)))
      return { kind: 'already', record: existing };
    await this.agree(answers, tenant, cloud, store);
    await this.finished('store', answers);
    const registered = await register(answers, { deps, input: this.input, key, tenant, cloud, store });
    await this.finished('registration', registered.answers);
    const record = this.recordOf(registered.answers, registered.clientId, tenant, cloud, store, existing);
    return registered.answers.signIn === 'skip' ? this.handedOver(record, store) : this.signedIn(record, registered, store, cloud);
  }

  private async remainingAnswers(first: First, existing: MailboxRecord | undefined): Promise<Answers> {
    const saved = { ...(existing === undefined ? {} : answersOf(existing)), ...this.journal.answers };
    // Known from the start: it decides how the app is registered, and that the portal's first screen is done.
    const clientId = this.input.flags.clientId ?? this.journal.answers.clientId;
    const known = await answer(registrationQuestions, clientId === undefined ? first : { ...first, clientId }, {
      ctx: this.deps.ctx,
      canAsk: this.deps.canAsk,
      flags: this.input.flags,
      saved,
      facts: this.deps.facts,
    });
    const { register: way, clientType, redirectUri, protocols, consent, signIn } = known;
    if (!way || !clientType || !redirectUri || !protocols || !consent || !signIn)
      throw new Error('every question that always applies has an answer');
    const verdict = checkRedirectUri(redirectUri);
    if (verdict !== true) throw problem('redirect-not-accepted', { uri: redirectUri, why: verdict });
    if (signIn === 'browser' && !isLoopback(redirectUri))
      throw problem('redirect-not-here', { uri: redirectUri, mailbox: this.key.mailbox });
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
    if (this.journal.done.length > 0 || this.input.clientSecretFile !== undefined) return false;
    const same =
      existing.cloud.name === cloud.name &&
      (answers.clientId === undefined || existing.registration.clientId === answers.clientId.toLowerCase()) &&
      existing.registration.clientType === answers.clientType &&
      existing.registration.redirectUri === answers.redirectUri &&
      (existing.signInAs ?? existing.mailbox) === (answers.signInAs ?? existing.mailbox) &&
      (answers.tenant === undefined || [existing.tenantId, existing.mailbox.split('@')[1]].includes(answers.tenant.toLowerCase())) &&
      [...existing.protocols].sort().join() === [...answers.protocols].sort().join();
    if (!same) return false;
    if (answers.signIn === 'skip') return true;
    return (await storedToken(await this.deps.store(existing), existing)) !== undefined;
  }

  private async probe(): Promise<SecretStore> {
    this.deps.report.progress('store', 'started', 'Trying the secret store');
    const store = await this.deps.probedStore();
    this.deps.report.progress('store', 'done', `Secret store works: ${store.describe()}`);
    return store;
  }

  /** From the mailbox's domain, or as told; a person may correct it. */
  private async tenant(first: First, cloud: Cloud): Promise<Tenant> {
    const { ctx, report } = this.deps;
    let asked = this.input.flags.tenant ?? this.journal.answers.tenant ?? tenantForMailbox(first.mailbox);
    for (;;) {
      report.progress('tenant', 'started', `Looking for the tenant of ${asked}`);
      try {
        const tenant = await discoverTenant({
          network: await this.deps.network(),
          cloud,
          domainOrId: asked,
          timeoutMs: this.deps.stepTimeoutMs,
          signal: ctx.signal,
        });
        report.progress('tenant', 'done', `Tenant ${asked} (${tenant.id}), v2 endpoints found`);
        report.detail(`authorization endpoint ${tenant.endpoints.authorization}`);
        report.detail(`token endpoint         ${tenant.endpoints.token}`);
        return tenant;
      } catch (error) {
        if (!this.deps.canAsk || !(error instanceof MailauthError) || error.code !== 'tenant-unknown') throw error;
        report.progress('tenant', 'failed', error.title);
        asked = await ctx.prompts.text({ message: 'Which tenant? (its domain or its ID)', check: checkTenant });
      }
    }
  }

  private async agree(answers: Answers, tenant: Tenant, cloud: Cloud, store: SecretStore): Promise<void> {
    const { ctx, report, canAsk } = this.deps;
    const facts = summaryFacts(answers, tenant, cloud, store.describe());
    report.show(renderSummary(facts, ctx.err.isTerminal ? ctx.err.columns : Number.POSITIVE_INFINITY));
    if (!cloud.verified)
      report.note(`The hosts and scopes of the cloud "${cloud.name}" are unverified: Microsoft does not document them all.`);
    if (canAsk && !(await ctx.prompts.confirm({ message: 'Go ahead?', default: true }))) throw problem('setup-declined', {});
  }

  private async finished(step: SetupStep, answers: Known): Promise<void> {
    this.journal = { ...this.journal, answers, done: [...new Set([...this.journal.done, step])] };
    await journals(this.deps.ctx, this.deps.home).write(this.key, this.journal);
  }

  private recordOf(
    answers: Answers,
    clientId: string,
    tenant: Tenant,
    cloud: Cloud,
    store: SecretStore,
    existing: MailboxRecord | undefined,
  ): MailboxRecord {
    const signInAs = answers.signInAs !== undefined && answers.signInAs !== answers.mailbox ? answers.signInAs : undefined;
    return {
      ...this.key,
      tenantId: tenant.id,
      cloud,
      endpoints: tenant.endpoints,
      registration: {
        clientId: clientId.toLowerCase(),
        clientType: answers.clientType,
        redirectUri: answers.redirectUri,
        madeByMailauth: false,
      },
      protocols: answers.protocols,
      scopes: scopesFor(cloud, answers.protocols),
      store: store.name,
      createdAt: existing?.createdAt ?? rfc3339(this.deps.ctx.clock.now()),
      lastTests: [],
      ...(signInAs === undefined ? {} : { signInAs }),
    };
  }

  /** Nobody signs in here: the registration stands, the product does the rest. */
  private async handedOver(record: MailboxRecord, store: SecretStore): Promise<SetupOutcome> {
    await this.promoteSecret(record, store);
    await this.deps.mailboxes.writeMailbox(record);
    await this.close();
    this.deps.report.progress('sign-in', 'skipped', 'Nobody signed in here');
    return { kind: 'done', record, signedIn: false, results: [] };
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
      results = await this.test(done, cloud, async () => tokens.set.accessToken);
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

  private async test(record: MailboxRecord, cloud: Cloud, token: () => Promise<Secret>): Promise<readonly ProtocolResult[]> {
    const { ctx, report, stepTimeoutMs } = this.deps;
    report.progress('test', 'started', 'Testing the mail server');
    const network = await this.deps.network();
    const results = await runTests({ ctx, network, cloud, record, protocols: record.protocols, token, timeoutMs: stepTimeoutMs });
    for (const { protocol, ok, host, port, stages, diagnosis } of results) {
      const found = stages.find((s) => s.name === 'mailbox')?.detail ?? '';
      const proof = protocol === 'smtp' ? found : `INBOX has ${found}`;
      const text = ok ? `signed in at ${host}:${port}, ${proof}` : (diagnosis?.title ?? 'failed');
      report.progress('test', ok ? 'done' : 'failed', `${protocol.toUpperCase()}: ${text}`);
    }
    return results;
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

/** A finished set-up answers its own questions again, so that running it again changes nothing. */
function answersOf(record: MailboxRecord): Known {
  const { registration: app } = record;
  return {
    register: 'existing',
    clientId: app.clientId,
    clientType: app.clientType,
    redirectUri: app.redirectUri,
    protocols: record.protocols,
    ...(record.signInAs === undefined ? {} : { signInAs: record.signInAs }),
  };
}
