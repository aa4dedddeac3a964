import { constants, sign } from 'node:crypto';
import type { ClientCertificate } from './client-certificate.ts';

/** RFC 7523 section 2.2 */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The assertion is used at once. Microsoft recommends a life of 5 to 10 minutes (learn.microsoft.com, certificate-credentials). */
const lifeSeconds = 300;

export interface Assertion {
  readonly clientId: string;
  /** the token endpoint */
  readonly audience: string;
  /** milliseconds since the epoch */
  readonly now: number;
  /** unique: `jti` */
  readonly id: string;
}

/**
 * The JWT that stands in for a client secret (RFC 7523 section 3): PS256, the certificate named by `x5t#S256`
 * (learn.microsoft.com/entra/identity-platform/certificate-credentials). Not with MSAL, although MSAL signs certificates itself: the
 * token request of an app is sent without MSAL (client-credentials.ts says why), so nothing would use its assertion. A library such as
 * `jose` would save 20 of these lines.
 */
export function clientAssertion(certificate: Pick<ClientCertificate, 'key' | 'thumbprint'>, wanted: Assertion): string {
  const now = Math.floor(wanted.now / 1000);
  const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': certificate.thumbprint };
  const claims = {
    aud: wanted.audience,
    exp: now + lifeSeconds,
    iat: now,
    iss: wanted.clientId,
    jti: wanted.id,
    nbf: now,
    sub: wanted.clientId,
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(signed), {
    key: certificate.key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
  return `${signed}.${signature.toString('base64url')}`;
}
