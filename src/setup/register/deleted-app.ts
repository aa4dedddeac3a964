import type { Cloud } from '../../core/cloud.ts';
import { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { checkClient } from '../../entra/client-check.ts';
import { appOf } from '../../tokens/refresh.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';

/**
 * Did somebody delete the registration that mailauth made for a finished set-up? Only Entra's plain "unknown application" counts: without
 * a network, or with any other answer, the set-up is taken as it stands.
 */
export async function isAppDeleted(deps: SetupDeps, existing: MailboxRecord, cloud: Cloud): Promise<boolean> {
  const { registration } = existing;
  if (!registration.madeByMailauth || registration.made === undefined) return false;
  try {
    const store = await deps.store(existing);
    await checkClient(await appOf(existing, { ...deps, cloud, store }));
    return false;
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
    if (error.code !== 'client-unknown') return false;
    deps.report.note(`The app ${registration.clientId} is not in the tenant any more: somebody deleted it.`);
    return true;
  }
}
