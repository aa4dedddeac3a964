import { constants, verify, X509Certificate } from 'node:crypto';
import * as z from 'zod/mini';
import type { Refused } from '../faults/entra-replies.ts';
import type { App } from '../tenant/state-schema.ts';

const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const headerSchema = z.object({ alg: z.enum(['PS256', 'RS256']), 'x5t#S256': z.string() });
const claimsSchema = z.object({ aud: z.string(), iss: z.string(), sub: z.string(), jti: z.string(), nbf: z.number(), exp: z.number() });

/**
 * Checks a certificate's assertion in place of a client secret (RFC 7523 section 3;
 * learn.microsoft.com/entra/identity-platform/certificate-credentials). `now`: milliseconds since the epoch. Undefined: it is good.
 */
export function checkAssertion(app: App, form: Readonly<Record<string, string>>, now: number): Refused | undefined {
  const refused = (reason: string): Refused => ({ kind: 'refused', aadsts: 700027, blanks: { reason, client: app.clientId } });
  if (form.client_assertion_type !== type) return refused('The assertion type is not supported.');
  const [head = '', body = '', signature = '', ...more] = (form.client_assertion ?? '').split('.');
  const header = headerSchema.safeParse(json(head));
  const claims = claimsSchema.safeParse(json(body));
  if (!header.success || !claims.success || more.length > 0) return refused('The token is malformed.');
  const certificate = app.certificates?.find((one) => one.thumbprint === header.data['x5t#S256']);
  if (certificate === undefined) return refused('The key was not found.');
  if (certificate.expiresAt <= now) return refused('The key used is expired.');
  const { publicKey: key } = new X509Certificate(Buffer.from(certificate.key, 'base64'));
  const padding =
    header.data.alg === 'PS256'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { padding: constants.RSA_PKCS1_PADDING };
  if (!verify('sha256', Buffer.from(`${head}.${body}`), { key, ...padding }, Buffer.from(signature, 'base64url'))) {
    return refused('The key was found, but use of the key to verify the signature failed.');
  }
  const { aud, iss, sub, nbf, exp } = claims.data;
  if (iss !== app.clientId || sub !== app.clientId) return refused('Issuer and subject must be the application.');
  if (!aud.endsWith('/oauth2/v2.0/token')) return refused('The audience is not this token endpoint.');
  return nbf * 1000 <= now && exp * 1000 > now ? undefined : refused('It is not within its valid time range.');
}

function json(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
