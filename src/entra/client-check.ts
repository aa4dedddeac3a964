import type { HttpRequest } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import { publishingPausesMs } from '../core/time.ts';
import { storedThumbprints } from '../oauth/client-certificate.ts';
import { postClientCredentials } from '../oauth/client-credentials.ts';
import { entraProblem } from '../oauth/entra-error.ts';
import type { OAuthApp } from '../oauth/oauth-app.ts';
import { formRequest, readTokenAnswer, type TokenAnswer } from '../oauth/token-exchange.ts';

/** The AADSTS numbers that tell against the app itself. Entra looks at tenant, application and secret before anything else. */
const telling = new Set([700016, 700011, 700038, 90112, 70001, 7000112, 7000215, 7000222, 700027, 90002]);

/** What the token endpoint says about an app. `ok`: it works. `unclear`: nothing tells against it. `unanswered`: no network, or the endpoint was busy. */
interface ClientVerdict {
  readonly kind: 'ok' | 'unclear' | 'unanswered';
}

/** This is not a token. Entra refuses it, and how Entra refuses it is the answer. */
const placeholder = 'mailauth-client-check';

/**
 * Finds a wrong client id or secret before a person is sent to a browser, where Microsoft would show the error and never
 * send it back. An app with a secret or a certificate asks by client credentials (RFC 6749 section 4.4), any other by a refresh that
 * must fail. Throws Entra's problem for what is certainly wrong, and the signal's reason.
 */
export async function checkClient(app: OAuthApp & { readonly mailbox?: string }): Promise<ClientVerdict> {
  const { cloud, tenantId, clientId, mailbox } = app;
  const answer = await ask(app);
  if (answer === undefined) return { kind: 'unanswered' };
  const { error } = answer;
  if (error === undefined) return { kind: 'ok' };
  const codes = (error.codes ?? []).filter((code) => telling.has(code));
  const { status = 0 } = error;
  if (codes.length === 0) return { kind: status === 429 || status >= 500 ? 'unanswered' : 'unclear' };
  throw entraProblem(
    { ...error, codes },
    { cloud, tenant: tenantId, clientId, scopes: [scopeOf(app)], mailbox, certificate: storedThumbprints(app.clientCertificate) },
  );
}

/** undefined: no answer. When the network fails, the sign-in that follows explains it better. */
async function ask(app: OAuthApp): Promise<TokenAnswer | undefined> {
  const { network, clock, signal } = app;
  try {
    const proves = app.clientSecret !== undefined || app.clientCertificate !== undefined;
    const response = await (proves ? postClientCredentials(app, scopeOf(app)) : network.request(refreshThatFails(app)));
    return readTokenAnswer(response, clock.now());
  } catch (error) {
    if (!signal.aborted && error instanceof MailauthError) return undefined;
    throw error;
  }
}

const scopeOf = (app: OAuthApp): string => `${app.cloud.outlookScopeBase}/.default`;

function refreshThatFails(app: OAuthApp): HttpRequest {
  const form = { grant_type: 'refresh_token', client_id: app.clientId, refresh_token: placeholder, scope: scopeOf(app) };
  return formRequest(app.endpoints.token, form, app);
}

/**
 * Proves a secret or an app that was just made. Entra's data centres do not know it all at once: for up to 90 s "unknown app" and "wrong
 * secret" are asked again, visibly. `patient: false` asks once. Throws what `checkClient` throws.
 */
export async function proveSecret(
  app: OAuthApp & { readonly mailbox?: string },
  onWait: (text: string) => void,
  patient = true,
): Promise<ClientVerdict> {
  for (const waitMs of [...(patient ? publishingPausesMs : []), undefined]) {
    try {
      return await checkClient(app);
    } catch (error) {
      const lag = error instanceof MailauthError && (error.code === 'client-unknown' || error.code === 'client-secret-wrong');
      if (waitMs === undefined || !lag) throw error;
      onWait(`Microsoft is still publishing it in its data centres; waiting ${waitMs / 1000} s`);
      await app.clock.sleep(waitMs, app.signal);
    }
  }
  return { kind: 'unclear' };
}
