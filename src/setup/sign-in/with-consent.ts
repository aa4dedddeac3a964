import { isConsentSeen } from '../../entra/consent.ts';
import { permissionNames } from '../../products/permissions.ts';
import { adminGraph } from '../register/admin-step.ts';
import { resumeHere } from '../setup-commands.ts';
import type { Standing } from '../setup-deps.ts';
import { adminConsent } from './consent-step.ts';
import { type ConsentWait, untilConsented, waitForConsent } from './consent-wait.ts';
import { browserMethod } from './sign-in-step.ts';

/** The admin-consent page, before anybody signs in to the mailbox; where it is refused, an administrator may be waited for. */
export async function askForConsent(at: Standing): Promise<void> {
  const { deps, record, cloud, registered } = at;
  try {
    await adminConsent(record, cloud, browserMethod(registered.answers.signIn), deps);
  } catch (error) {
    await waitForConsent(error, consentWait(at));
  }
}

/** A sign-in that may find out that consent is missing: noted, waited for, tried again. Throws what the attempt throws. */
export const withConsent = <T>(at: Standing, attempt: () => Promise<T>): Promise<T> => untilConsented(attempt, consentWait(at));

/** How this set-up waits for consent: Graph is asked where its token is at hand, from the registration or from the environment. */
function consentWait({ deps, notes, record, cloud, registered }: Standing): ConsentWait {
  const { tenantId: id, endpoints, registration, protocols } = record;
  const { graph } = registered;
  const names = protocols.map((p) => permissionNames[p]);
  const again = resumeHere(record, cloud);
  const look = async () => {
    const asked = graph ?? (await adminGraph(deps, { id, foundBy: id, endpoints }, cloud, again, 'browser'));
    return isConsentSeen(asked, registration.clientId, names);
  };
  const atHand = graph !== undefined || Boolean(deps.ctx.env.MAILAUTH_GRAPH_TOKEN);
  return { deps, record, cloud, again, onMissing: () => notes.consentAsked(), ...(atHand ? { look } : {}) };
}
