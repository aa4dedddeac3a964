import { constants, verify, X509Certificate } from 'node:crypto';
import * as z from 'zod/mini';
import { type Refused, refused } from '../faults/entra-refusals.ts';
import type { FaultName } from '../faults/faults.ts';
import { sha256 } from '../tenant/state.ts';
import type { App } from '../tenant/state-schema.ts';

/** The form of a token request (RFC 6749 sections 4.1.3 and 6). */
export type TokenForm = Readonly<Record<string, string>>;

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const headerSchema = z.object({ alg: z.enum(['PS256', 'RS256']), 'x5t#S256': z.string() });
const claimsSchema = z.object({ aud: z.string(), iss: z.string(), sub: z.string(), jti: z.string(), nbf: z.number(), exp: z.number() });

/**
 * Checks the client's own credentials: a public client must not send any, a confidential one must (learn.microsoft.com, reply-url).
 * Edits the state, because a new secret is refused a few times under the fault `secret-not-replicated`.
 * @param setting `now` in milliseconds since the epoch
 * @returns the refusal, or undefined when the credentials are good
 */
export function checkClient(
  app: App,
  confidential: boolean,
  form: TokenForm,
  { now, fault }: { readonly now: number; readonly fault: FaultName | undefined },
): Refused | undefined {
  const given = form.client_secret ?? '';
  const client = { client: app.clientId };
  if (!confidential) return given === '' && form.client_assertion === undefined ? undefined : refused(700025);
  if (given === '' && form.client_assertion !== undefined) return checkAssertion(app, form, now);
  if (given === '') return refused(7000218);
  if (fault === 'secret-expired') return refused(7000222, client);
  const secret = app.secrets.find((one) => one.sha256 === sha256(given));
  if (secret === undefined) return refused(7000215, client);
  if (secret.refusals !== undefined && secret.refusals > 0) {
    secret.refusals -= 1;
    return refused(7000215, client);
  }
  return secret.expiresAt <= now ? refused(7000222, client) : undefined;
}

/**
 * Checks the assertion that a certificate signed, which takes the place of a client secret (RFC 7523 section 3;
 * learn.microsoft.com/entra/identity-platform/certificate-credentials).
 */
function checkAssertion(app: App, form: TokenForm, now: number): Refused | undefined {
  const refuse = (reason: string): Refused => refused(700027, { reason, client: app.clientId });
  if (form.client_assertion_type !== assertionType) return refuse('The assertion type is not supported.');
  const [head = '', body = '', signature = '', ...more] = (form.client_assertion ?? '').split('.');
  const header = headerSchema.safeParse(json(head));
  const claims = claimsSchema.safeParse(json(body));
  if (!header.success || !claims.success || more.length > 0) return refuse('The token is malformed.');
  const certificate = app.certificates?.find((one) => one.thumbprint === header.data['x5t#S256']);
  if (certificate === undefined) return refuse('The key was not found.');
  if (certificate.expiresAt <= now) return refuse('The key used is expired.');
  const { publicKey: key } = new X509Certificate(Buffer.from(certificate.key, 'base64'));
  const padding =
    header.data.alg === 'PS256'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { padding: constants.RSA_PKCS1_PADDING };
  if (!verify('sha256', Buffer.from(`${head}.${body}`), { key, ...padding }, Buffer.from(signature, 'base64url'))) {
    return refuse('The key was found, but use of the key to verify the signature failed.');
  }
  const { aud, iss, sub, nbf, exp } = claims.data;
  if (iss !== app.clientId || sub !== app.clientId) return refuse('Issuer and subject must be the application.');
  if (!aud.endsWith('/oauth2/v2.0/token')) return refuse('The audience is not this token endpoint.');
  return nbf * 1000 <= now && exp * 1000 > now ? undefined : refuse('It is not within its valid time range.');
}

function json(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
