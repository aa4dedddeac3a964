import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MailauthError } from '../../../src/core/errors.ts';
import { readCloudFile } from '../../../src/entra/cloud-file.ts';

const lab = {
  name: 'lab',
  login: 'https://localhost:8443/',
  graph: 'https://localhost:8443/graph//',
  portal: 'https://entra.microsoft.com',
  outlookScopeBase: 'https://outlook.office.com',
  imap: { host: 'localhost', port: 10993, security: 'tls' },
  pop: { host: 'localhost', port: 10995, security: 'tls' },
  smtp: { host: 'localhost', port: 10587, security: 'starttls' },
  later: { versions: 'know more' },
};

describe('a cloud file', () => {
  it('is read, slashes at the end go, unknown fields are tolerated', () => {
    const cloud = readCloudFile(JSON.stringify(lab), 'lab.json');
    expect(cloud).toMatchObject({ name: 'lab', login: 'https://localhost:8443', graph: 'https://localhost:8443/graph', verified: true });
    expect(cloud.smtp).toEqual({ host: 'localhost', port: 10587, security: 'starttls' });
  });

  it.each([
    ['http login', { login: 'http://localhost:8443' }, 'login'],
    ['http graph', { graph: 'http://localhost/graph' }, 'graph'],
    ['a login with a password', { login: 'https://a:b@localhost' }, 'login'],
    ['no encryption', { imap: { host: 'localhost', port: 143, security: 'none' } }, 'imap.security'],
    ['port 0', { pop: { host: 'localhost', port: 0, security: 'tls' } }, 'pop.port'],
    ['port 65536', { pop: { host: 'localhost', port: 65536, security: 'tls' } }, 'pop.port'],
    ['a port in words', { smtp: { host: 'localhost', port: '587', security: 'tls' } }, 'smtp.port'],
    ['a host with a path', { smtp: { host: 'localhost/x', port: 587, security: 'tls' } }, 'smtp.host'],
    ['no name', { name: undefined }, 'name'],
    ["the sandbox's name", { name: 'sandbox' }, 'name'],
  ])('with %s is refused, naming the field', (_, change, field) => {
    const read = () => readCloudFile(JSON.stringify({ ...lab, ...change }), 'lab.json');
    expect(read).toThrow(expect.objectContaining({ code: 'cloud-file-broken', exit: 2, why: expect.stringContaining(`"${field}"`) }));
  });

  it('never throws anything but its own error', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((o) => JSON.stringify({ ...lab, ...o })),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          expect(readCloudFile(text, 'f').login).toMatch(/^https:/);
        } catch (error) {
          expect(error instanceof MailauthError && error.code).toBe('cloud-file-broken');
        }
      }),
    );
  });
});
