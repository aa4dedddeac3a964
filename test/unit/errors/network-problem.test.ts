import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Interrupted, MailauthError } from '../../../src/core/errors.ts';
import { mailauth } from '../../../src/core/next.ts';
import { networkProblem } from '../../../src/errors/network-problem.ts';

const where = { host: 'outlook.office365.com', port: 993, purpose: 'the IMAP server' };
const coded = (code: string) => Object.assign(new Error(`${code} happened`), { code });

it.each([
  ['ENOTFOUND', 'dns-failed', 5],
  ['EAI_AGAIN', 'no-network', 5],
  ['ENETUNREACH', 'no-network', 5],
  ['ECONNREFUSED', 'connect-refused', 5],
  ['ETIMEDOUT', 'connect-timeout', 5],
  ['ECONNRESET', 'connection-closed', 5],
  ['UND_ERR_SOCKET', 'connection-closed', 5],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls-untrusted', 1],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls-hostname', 1],
  ['CERT_HAS_EXPIRED', 'tls-expired', 1],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls-failed', 1],
  ['HPE_INVALID_CONSTANT', 'http-failed', 5],
])('%s is %s (exit %d), also when wrapped', (code, name, exit) => {
  for (const cause of [coded(code), new Error('outer', { cause: coded(code) }), new AggregateError([coded(code)])]) {
    expect(networkProblem(cause, where)).toMatchObject({ code: name, exit });
  }
});

it('says host, port and what for', () => {
  const error = networkProblem(coded('ECONNREFUSED'), where);
  expect(error).toMatchObject({
    title: 'The IMAP server (outlook.office365.com:993) refuses the connection',
    next: expect.arrayContaining([mailauth('doctor')]),
  });
});

it('leaves our own errors and Ctrl-C alone', () => {
  const own = networkProblem(coded('ENOTFOUND'), where);
  const stopped = new Interrupted();
  expect(networkProblem(own, where)).toBe(own);
  expect(networkProblem(new Error('outer', { cause: own }), where)).toBe(own);
  expect(networkProblem(stopped, where)).toBe(stopped);
});

it('has words for anything thrown', () => {
  fc.assert(
    fc.property(fc.anything(), (junk) => {
      expect(networkProblem(junk, where)).toBeInstanceOf(MailauthError);
    }),
  );
});
