import type { Cloud, Tenant } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import { MailauthError } from '../core/errors.ts';
import { columnsOf } from '../core/fold.ts';
import type { MailboxKey, MailboxRecord, Registration } from '../core/mailbox.ts';
import { tenantForMailbox } from '../entra/discovery.ts';
import { appEntries } from '../errors/catalogue/entra/entra-app-errors.ts';
import { problem } from '../errors/problem.ts';
import type { ClientCertificate } from '../oauth/client-certificate.ts';
import type { SecretStore } from '../store/store.ts';
import { clientSecretEntry, pendingSecretEntry } from '../store/token-entry.ts';
import { storedToken } from '../tokens/current.ts';
import { rfc3339 } from '../tokens/formats.ts';
import type { Answers } from './answers/answers.ts';
import { isSameApp, isSameSetup, recordOf } from './answers/answers-record.ts';
import type { Earlier } from './answers/earlier-answers.ts';
import { wantsProof } from './answers/fitting.ts';
import { lacksPublicFlows } from './answers/questions.ts';
import { type FirstAnswers, remainingAnswers } from './answers/remaining-answers.ts';
import { renderSummary, summaryFacts } from './answers/summary.ts';
import { endSetup, type SetupOutcome } from './ending.ts';
import { Journal } from './journal/journal.ts';
import { type InterruptedSetup, madeBefore } from './journal/journal-file.ts';
import type { SetupDeps, SetupOptions } from './journal/setup-deps.ts';
import { agreeToChange } from './register/agree-step.ts';
import { certificateFromFiles, heldCertificate, publicPart } from './register/app-certificate.ts';
import { isAppDeleted } from './register/deleted-app.ts';
import { writeForAdministrator } from './register/handoff-step.ts';
import { register } from './register/register-step.ts';
import { requireAnswers, requirePassword } from './register/require-answers.ts';
import { findTenant } from './register/tenant-step.ts';
import { askForConsent, opensConsentPage } from './sign-in/consent-step.ts';
import type { Registered } from './sign-in/registered-setup.ts';

/** Where a set-up takes place, known before it is agreed to. */
interface Place {
  /** the finished set-up of this mailbox and product */
  readonly existing: MailboxRecord | undefined;
  readonly cloud: Cloud;
  readonly tenant: Tenant;
  readonly store: SecretStore;
  /** app-only access by certificate, in place of a client secret */
  readonly certificate: ClientCertificate | undefined;
}

/** One set-up under its lock: answers, agreement, registration; `ending.ts` has the rest. */
export class SetupRun {
  private readonly input: SetupOptions;
  private readonly deps: SetupDeps;
  private readonly key: MailboxKey;
  private readonly journal: Journal;

  constructor(input: SetupOptions, deps: SetupDeps, key: MailboxKey, interrupted: InterruptedSetup | undefined) {
    this.input = input;
    this.deps = deps;
    this.key = key;
    this.journal = new Journal(deps, key, interrupted);
  }

  async run(first: FirstAnswers): Promise<SetupOutcome> {
    const { deps, input, journal } = this;
    const existing = await deps.mailboxes.readMailbox(this.key);
    // Without a person every missing answer is said at once, before the network and the keychain are touched.
    const early = deps.canAsk ? undefined : await this.answers(first, existing);
    // Read once: it may come through a pipe.
    const given = await certificateFromFiles(deps, input, first.mailbox);
    const { cloud: begunIn } = journal.now;
    const cloud = await deps.cloud(begunIn === undefined ? existing : { cloud: begunIn });
    journal.startIn(cloud);
    if (early !== undefined) {
      // Where nothing changes, nobody has to agree.
      const untouched = await this.unchanged(existing, early, cloud);
      if (untouched !== undefined) return { kind: 'already', record: untouched };
      this.requireRest(early, existing, cloud);
    }
    const store = await this.openStore(existing);
    const domainOrId = input.flags.tenant ?? journal.now.answers.tenant ?? tenantForMailbox(first.mailbox);
    const tenant = await findTenant(deps, cloud, domainOrId);
    const wanted = early ?? (await this.answers(first, existing));
    const untouched = early === undefined ? await this.unchanged(existing, wanted, cloud) : undefined;
    if (untouched !== undefined) return { kind: 'already', record: untouched };
    const certificate = wanted.access === 'app-only' ? (given ?? (await heldCertificate(deps.ctx, store, this.key))) : undefined;
    return this.carryOut(wanted, first, { existing, cloud, tenant, store, certificate });
  }

