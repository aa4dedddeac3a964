import { portalSteps } from '../by-hand/portal-steps.ts';
import type { Cloud, Tenant } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import { Back, MailauthError } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { again } from '../core/next.ts';
import { authorityOf } from '../core/sign-in-authority.ts';
import type { SecretStore } from '../core/stores.ts';
import { tenantForMailbox } from '../entra/discovery.ts';
import { problem } from '../errors/problem.ts';
import { headingOf, stepScreen } from '../products/step/step-text.ts';
import { pendingSecretEntry, refuseNewerIn, secretEntriesOf } from '../store/token-entry.ts';
import type { Answers } from './answers/answers.ts';
import { answer } from './answers/ask.ts';
import { asks, missingAgreement, missingClientId, missingPassword, missingSecret } from './answers/missing.ts';
import { checkedAnswer } from './answers/question.ts';
import { questions } from './answers/questions.ts';
import { type Earlier, type FirstAnswers, inTenant, remainingAnswers, type SharedBy } from './answers/remaining-answers.ts';
import type { Already } from './ending.ts';
import { already, discover, unchanged } from './finished-setup.ts';
import type { InterruptedSetup } from './journal/journal-file.ts';
import type { OpenSetup, SetupDeps, SetupOptions, SetupPlan } from './journal/setup-deps.ts';
import { certificateFromFiles, heldCertificate } from './register/app-certificate.ts';
import { withFixedPort } from './register/fixed-port.ts';
import { type AppPlace, requireKnownApp } from './register/known-app.ts';
import { appBefore } from './register/registered-before.ts';
import { planAnswers } from './register/registration-step.ts';
import { sharedByOthers } from './register/shared-app.ts';
import { chosenStore } from './store-step.ts';

/** Asks and looks up everything and changes nothing. `already`: the set-up is finished, and these answers would make it again. */
export async function planSetup(
  setup: OpenSetup,
  first: FirstAnswers,
): Promise<Already | { readonly kind: 'plan'; readonly plan: SetupPlan }> {
  const { deps, input, key, journal } = setup;
  const existing = await deps.mailboxes.readMailbox(key);
  const isAltered = await findsAltered(deps, existing);
  const ask = async (tenant?: Tenant, sharedBy?: SharedBy) => {
    const asker = { ...deps, said: setup.said, ...defined({ tenantId: tenant?.id, sharedBy }) };
    return withFixedPort(await remainingAnswers(first, input.flags, earlierOf(journal.now, existing), asker), existing, deps);
  };
  // Without a person, the first missing answer ends the run here, before the network and the keychain are touched.
  const early = deps.canAsk ? undefined : await ask();
  // Read once: it may come through a pipe.
  const given = await certificateFromFiles(deps, input, first.mailbox);
  const { cloud: begunIn } = journal.now;
  const cloud = await deps.cloud(begunIn !== undefined ? { cloud: begunIn } : isAltered ? undefined : existing);
  journal.startIn(cloud);
  if (early !== undefined) {
    // Where nothing changes, there is nothing to agree to.
    const untouched = isAltered ? undefined : await unchanged(setup, existing, early, cloud);
    if (untouched !== undefined) return already(deps, untouched, early);
    requireRest(setup, early, existing, cloud);
  }
  await askOpenTenant(setup, first);
  const named = input.flags.tenant ?? journal.now.answers.tenant;
  const lookUp = () =>
    findTenant(setup, cloud, named ?? tenantForMailbox(first.mailbox)).catch((error: unknown) => {
      throw named === undefined ? withOtherMailbox(error) : error;
    });
  // Nobody is asked to agree to a change in a tenant that does not exist.
  if (early !== undefined && lacksAgreement(setup, early)) {
    await lookUp();
    throw missingAgreement(early);
  }
  setup.found.store ??= await openStore(setup, existing);
  const { store } = setup.found;
  const tenant = await lookUp();
  const answers = early ?? (await ask(tenant, await sharedByOthers(setup, tenant, cloud)));
  if (early?.clientId !== undefined) checkedAnswer(inTenant(questions.clientId, tenant.id), early.clientId, early);
  const untouched = early === undefined && !isAltered ? await unchanged(setup, existing, answers, cloud) : undefined;
  if (untouched !== undefined) return already(deps, untouched, answers);
  if (early === undefined) await requireAppInTenant(answers, { cloud, tenant }, setup);
  const certificate =
    answers.access === 'app-only'
      ? (given ?? (await heldCertificate(deps.ctx, store, key, authorityOf(cloud, { tenantId: tenant.id }))))
      : undefined;
  return { kind: 'plan', plan: { first, answers, existing, cloud, tenant, store, certificate } };
}

/** An app that exists is looked at before anything else is asked of the person. Throws `Back`. */
async function requireAppInTenant({ register, clientId }: Answers, place: AppPlace, { deps, said }: OpenSetup): Promise<void> {
  if (register === 'existing' && clientId !== undefined) await requireKnownApp(clientId, place, deps, said);
}

/** A person who wants to name the tenant does so before it is looked for. Throws `Back`, so that the answer counts as a flag. */
async function askOpenTenant({ deps, said, input }: OpenSetup, first: FirstAnswers): Promise<void> {
  if (!said.isOpen('tenant')) return;
  await answer([questions.tenant], first, { ...deps, said, flags: input.flags, saved: {} });
  throw new Back();
}

