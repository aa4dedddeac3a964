import type { Cloud } from '../../core/cloud.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { plain } from '../../core/text.ts';
import { adminConsentUrl } from '../../entra/consent.ts';
import { problem } from '../../errors/problem.ts';
import type { AuthorizationAnswer } from '../../oauth/authorization-answer.ts';
import { browserTrip, viewOf } from '../../oauth/browser-trip.ts';
import { entraProblem, readEntraError } from '../../oauth/entra-error.ts';
import { consentPage } from '../../oauth/loopback-pages.ts';
import { isGuid, isLoopback } from '../answers/answers.ts';
import { setupHere } from '../setup-commands.ts';
import type { SetupDeps } from '../setup-deps.ts';
import { asBrowsersSeeIt } from './consent-wait.ts';

/**
 * `--consent admin` for an app that exists: the admin-consent address in a browser, its answer caught here. Only where the app has a
 * redirect to this computer; otherwise the portal's "Grant admin consent" is the way, and the sign-in shows whether it was done.
 * Throws `consent-declined`, `consent-needed` (both 6), `consent-other-tenant`, and Entra's other problems.
 */
export async function adminConsent(record: MailboxRecord, cloud: Cloud, method: 'browser' | 'paste', deps: SetupDeps): Promise<void> {
  const { ctx, report } = deps;
  const { clientId, redirectUri: registered } = record.registration;
  if (!isLoopback(registered)) {
    report.note(`Consent for the organization: Entra > App registrations > ${clientId} > API permissions > Grant admin consent.`);
    return;
  }
  const again = setupHere(record, cloud, '--resume --consent admin');
  await browserTrip(
    ctx,
    {
      redirectUri: registered,
      loopback: true,
      method,
      waitMs: deps.browserTimeoutMs,
      again,
      canAsk: deps.canAsk,
      sandbox: cloud.name === 'sandbox',
      address: async ({ redirectUri, state }) =>
        adminConsentUrl({
          cloud: asBrowsersSeeIt(cloud, record.endpoints.authorization),
          tenant: record.tenantId,
          clientId,
          scopes: record.scopes,
          redirectUri,
          state,
        }),
    },
    viewOf(report, 'consent', 'Consent for the whole organization, as an administrator, at this address:'),
    async (answer) => {
      judge(answer, record, cloud, again);
      return { value: undefined, page: consentPage() };
    },
  );
  report.progress('consent', 'done', 'Consent given for the whole organization');
}

/** The state was compared before. An error beside `admin_consent=True` is a refusal, and a consent elsewhere is none here. */
function judge(answer: AuthorizationAnswer, record: MailboxRecord, cloud: Cloud, again: string): void {
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