  private answers(first: FirstAnswers, existing: MailboxRecord | undefined): Promise<Answers> {
    return remainingAnswers(first, this.input.flags, earlierOf(this.journal.now, existing), this.deps);
  }

  private requireRest(answers: Answers, existing: MailboxRecord | undefined, cloud: Cloud): void {
    requirePassword(answers, this.input, this.deps);
    if (this.standingApp(answers) !== undefined) return;
    const kept = this.journal.now.done.includes('store') || existing !== undefined;
    requireAnswers(answers, this.input, this.deps, cloud, kept);
  }

  /** Finished, signed in and the same answers: nothing to do. */
  private async unchanged(existing: MailboxRecord | undefined, answers: Answers, cloud: Cloud): Promise<MailboxRecord | undefined> {
    const { deps, input, journal } = this;
    if (existing === undefined || journal.now.done.length > 0 || bringsCredential(input)) return undefined;
    if (!isSameSetup(existing, answers, cloud)) return undefined;
    const skips = answers.access === 'app-only' ? input.flags.signIn === 'skip' : answers.signIn === 'skip';
    const ready = skips || (await storedToken(await deps.store(existing), existing)) !== undefined;
    return ready && !(await isAppDeleted(deps, existing, cloud)) ? existing : undefined;
  }

  /** Tried before any browser is opened. */
  private async openStore(existing: MailboxRecord | undefined): Promise<SecretStore> {
    const { deps, input, key } = this;
    deps.report.progress('store', 'started', 'Trying the secret store');
    const store = await deps.probedStore(this.journal.now.store ?? existing?.store);
    this.journal.storeIn(store.name);
    deps.report.progress('store', 'done', `Secret store works: ${store.describe()}`);
    if (input.fresh) await store.remove(pendingSecretEntry(key));
    return store;
  }

  private async carryOut(wanted: Answers, first: FirstAnswers, place: Place): Promise<SetupOutcome> {
    const { deps, input, journal } = this;
    const { cloud, store } = place;
    // Read now: with the agreement this run's answers take the place of the interrupted one's.
    const { saved, madeClientId } = earlierOf(journal.now, undefined);
    const pendingSecretOf = saved.clientId ?? madeClientId;
    const before = await this.registeredBefore(wanted, place);
    const answers = before === undefined ? await this.agree(wanted, first, place) : wanted;
    if (answers.register === 'handoff') return this.handOff(answers, place);
    const registered = before ?? (await this.register(answers, place, pendingSecretOf));
    await journal.registered(registered.answers, registered.registration);
    const record = this.recordOf(registered, place);
    const standing = { deps, input, journal, store, cloud, record, registered };
    try {
      if (opensConsentPage(answers, input.flags.consent, journal.now.consentAsked)) {
        await askForConsent(standing);
        await journal.consentAsked();
      }
      return await endSetup(standing);
    } catch (error) {
      if (isAboutApp(error)) await journal.doubtApp();
      throw error;
    }
  }

  private recordOf({ answers, registration }: Registered, { existing, cloud, tenant, store }: Place): MailboxRecord {
    const createdAt = existing?.createdAt ?? rfc3339(this.deps.ctx.clock.now());
    return recordOf({ key: this.key, answers, registration, tenant, cloud, store: store.name, createdAt });
  }

