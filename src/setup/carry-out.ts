import { MailauthError } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { rfc3339 } from '../core/time.ts';
import { appEntries } from '../errors/catalogue/entra/entra-app-errors.ts';
import type { Answers } from './answers/answers.ts';
import { recordOf } from './answers/answers-record.ts';
import { endSetup, type SetupOutcome } from './ending.ts';
import { madeBefore } from './journal/journal-file.ts';
import type { OpenSetup, SetupPlan } from './journal/setup-deps.ts';
import { withAdministrator } from './register/admin-step.ts';
import { agreeToSetup } from './register/agree-step.ts';
import { beginRegistration } from './register/auto.ts';
import { writeForAdministrator } from './register/handoff-step.ts';
import { withOpener } from './register/opener-step.ts';
import { register } from './register/register-step.ts';
import { registeredBefore } from './register/registered-before.ts';
import type { RegistrationStep } from './register/registration-step.ts';
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
  const before = await registeredBefore(setup, plan.answers, plan, recordFor);
  if (before === undefined) await agreeToSetup(setup, plan);
  const step: RegistrationStep = {
    ...setup,
    ...{ tenant, cloud, store },
    ...(certificate && { certificate }),
    madeBefore: journal.now.registration ?? madeBefore(existing),
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
    return await endSetup(registeredSetup);
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
  if (before !== undefined) return { ...before, answers: await withOpener(answers, setup) };
  if (answers.register === 'handoff') return undefined;
  if (answers.register !== 'auto') return register(await withOpener(answers, setup), step);
  let madeBefore = await beginRegistration(step);
  // With another account it goes on where the one before was stopped.
  return withAdministrator(answers, step, async (graph) => {
    madeBefore = step.journal.now.registration ?? madeBefore;
    return register(await withOpener(answers, setup, graph), { ...step, madeBefore, graph });
  });
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
