import { constants, createHash, createPrivateKey, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { type ClientCertificate, credentialOf, readClientCertificate } from '../../../src/oauth/client-certificate.ts';
import { appOnlyScope, clientAssertion, missingRoles } from '../../../src/oauth/client-credentials.ts';
import { opensslCertificate, type TestCertificate } from '../../support/certificate.ts';

let pair: TestCertificate;
let other: TestCertificate;
beforeAll(async () => {
  [pair, other] = await Promise.all([opensslCertificate(), opensslCertificate()]);
});

function read(text: string): ClientCertificate {
  const certificate = readClientCertificate(text, Date.now());
  if (typeof certificate === 'string') throw new Error(certificate);
  return certificate;
}

describe('a certificate with its key', () => {
  it('is read from one PEM in any order, and goes into the store as one', () => {
    const { raw } = new X509Certificate(pair.certificate);
    for (const text of [pair.certificate + pair.key, `Bag Attributes\r\n${pair.key}\n${pair.certificate}`]) {
      const found = read(text);
      expect(found.thumbprint).toBe(createHash('sha256').update(raw).digest('base64url'));
      expect(found.der).toBe(raw.toString('base64'));
      expect(found.expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(read(found.pem.reveal()).thumbprint).toBe(found.thumbprint);
    }
  });

  it('never prints its key', () => {
    const { key: _, ...rest } = read(pair.certificate + pair.key);
    expect(inspect(rest) + JSON.stringify(rest)).not.toContain('PRIVATE KEY');
  });

  it('is told from a client secret', () => {
    expect(credentialOf(new Secret('abc8Q~value'))).toHaveProperty('clientSecret');
    expect(credentialOf(read(pair.certificate + pair.key).pem)).toHaveProperty('clientCertificate');
  });

  it.each([
    ['nothing', () => '', /no "BEGIN CERTIFICATE"/],
    ['no key', () => pair.certificate, /no private key/],
    ['the key of another', () => pair.certificate + other.key, /not the one of this certificate/],
    ['a key that is none', () => pair.certificate + pair.key.replace(/\n[\w+/]{60}/, '\n'), /cannot be read/],
    ['a certificate that is none', () => pair.certificate.replace(/\n[\w+/]{60}/, '\n') + pair.key, /cannot be read/],
    ['an encrypted key', () => pair.certificate + encrypted(pair.key), /encrypted/],
  ])('%s: said, and nothing of the key in it', (_, text, why) => {
    const said = readClientCertificate(text(), Date.now());
    expect(said).toMatch(why);
    expect(said).not.toContain(pair.key.split('\n')[2]);
  });

  it('an elliptic curve, too few bits, too late', async () => {
    const [ec, small] = await Promise.all([opensslCertificate('ec'), opensslCertificate('rsa:1024')]);
    expect(readClientCertificate(ec.certificate + ec.key, Date.now())).toMatch(/RSA keys only/);
    expect(readClientCertificate(small.certificate + small.key, Date.now())).toMatch(/1024 bits/);
    expect(readClientCertificate(pair.certificate + pair.key, Date.now() + 31 * 86_400_000)).toMatch(/^The certificate ended at /);
  });
});

describe('the assertion (RFC 7523)', () => {
  const wanted = { clientId: 'c', audience: 'https://login.example/t/oauth2/v2.0/token', now: 1_700_000_000_500, id: 'once' };

  it('names the certificate, the app and the endpoint, lives five minutes, and its PS256 signature holds', () => {
    const [head = '', body = '', signature = '', ...more] = clientAssertion(read(pair.certificate + pair.key), wanted).split('.');
    const json = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(more).toEqual([]);
    expect(json(head)).toEqual({ alg: 'PS256', typ: 'JWT', 'x5t#S256': read(pair.certificate + pair.key).thumbprint });
    expect(json(body)).toEqual({
      aud: wanted.audience,
      iss: 'c',
      sub: 'c',
      jti: 'once',
      iat: 1_700_000_000,
      nbf: 1_700_000_000,
      exp: 1_700_000_300,
    });
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    const holds = (pem: string) =>
      verify('sha256', Buffer.from(`${head}.${body}`), { key: createPublicKey(pem), ...pss }, Buffer.from(signature, 'base64url'));
    expect([holds(pair.certificate), holds(other.certificate)]).toEqual([true, false]);
  });
});

it.each([
  ['https://outlook.office.com', 'https://outlook.office365.com/.default'],
  ['https://outlook.office365.us', 'https://outlook.office365.us/.default'],
  ['https://partner.outlook.cn/', 'https://partner.outlook.cn/.default'],
])('the app asks for everything it was given: %s', (outlookScopeBase, scope) => {
  expect(appOnlyScope({ outlookScopeBase })).toBe(scope);
});

it('roles that are missing, and a token that nobody can look into', () => {
  expect(missingRoles({ scopes: ['IMAP.AccessAsApp'] }, ['imap', 'smtp'])).toEqual(['SMTP.SendAsApp']);
  expect(missingRoles({ scopes: ['https://outlook.office365.com/.default'] }, ['imap'])).toEqual([]);
});

const encrypted = (pem: string): string =>
  createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