  /** The summary, and the one question before anything is done. Answers how it goes on: another way where `auto` was declined. */
  private async agree(answers: Answers, first: FirstAnswers, place: Place): Promise<Answers> {
    const { deps, input, journal } = this;
    const { ctx, report } = deps;
    const { existing, cloud, tenant, store, certificate } = place;
    report.show(renderSummary(summaryFacts(answers, tenant, cloud, store.describe()), columnsOf(ctx.err)));
    if (!cloud.verified)
      report.note(`The hosts and scopes of the cloud "${cloud.name}" are unverified: Microsoft does not document them all.`);
    if (answers.register === 'auto') {
      // Nobody chose this way by name, and nothing of it was begun.
      const open = input.flags.register === undefined && existing === undefined && journal.now.registration === undefined;
      await journal.agreed(answers);
      const way = await agreeToChange(answers, tenant, deps, open, certificate && publicPart(certificate));
      return way === 'auto' ? answers : this.anotherWay(way, first);
    }
    if (deps.canAsk && !(await ctx.prompts.confirm({ message: 'Go ahead?', default: true }))) throw problem('setup-declined', {});
    await journal.agreed(answers);
    return answers;
  }

  private async anotherWay(register: Answers['register'], first: FirstAnswers): Promise<Answers> {
    const { deps, input, journal } = this;
    const flags = { ...input.flags, register };
    const instead = await remainingAnswers(first, flags, earlierOf(journal.now, undefined), deps);
    await journal.agreed(instead);
    return instead;
  }

  /** Somebody else is the administrator: the folder is written, and the set-up waits for the app's ID. */
  private async handOff(answers: Answers, { cloud, tenant }: Place): Promise<SetupOutcome> {
    const { deps, key, journal } = this;
    const { registration } = journal.now;
    const setupId = registration?.setupId ?? deps.ctx.random.uuid();
    await journal.registering({ grantIds: [], ...registration, setupId });
    const written = await writeForAdministrator(answers, { deps, key, tenant, cloud, setupId });
    return { kind: 'handed-off', key, tenantId: tenant.id, ...written };
  }

  private register(
    answers: Answers,
    { existing, cloud, tenant, store, certificate }: Place,
    pendingSecretOf: string | undefined,
  ): Promise<Registered> {
    const { deps, input, key, journal } = this;
    return register(answers, {
      deps,
      input,
      key,
      tenant,
      cloud,
      store,
      journal,
      pendingSecretOf,
      ...(certificate && { certificate }),
      madeBefore: journal.now.registration ?? madeBefore(existing),
    });
  }

  /**
   * An earlier run ended after the registration, and its answers still hold: only consent and the sign-in are left. A proof needs its
   * redirect in the tenant, and one that was left there must go again.
   */
  private standingApp(answers: Answers): Registration | undefined {
    const { app, answers: saved, registration } = this.journal.now;
    if (bringsCredential(this.input) || registration?.proofRedirect !== undefined) return undefined;
    if (answers.register === 'auto' && wantsProof(answers)) return undefined;
    if (app === undefined || lacksPublicFlows(app, answers)) return undefined;
    return isSameApp(saved, answers) ? app : undefined;
  }

  private async registeredBefore(answers: Answers, place: Place): Promise<Registered | undefined> {
    const registration = this.standingApp(answers);
    if (registration === undefined) return undefined;
    const { store, cloud } = place;
    const isConfidential = registration.clientType === 'confidential';
    const clientSecret = isConfidential
      ? ((await store.read(pendingSecretEntry(this.key))) ?? (await store.read(clientSecretEntry(this.key))))
      : undefined;
    if (isConfidential && clientSecret === undefined) return undefined;
    const before: Registered = { answers, registration, ...defined({ clientSecret }) };
    return (await isAppDeleted(this.deps, this.recordOf(before, place), cloud)) ? undefined : before;
  }
}

const earlierOf = ({ answers: saved, app, registration }: InterruptedSetup, existing: MailboxRecord | undefined): Earlier => ({
  saved,
  existing,
  ...defined({ madeClientId: app?.clientId ?? registration?.appId }),
});

/** What an administrator may have to put right at the app itself. */
const isAboutApp = (error: unknown): boolean =>
  error instanceof MailauthError && (Object.hasOwn(appEntries, error.code) || error.code === 'app-role-missing');

/** What the operator brings is put in the place of what is stored, so there is something to do. */
const bringsCredential = ({ clientSecretFile, certificateFile }: SetupOptions): boolean =>
  clientSecretFile !== undefined || certificateFile !== undefined;
