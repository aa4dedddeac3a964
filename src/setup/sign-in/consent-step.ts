import type { Cloud } from '../../core/cloud.ts';
import { isLoopback, type MailboxRecord } from '../../core/mailbox.ts';
import type { Command } from '../../core/next.ts';
import { delegatedPermissionsOf } from '../../core/permissions.ts';
import { isGuid, plain } from '../../core/text.ts';
import { adminConsentUrl, isConsentSeen } from '../../entra/consent.ts';
import { problem } from '../../errors/problem.ts';
import type { AuthorizationAnswer } from '../../oauth/authorization-answer.ts';
import { browserTrip } from '../../oauth/browser-trip.ts';
import { entraProblem, readEntraError } from '../../oauth/entra-error.ts';
import { consentPage } from '../../oauth/loopback-pages.ts';
import { scopesBeside } from '../../oauth/scopes.ts';
import type { Answers } from '../answers/answers.ts';
import { resumeHere, type SetupDeps, setupHere } from '../journal/setup-deps.ts';
import { adminGraph } from './admin-graph.ts';
import { asBrowsersSeeIt, type ConsentWait, untilConsented, waitForConsent } from './consent-wait.ts';
import type { RegisteredSetup } from './registered-setup.ts';
import { browserMethod } from './sign-in-step.ts';

/**
 * Is the admin-consent page opened? With the portal its own screen is the usual way, so there it takes the flag. Gone on with after a
 * refusal (`again`), the sign-in tells whether an administrator has accepted in the meantime; without a sign-in only this page does.
 */
export function opensConsentPage({ register: way, consent, signIn, access }: Answers, flag: string | undefined, again: boolean): boolean {
  // An app that acts for itself has no redirect URI that the page could come back to.
  if (way === 'auto' || consent !== 'admin' || access === 'app-only') return false;
  const named = flag === 'admin';
  return again ? named || signIn === 'skip' : named || way === 'existing';
}

/** The admin-consent page, before anybody signs in to the mailbox; where it is refused, an administrator may be waited for. */
export async function askForConsent(at: RegisteredSetup): Promise<void> {
  const { deps, record, cloud, registered } = at;
  try {
    await adminConsent(record, cloud, browserMethod(registered.answers.signIn), deps);
  } catch (error) {
    await waitForConsent(error, consentWait(at));
  }
}

/** A sign-in that may find out that consent is missing: noted, waited for, tried again. Throws what the attempt throws. */
export const withConsent = <T>(at: RegisteredSetup, attempt: () => Promise<T>): Promise<T> => untilConsented(attempt, consentWait(at));

/** How this set-up waits for consent: Graph is asked where its token is at hand, from the registration or from the environment. */
function consentWait({ deps, journal, record, cloud, registered }: RegisteredSetup): ConsentWait {
  const { tenantId: id, endpoints, registration, protocols } = record;
  const { graph } = registered;
  const names = delegatedPermissionsOf(protocols);
  const again = resumeHere(record, cloud);
  const look = async () => {
    const asked =
      graph ?? (await adminGraph(deps, { tenant: { id, foundBy: id, endpoints }, cloud, again, otherWays: [], method: 'browser' }));
    return isConsentSeen(asked, registration.clientId, names);
  };
  const atHand = graph !== undefined || Boolean(deps.ctx.env.MAILAUTH_GRAPH_TOKEN);
  return { deps, record, cloud, again, journal, ...(atHand ? { look } : {}) };
}

/**
 * `--consent admin` for an app that exists: the admin-consent address in a browser, its answer caught here. Only where the app has a
 * redirect to this computer; otherwise the portal's "Grant admin consent" is the way, and the sign-in shows whether it was done.
 * Throws `consent-declined`, `consent-needed` (both 6), `consent-other-tenant`, and Entra's other problems.
 */
async function adminConsent(record: MailboxRecord, cloud: Cloud, method: 'browser' | 'paste', deps: SetupDeps): Promise<void> {
  const { ctx, report } = deps;
  const { clientId, redirectUri: registered } = record.registration;
  if (!isLoopback(registered)) {
    report.note(`Consent for the organization: Entra > App registrations > ${clientId} > API permissions > Grant admin consent.`);
    return;
  }
  const again = setupHere(record, cloud, { resume: true, consent: 'admin' });
  await browserTrip(
    ctx,
    {
      redirectUri: registered,
      loopback: true,
      method,
      waitMs: deps.browserTimeoutMs,
      again,
      canAsk: deps.asksForAddress ?? deps.canAsk,
      address: async ({ redirectUri, state }) =>
        adminConsentUrl({
          cloud: asBrowsersSeeIt(cloud, record.endpoints.authorization),
          tenant: record.tenantId,
          clientId,
          scopes: [...record.scopes, ...scopesBeside(cloud, record.protocols, record)],
          redirectUri,
          state,
        }),
    },
    {
      ...{ report, step: 'consent' },
      atAddress: 'Consent for the whole organization, as an administrator, at this address:',
      inBrowser: 'Consent there for the whole organization, as an administrator.',
    },
    async (answer) => {
      judge(answer, record, cloud, again);
      return { value: undefined, page: consentPage() };
    },
  );
  report.progress('consent', 'done', 'Consent given for the whole organization');
}

/** The state was compared before. An error beside `admin_consent=True` is a refusal, and a consent elsewhere is none here. */
function judge(answer: AuthorizationAnswer, record: MailboxRecord, cloud: Cloud, again: Command): void {
  const { tenantId, mailbox, registration, scopes } = record;
  if (answer.kind === 'consented') {
    const { tenant } = answer;
    if (tenant === undefined || !isGuid(tenantId) || tenant.toLowerCase() === tenantId.toLowerCase()) return;
    throw problem('consent-other-tenant', { tenantId: plain(tenant, 64), wanted: tenantId, again });
  }
  const { clientId, redirectUri } = registration;
  const blanks = { cloud, tenant: tenantId, clientId, scopes, mailbox, redirectUri };
  if (answer.kind === 'code') throw entraProblem({ error: 'no answer to the consent' }, blanks);
  const said = readEntraError({ error: answer.error, error_description: answer.description, error_subcode: answer.subcode });
  throw entraProblem(said ?? { error: answer.error }, blanks);
}
