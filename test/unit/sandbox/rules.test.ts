import { describe, expect, it } from 'vitest';
import { readScopes } from '../../../src/sandbox/entra/scope-rules.ts';
import { isFault, sandboxFaults } from '../../../src/sandbox/faults/faults.ts';
import { imapLines } from '../../../src/sandbox/mail/imap-lines.ts';
import { findTenant, findUser } from '../../../src/sandbox/tenant/directory.ts';
import { mayUse } from '../../../src/sandbox/tenant/exchange.ts';
import { platformOf } from '../../../src/sandbox/tenant/redirects.ts';
import { stateSchema } from '../../../src/sandbox/tenant/state-schema.ts';

describe('directory', () => {
  it.each([
    ['Helpdesk@Contoso.Example', 'user'],
    ['shared@contoso.example', 'disabled'],
    ['me@outlook.com', 'foreign'],
    ['support@acme.com', 'user'],
    ['me@contoso.exampl', 'unknown'],
    ['me@nowhere.example', 'unknown'],
    ['"><script>@contoso.example', 'unknown'],
    ['', 'unknown'],
  ])('%s is %s', (address, kind) => {
    expect(findUser(address).kind).toBe(kind);
  });

  it('gives a user the same object id every time, and each user another one', () => {
    const id = (address: string) => {
      const found = findUser(address);
      return found.kind === 'user' ? found.user.objectId : undefined;
    };
    expect(id('ADA@contoso.example')).toBe(id('ada@contoso.example'));
    expect(id('ada@contoso.example')).not.toBe(id('bob@contoso.example'));
  });

  it('gives FullAccess to the shared mailbox to ada only', () => {
    const state = stateSchema.parse({ version: 1, apps: [], consents: [], codes: [], refreshTokens: [], readySecret: 'x' });
    const mayOpen = (user: string, mailbox: string) => mayUse(state, undefined, user, mailbox, 'FullAccess');
    expect(mayOpen('ada@contoso.example', 'Shared@contoso.example')).toBe(true);
    expect(mayOpen('bob@contoso.example', 'shared@contoso.example')).toBe(false);
    expect(mayOpen('bob@contoso.example', 'constructor')).toBe(false);
  });

  it.each([
    ['contoso.example', 'found'],
    ['organizations', 'found'],
    ['nowhere.example', 'unknown'],
    ['00000000-0000-4000-8000-000000000000', 'unknown'],
    ['undefined', 'malformed'],
  ])('tenant %s is %s', (name, kind) => {
    expect(findTenant(name).kind).toBe(kind);
  });
});

describe('redirect URIs', () => {
  const app = {
    clientId: 'x',
    name: 'x',
    publicRedirects: ['http://localhost'],
    webRedirects: ['http://localhost:23682/mailauth', 'https://helpdesk.example/callback'],
    secrets: [],
  };
  it.each([
    ['http://localhost:1234', 'public'],
    ['http://localhost:1234/', 'public'],
    ['http://localhost:9/mailauth', 'web'],
    ['https://helpdesk.example/callback', 'web'],
    ['http://localhost:9/Mailauth', undefined],
    ['http://localhost:9/?x=1', undefined],
    ['http://user@localhost:9', undefined],
    ['http://127.0.0.1:9', undefined],
    ['https://helpdesk.example:444/callback', undefined],
    ['http://localhost.evil.example', undefined],
    ['', undefined],
  ])('%s is registered as %s', (uri, platform) => {
    expect(platformOf(app, uri)).toBe(platform);
  });
});

describe('scopes', () => {
  const graph = 'https://localhost:1/graph';
  it('reads a bare name as Graph, and a full one as its resource', () => {
    expect(readScopes('openid SMTP.Send https://outlook.office.com/smtp.send', graph)).toEqual({
      kind: 'ok',
      scopes: [
        { resource: 'openid', name: 'openid', prefix: '' },
        { resource: 'graph', name: 'SMTP.Send', prefix: '' },
        { resource: 'outlook', name: 'SMTP.Send', prefix: 'https://outlook.office.com/' },
      ],
    });
  });
  it.each([
    ['', 'empty'],
    ['https://example.com/Read', 'unknown-resource'],
    ['https://outlook.office.com/Nonsense', 'unknown-scope'],
  ])('%j is %s', (text, kind) => {
    expect(readScopes(text, graph).kind).toBe(kind);
  });
});

describe('IMAP lines', () => {
  it('puts literals into the line, invites only the waiting client, and joins split chunks', () => {
    let invited = 0;
    const read = imapLines(() => {
      invited += 1;
    });
    expect(read(Buffer.from('a LOGIN {3}\r\n'))).toEqual([]);
    expect(invited).toBe(1);
    expect(read(Buffer.from('u"x {2+}\r\np'))).toEqual([]);
    expect(read(Buffer.from('w\r\nb NO'))).toEqual([{ kind: 'line', line: 'a LOGIN "u\\"x" "pw"' }]);
    expect(read(Buffer.from('OP\r\n'))).toEqual([{ kind: 'line', line: 'b NOOP' }]);
    expect(invited).toBe(1);
  });
  it('stops at a line or a literal without end', () => {
    expect(imapLines(() => undefined)(Buffer.alloc(17_000, 'x'))).toEqual([{ kind: 'too-long' }]);
    expect(imapLines(() => undefined)(Buffer.from(`a {999999}\r\n${'y'.repeat(17_000)}`))).toEqual([{ kind: 'too-long' }]);
  });
});

it('knows its faults by name', () => {
  expect(sandboxFaults.every((fault) => isFault(fault.name))).toBe(true);
  expect(isFault('toString')).toBe(false);
});