/** A mailbox file that was altered is set up anew: its cloud and its addresses are not taken over. Throws `home-exposed`. */
async function findsAltered(deps: SetupDeps, existing: MailboxRecord | undefined): Promise<boolean> {
  try {
    await deps.refuseSteered(existing);
    return false;
  } catch (error) {
    if (!(error instanceof MailauthError) || error.code !== 'mailbox-file-altered') throw error;
    deps.report.note(`${error.title}. The set-up finds the addresses anew.`);
    return true;
  }
}

/** What the questions take over from earlier runs. */
export const earlierOf = ({ answers: saved, app, registration }: InterruptedSetup, existing: MailboxRecord | undefined): Earlier => ({
  saved,
  existing,
  ...defined({ madeClientId: app?.clientId ?? registration?.appId }),
});

/** Throws what is missing for this way to register and to sign in: `answer-missing`, `paste-not-asked` (3). */
export function requireRest(
  { deps, input, journal }: OpenSetup,
  answers: Answers,
  existing: MailboxRecord | undefined,
  cloud: Cloud,
): void {
  requirePassword(answers, input, deps);
  if (answers.signIn === 'paste' && !deps.canPaste) throw problem('paste-not-asked', {});
  if (appBefore(journal.now, answers, input) !== undefined) return;
  const kept = journal.now.done.includes('store') || existing !== undefined;
  requireAnswers(answers, input, deps, cloud, kept);
}

/** The store is tried before any browser is opened. */
async function openStore({ deps, input, key, journal }: OpenSetup, existing: MailboxRecord | undefined): Promise<SecretStore> {
  deps.report.progress('store', 'started', 'Trying the secret store');
  const store = await chosenStore(deps, journal.now.store ?? existing?.store);
  await refuseNewerIn(store, secretEntriesOf(key));
  journal.storeIn(store.name);
  // Where the sandbox keeps its own was said already.
  deps.report.progress('store', 'done', `Secret store works${store.name === 'sandbox-file' ? '' : `: ${store.describe()}`}`);
  if (input.fresh) await store.remove(pendingSecretEntry(key));
  return store;
}

/** The tenant was looked for by the mailbox's domain, so the same mailbox would lead to the same error. */
const withOtherMailbox = (error: unknown): unknown =>
  error instanceof MailauthError && error.code === 'tenant-unknown'
    ? error.but({ next: [asks(again({ mailbox: false }), '--mailbox'), ...error.next.slice(1)] })
    : error;

/** Finds a tenant by its domain or ID. A person may name another one, or mend the mailbox. Throws what discovery throws, and `Back`. */
async function findTenant({ deps, said, found, key }: OpenSetup, cloud: Cloud, asked: string): Promise<Tenant> {
  const known = found.tenants.get(`${cloud.name} ${asked}`);
  if (known !== undefined) return known;
  const { ctx, report } = deps;
  try {
    report.progress('tenant', 'started', `Looking for the tenant of ${asked}`);
    const tenant = await discover(deps, cloud, asked);
    report.progress('tenant', 'done', `Tenant ${asked} (${tenant.id})`);
    report.detail(`authorization endpoint ${tenant.endpoints.authorization}`);
    report.detail(`token endpoint         ${tenant.endpoints.token}`);
    found.tenants.set(`${cloud.name} ${asked}`, tenant);
    return tenant;
  } catch (error) {
    if (!deps.canAsk || !(error instanceof MailauthError) || error.code !== 'tenant-unknown') throw error;
    report.progress('tenant', 'failed', error.title);
    const choices = [
      { value: 'mailbox', name: `Change the address (${key.mailbox})` },
      { value: 'tenant', name: 'Name the tenant', description: "its domain or its ID, where the mailbox's domain belongs to another one" },
      { value: 'stop', name: 'Stop' },
    ] as const;
    const chosen = await ctx.prompts.select({ message: 'What now?', choices, back: said.canGoBack });
    if (chosen === 'stop') throw error;
    if (chosen === 'mailbox') said.change('mailbox', key.mailbox);
    else said.change('tenant', asked);
    throw new Back();
  }
}

/**
 * Without a person: what `register` would have to ask for, said before the network and the keychain are touched.
 * `kept`: an earlier run may have left a client secret in the store. Throws `answer-missing`.
 */
function requireAnswers(answers: Answers, input: SetupOptions, deps: SetupDeps, cloud: Cloud, kept: boolean): void {
  if (answers.register === 'handoff') return;
  if (answers.register === 'auto') return;
  if (answers.clientId === undefined) {
    // The steps in the portal are worth reading also where there is no person to ask.
    const steps = answers.register === 'portal' ? portalSteps({ ...planAnswers(answers), portal: cloud.portal }) : [];
    steps.forEach((step, i) => {
      deps.report.show(stepScreen(step, headingOf(step, i, steps.length), deps.ctx));
    });
    throw missingClientId(answers);
  }
  const secretKnown =
    kept || input.clientSecretFile !== undefined || input.certificateFile !== undefined || deps.knownSecret(answers.clientId) !== undefined;
  if (answers.clientType === 'confidential' && !secretKnown) throw missingSecret(answers.mailbox, answers.clientId);
}

/** The change in the tenant was not agreed to, and there is no person to ask. */
const lacksAgreement = ({ deps, input, journal }: OpenSetup, answers: Answers): boolean =>
  answers.register === 'auto' && !deps.agreed && appBefore(journal.now, answers, input) === undefined;

/** The same for the sign-in with a password: without it nothing is worth a change in the tenant. Throws `answer-missing`. */
function requirePassword(answers: Answers, { passwordFile }: SetupOptions, { canAsk }: SetupDeps): void {
  if (answers.signIn === 'password' && passwordFile === undefined && !canAsk) throw missingPassword(answers);
}
