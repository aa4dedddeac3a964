import type { Cloud, Tenant } from '../core/cloud.ts';
import { setupCommand } from '../diagnose/catalogue/entra-words.ts';
import { entraProblem, readEntraError } from '../diagnose/entra-error.ts';
import { adminConsentUrl } from '../entra/consent.ts';
import { browserTrip } from '../oauth/browser-trip.ts';
import { consentPage } from '../oauth/pages.ts';
import { scopesFor } from '../oauth/scopes.ts';
import { type Answers, isLoopback } from './answers.ts';
import type { SetupDeps } from './deps.ts';

/**
 * `--consent admin` for an app that exists: the admin-consent address in a browser, its answer caught here. Only where the app has a
 * redirect to this computer; otherwise the portal's "Grant admin consent" is the way, and the sign-in shows whether it was done.
 * Throws `consent-declined` and Entra's other problems.
 */
export async function adminConsent(answers: Answers, clientId: string, tenant: Tenant, cloud: Cloud, deps: SetupDeps): Promise<void> {
  const { ctx, report } = deps;
  if (!isLoopback(answers.redirectUri)) {
    report.note(`Consent for the organization: Entra > App registrations > ${clientId} > API permissions > Grant admin consent.`);
    return;
  }
  const scopes = scopesFor(cloud, answers.protocols);
  await browserTrip(
    ctx,
    {
      redirectUri: answers.redirectUri,
      loopback: true,
      method: answers.signIn === 'paste' ? 'paste' : 'browser',
      waitMs: deps.browserTimeoutMs,
      again: setupCommand({ mailbox: answers.mailbox, cloud }, `--client-id ${clientId} --consent admin`),
      canAsk: deps.canAsk,
      sandbox: cloud.name === 'sandbox',
      address: async ({ redirectUri, state }) => {
        const url = new URL(adminConsentUrl(cloud, tenant.id, clientId, scopes, redirectUri, state));
        // What a browser opens in the sandbox is plain http; everywhere else both addresses have one origin.
        return cloud.name === 'sandbox' ? url.href.replace(url.origin, new URL(tenant.endpoints.authorization).origin) : url.href;
      },
    },
    {
      authorizationRequired: (url, expiresAt) => {
        report.progress('consent', 'waiting', 'Consent for the whole organization, as an administrator, at this address:');
        report.authorizationRequired(url, expiresAt);
      },
      note: (text) => report.note(text),
      waiting: (text) => report.progress('consent', 'started', text),
    },
    async (answer) => {
      if (answer.kind === 'consented') return { value: undefined, page: consentPage() };
      const said = answer.kind === 'error' ? readEntraError({ error: answer.error, error_description: answer.description }) : undefined;
      throw entraProblem(said ?? { error: answer.kind === 'error' ? answer.error : 'no answer to the consent' }, {
        cloud,
        tenant: tenant.id,
        clientId,
        scopes,
        mailbox: answers.mailbox,
        redirectUri: answers.redirectUri,
      });
    },
  );
  report.progress('consent', 'done', 'Consent given for the whole organization');
}
