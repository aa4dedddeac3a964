import { constants, sign } from 'node:crypto';
import type { ClientCertificate } from './client-certificate.ts';

/** RFC 7523 section 2.2 */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** It is used at once; Entra refuses one that lives long (learn.microsoft.com, certificate-credentials: 5 to 10 minutes). */
const lifeSeconds = 300;

export interface Assertion {
  readonly clientId: string;
  /** the token endpoint */
  readonly audience: string;
  /** milliseconds since the epoch */
  readonly now: number;
  /** never used twice */
  readonly id: string;
}

/**
 * The JWT that stands for a client secret (RFC 7523 section 3): PS256, the certificate named by `x5t#S256`
 * (learn.microsoft.com/entra/identity-platform/certificate-credentials).
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
