import type { Cloud, Tenant } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord, Registration } from '../../core/mailbox.ts';
import { authorityOf } from '../../core/sign-in-authority.ts';
import type { SecretStore } from '../../core/stores.ts';
import { checkClient } from '../../entra/client-check.ts';
import { secretFor } from '../../tokens/bound.ts';
import { appOf } from '../../tokens/refresh.ts';
import type { Answers } from '../answers/answers.ts';
import { isSameApp } from '../answers/answers-record.ts';
import { wantsProof } from '../answers/fitting.ts';
import { lacksPublicFlows } from '../answers/questions.ts';
import type { InterruptedSetup } from '../journal/journal-file.ts';
import type { OpenSetup, SetupDeps, SetupOptions } from '../journal/setup-deps.ts';
import type { Registered } from '../sign-in/registered-setup.ts';

/**
 * The app of an earlier run that ended after the registration, where its answers are still the same: only consent and the sign-in are
 * left. A proof needs its redirect in the tenant, and one that was left there must be removed, so with a proof the app is looked at again.
 */
export function appBefore(interrupted: InterruptedSetup, answers: Answers, input: SetupOptions): Registration | undefined {
  const { app, answers: saved, registration } = interrupted;
  if (bringsCredential(input) || registration?.proofRedirect !== undefined) return undefined;
  if (answers.register === 'auto' && wantsProof(answers)) return undefined;
  if (app === undefined || lacksPublicFlows(app, answers)) return undefined;
  return isSameApp(saved, answers) ? app : undefined;
}

/** That app with its client secret, where the store has the secret and the app was not deleted. `recordOf`: the mailbox file it would get. */
export async function registeredBefore(
  { deps, input, key, journal }: OpenSetup,
  answers: Answers,
  { store, cloud, tenant }: { readonly store: SecretStore; readonly cloud: Cloud; readonly tenant: Pick<Tenant, 'id'> },
  recordOf: (registered: Registered) => MailboxRecord,
): Promise<Registered | undefined> {
  const registration = appBefore(journal.now, answers, input);
  if (registration === undefined) return undefined;
  const isConfidential = registration.clientType === 'confidential';
  const clientSecret = isConfidential
    ? await secretFor(store, key, authorityOf(cloud, { tenantId: tenant.id, clientId: registration.clientId }), registration.shared)
    : undefined;
  if (isConfidential && clientSecret === undefined) return undefined;
  const before: Registered = { answers, registration, ...defined({ clientSecret }) };
  return (await isAppDeleted(deps, recordOf(before), cloud)) ? undefined : before;
}

/** What the operator brings replaces what is stored, so there is something to do. */
export const bringsCredential = ({ clientSecretFile, certificateFile }: SetupOptions): boolean =>
  clientSecretFile !== undefined || certificateFile !== undefined;

/**
 * Was the registration deleted that mailauth made for a finished set-up? Only Entra's plain "unknown application" says so: without a
 * network, or with any other answer, the set-up is taken as it is.
 */
export async function isAppDeleted(deps: SetupDeps, existing: MailboxRecord, cloud: Cloud): Promise<boolean> {
  const { registration } = existing;
  if (!registration.madeByMailauth || registration.made === undefined) return false;
  try {
    const store = await deps.store(existing);
    await checkClient(await appOf(existing, { ...deps, cloud, isChosen: false, store }));
    return false;
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
    if (error.code !== 'client-unknown') return false;
    deps.report.note(`The app ${registration.clientId} is not in the tenant any more: it was deleted.`);
    return true;
  }
}
