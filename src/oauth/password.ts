import { defined } from '../core/defined.ts';
import type { TokenSet } from '../core/mailbox.ts';
import type { Secret } from '../core/secret.ts';
import { problem } from '../errors/problem.ts';
import { entraProblem } from './entra-error.ts';
import { readGrant } from './grant.ts';
import type { OAuthApp } from './oauth-app.ts';
import { acceptGrant } from './sign-in.ts';
import { formRequest, readTokenAnswer } from './token-exchange.ts';

interface PasswordSignIn {
  readonly app: OAuthApp;
  readonly mailbox: string;
  readonly signInAs?: string;
  readonly product: string;
  readonly scopes: readonly string[];
  readonly password: Secret;
}

/**
 * Numbers by which Entra asks for more than a password: MFA, its registration, a policy of Conditional Access
 * (learn.microsoft.com/entra/identity-platform/reference-error-codes).
 */
const moreThanPassword = new Set([50072, 50074, 50076, 50079, 50158, 53003, 53000, 530032, 530035]);

/**
 * Resource owner password credentials (RFC 6749 section 4.3), as a product with a password form signs in. The password goes once over TLS
 * to the tenant's token endpoint and is not kept. Not with MSAL, which has deprecated this flow. Throws `product-needs-no-mfa` (6) and Entra's problems.
 */
export async function passwordSignIn(request: PasswordSignIn): Promise<TokenSet> {
  const { app, mailbox, signInAs, scopes, product } = request;
  const form = {
    grant_type: 'password',
    client_id: app.clientId,
    scope: scopes.join(' '),
    username: signInAs ?? mailbox,
    password: request.password.reveal(),
    ...defined({ client_secret: app.clientSecret?.reveal() }),
  };
  const response = await app.network.request(formRequest(app.endpoints.token, form, app));
  const { body, error, receivedAt } = readTokenAnswer(response, app.clock.now());
  if (error !== undefined) {
    const said = entraProblem(error, { cloud: app.cloud, tenant: app.tenantId, clientId: app.clientId, scopes, mailbox, signInAs });
    if (!error.codes?.some((code) => moreThanPassword.has(code))) throw said;
    throw problem('product-needs-no-mfa', { mailbox: signInAs ?? mailbox, product }, { detail: said.detail, cause: said });
  }
  const grant = readGrant(body, scopes, receivedAt);
  if (grant === undefined) throw problem('token-answer-unreadable', { mailbox, why: 'The token endpoint answered, but not with a token.' });
  return acceptGrant({ app, mailbox, scopes, ...defined({ signInAs }) }, grant);
}
