import { MailauthError } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { rfc3339 } from '../core/time.ts';
import { appEntries } from '../errors/catalogue/entra/entra-app-errors.ts';
import { withAppLocked } from '../secrets/app-users.ts';
import type { Answers } from './answers/answers.ts';
import { recordOf } from './answers/answers-record.ts';
import { isShared } from './answers/question.ts';
import { endSetup, type SetupOutcome } from './ending.ts';
import { type JournaledRegistration, madeBefore } from './journal/journal-file.ts';
import type { OpenSetup, SetupPlan } from './journal/setup-deps.ts';
import { withAdministrator } from './register/admin-step.ts';
import { agreeToSetup } from './register/agree-step.ts';
import { beginRegistration } from './register/auto.ts';
import { coveredBy } from './register/covered.ts';
import { writeForAdministrator } from './register/handoff-step.ts';
import { withOpener } from './register/opener-step.ts';
import { register } from './register/register-step.ts';
import { registeredBefore } from './register/registered-before.ts';
import type { RegistrationStep } from './register/registration-step.ts';
import { forgetFormer, sharedBefore, sharing, spread, takeOffered } from './register/shared-app.ts';
import { askForConsent, opensConsentPage } from './sign-in/consent-step.ts';
import type { Registered } from './sign-in/registered-setup.ts';

/** Agreement, registration, consent; `ending.ts` has the sign-in and the tests. */
export async function carryOut(setup: OpenSetup, plan: SetupPlan): Promise<SetupOutcome> {
  const { deps, input, key, journal } = setup;
  const { existing, cloud, tenant, store, certificate } = plan;
  const recordFor = ({ answers, registration }: Registered): MailboxRecord => {
    const createdAt = existing?.createdAt ?? rfc3339(deps.ctx.clock.now());
    return recordOf({ key, answers, registration, tenant, cloud, store: store.name, createdAt });
  };
  const wantsShared = isShared(plan.answers);
  const place = { cloud, tenantId: tenant.id, answers: plan.answers };
  if (plan.answers.sharedApp === 'take') await takeOffered(setup, place);
  const users = wantsShared ? await sharing(deps, place) : [];
  const before = (await registeredBefore(setup, plan.answers, plan, recordFor)) ?? (await coveredBy(users, setup, plan));
  if (before === undefined) await agreeToSetup(setup, plan, users);
  const step: RegistrationStep = {
    ...setup,
    ...{ tenant, cloud, store },
    ...(certificate && { certificate }),
    isShared: wantsShared,
    ...(wantsShared && { alone: (work) => withAppLocked(deps, { tenantId: tenant.id, for: key.for }, appLockWaitMs, work) }),
    madeBefore: madeForThis(setup, plan),
  };
  const registered = await registeredFor(plan.answers, { setup, step, before });
  if (registered === undefined) return handOff(setup, await withOpener(plan.answers, setup), plan);
  const { answers } = registered;
  await journal.registered(registered.answers, registered.registration);
  const registeredSetup = { ...setup, store, cloud, record: recordFor(registered), registered };
  try {
    if (opensConsentPage(answers, input.flags.consent, journal.now.consentAsked)) {
      await askForConsent(registeredSetup);
      await journal.consentAsked();
    }
    const ended = await endSetup(registeredSetup);
    if (existing !== undefined && ended.kind === 'done') await forgetFormer(deps, existing, ended.record, store);
    return ended;
  } catch (error) {
    if (isAboutApp(error)) await journal.doubtApp();
    throw error;
  }
}

interface Registering {
  readonly setup: OpenSetup;
  readonly step: RegistrationStep;
  readonly before: Registered | undefined;
}

/** The app, registered now or before; undefined where another person will register it. Who opens the mailbox is known by then. */
async function registeredFor(answers: Answers, { setup, step, before }: Registering): Promise<Registered | undefined> {
  const { alone = (work) => work() } = step;
  if (before !== undefined) return alone(async () => spreadIf(step, { ...before, answers: await withOpener(answers, setup) }));
  if (answers.register === 'handoff') return undefined;
  if (answers.register !== 'auto') {
    const opened = await withOpener(answers, setup);
    return alone(async () => spreadIf(step, await register(opened, step)));
  }
  let madeBefore = await beginRegistration(step);
  // With another account it goes on where the one before was stopped.
  return withAdministrator(answers, step, async (graph) => {
    const opened = await withOpener(answers, setup, graph);
    return alone(async () => {
      // Another set-up may have made the app since.
      const shared = step.isShared ? await sharedBefore(step, opened) : undefined;
      madeBefore = shared ?? step.journal.now.registration ?? madeBefore;
      return spreadIf(step, await register(opened, { ...step, madeBefore, graph }));
    });
  });
}

const spreadIf = async (step: RegistrationStep, registered: Registered): Promise<Registered> =>
  step.isShared ? spread(registered, step) : registered;

/** Another set-up of this app needs seconds for it, or minutes while Microsoft asks to slow down. */
const appLockWaitMs = 300_000;

/** What an earlier run made for the same kind of app: one of its own is not made into one for all, nor the other way round. */
function madeForThis({ journal }: OpenSetup, { answers, existing }: SetupPlan): JournaledRegistration | undefined {
  const wanted = isShared(answers);
  const { registration } = journal.now;
  if (registration !== undefined && (registration.shared === true) === wanted) return registration;
  return (existing?.registration.shared === true) === wanted ? madeBefore(existing) : undefined;
}

/** Another person is the administrator: the folder is written, and the set-up waits for the app's ID. */
async function handOff({ deps, key, journal }: OpenSetup, answers: Answers, { cloud, tenant }: SetupPlan): Promise<SetupOutcome> {
  const { registration } = journal.now;
  const setupId = registration?.setupId ?? deps.ctx.random.uuid();
  await journal.registering({ grantIds: [], ...registration, setupId });
  const written = await writeForAdministrator(answers, { deps, key, tenant, cloud, setupId });
  return { kind: 'handed-off', key, tenantId: tenant.id, ...written };
}

/** Is it something that an administrator may have to correct at the app itself? */
const isAboutApp = (error: unknown): boolean =>
  error instanceof MailauthError && (Object.hasOwn(appEntries, error.code) || error.code === 'app-role-missing');
