import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloudNames, namedCloud } from '../../../src/core/cloud.ts';
import { type Command, mailauth, noted } from '../../../src/core/next.ts';
import { Secret } from '../../../src/core/secret.ts';
import { readAccessToken, readIdToken } from '../../../src/oauth/claims.ts';
import { checkIdentity, type Identity } from '../../../src/oauth/identity.ts';
import { checkScopes, grantedScopes, missingScopes, scopesFor } from '../../../src/oauth/scopes.ts';

const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
const tenantId = '11111111-2222-3333-4444-555555555555';

describe('id_token', () => {
  it('names the person by the first claim there is', () => {
    expect(readIdToken(jwt({ preferred_username: 'A@b.c', email: 'x@y.z', oid: 'o', tid: 't', aud: 'me' }))).toEqual({
      username: 'A@b.c',
      objectId: 'o',
      tenantId: 't',
      audience: 'me',
    });
    expect(readIdToken(jwt({ upn: 'u@b.c', email: 'x@y.z' }))?.username).toBe('u@b.c');
    expect(readIdToken(jwt({ preferred_username: '', email: 'x@y.z' }))?.username).toBe('x@y.z');
    expect(readIdToken(jwt({ oid: 5, preferred_username: ['a'] }))).toEqual({});
  });

  it.each(['', 'EwBAAl3BAAUF', 'a.b', 'a.!!.c', jwt([1]), jwt(null), `e30.${'A'.repeat(70_000)}.x`])('%.40s is no JWT', (token) => {
    expect(readIdToken(token)).toBeUndefined();
    expect(readAccessToken(token)).toEqual({ opaque: true });
  });

  it('strips escapes from what it shows', () => {
    expect(readIdToken(jwt({ preferred_username: 'a\u001b[2J@b.c' }))?.username).toBe('a@b.c');
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => `e30.${Buffer.from(text).toString('base64url')}.x`),
        ),
        (token) => {
          readIdToken(token);
          expect(typeof readAccessToken(token).opaque).toBe('boolean');
        },
      ),
    );
  });
});

it('an access token is looked into for diagnosis', () => {
  const token = jwt({
    aud: 'https://outlook.office.com',
    scp: 'IMAP.AccessAsUser.All SMTP.Send',
    tid: 't',
    upn: 'a@b.c',
    exp: 1000,
    appid: 'app',
    ver: '1.0',
  });
  expect(readAccessToken(new Secret(token))).toEqual({
    opaque: false,
    audience: 'https://outlook.office.com',
    scopes: ['IMAP.AccessAsUser.All', 'SMTP.Send'],
    tenantId: 't',
    username: 'a@b.c',
    appId: 'app',
    version: '1.0',
    expiresAt: 1_000_000,
  });
});

const onlyIfKnown = (command: Command) => noted(command, 'only if you know that account, and it may open this mailbox');

describe('checkIdentity', () => {
  const good: Identity = {
    claims: { username: 'HelpDesk@Contoso.com', objectId: 'o', tenantId, audience: 'app' },
    mailbox: 'helpdesk@contoso.com',
    tenantId,
    clientId: 'APP',
  };

  it('compares in any case', () => {
    expect(checkIdentity(good)).toEqual({ username: 'HelpDesk@Contoso.com', objectId: 'o', tenantId });
    expect(checkIdentity({ ...good, mailbox: 'shared@contoso.com', signInAs: 'HELPDESK@contoso.com' }).username).toBe(
      'HelpDesk@Contoso.com',
    );
    expect(checkIdentity({ ...good, tenantId: 'organizations', claims: { username: good.mailbox, tenantId: 'other' } }).tenantId).toBe(
      'other',
    );
  });

  it('asks the access token where the id_token is silent', () => {
    expect(checkIdentity({ ...good, claims: undefined, accessToken: { opaque: false, scopes: [], username: good.mailbox } }).username).toBe(
      good.mailbox,
    );
  });

  it('names both accounts and the command that accepts the other', () => {
    expect(() => checkIdentity({ ...good, mailbox: 'shared@contoso.com' })).toThrow(
      expect.objectContaining({
        code: 'wrong-account',
        exit: 1,
        title: 'HelpDesk@Contoso.com signed in, but the mailbox is shared@contoso.com',
        next: [
          noted(mailauth('login', 'shared@contoso.com', { force: true }), 'with the right account'),
          onlyIfKnown(mailauth('setup', { mailbox: 'shared@contoso.com', signInAs: 'HelpDesk@Contoso.com' })),
        ],
      }),
    );
    expect(() => checkIdentity({ ...good, mailbox: 'shared@contoso.com', signInAs: 'anna@contoso.com' })).toThrow(
      /HelpDesk@Contoso.com signed in, but anna@contoso.com should have, for the mailbox shared@contoso.com/,
    );
  });

  it('a hostile account name cannot end the command', () => {
    const claims = { username: '$(reboot)@contoso.com' };
    expect(() => checkIdentity({ ...good, claims })).toThrow(
      expect.objectContaining({
        next: expect.arrayContaining([
          onlyIfKnown(mailauth('setup', { mailbox: 'helpdesk@contoso.com', signInAs: '$(reboot)@contoso.com' })),
        ]),
      }),
    );
  });

  it.each([
    ['id-token-foreign', { audience: 'another', username: 'helpdesk@contoso.com' }],
    ['wrong-tenant', { tenantId: '99999999-2222-3333-4444-555555555555', username: 'helpdesk@contoso.com' }],
    ['account-unknown', {}],
    ['account-unknown', undefined],
  ])('%s: %j', (code, claims) => {
    expect(() => checkIdentity({ ...good, claims })).toThrow(expect.objectContaining({ code, exit: 1 }));
  });
});

describe('scopes', () => {
  it('are full Outlook addresses and OpenID words, never Graph', () => {
    expect(scopesFor(namedCloud('public'), ['smtp', 'imap'])).toEqual([
      'https://outlook.office.com/IMAP.AccessAsUser.All',
      'https://outlook.office.com/SMTP.Send',
      'offline_access',
      'openid',
      'profile',
      'email',
    ]);
    for (const name of cloudNames) {
      const cloud = namedCloud(name);
      const resources = scopesFor(cloud, ['imap', 'pop', 'smtp']).filter((scope) => scope.includes('/'));
      expect(resources.every((scope) => scope.startsWith(`${cloud.outlookScopeBase}/`))).toBe(true);
      expect(resources.join()).not.toMatch(/graph|User\.Read/i);
    }
  });

  it('compare by last segment in any case', () => {
    const wanted = scopesFor(namedCloud('public'), ['imap', 'smtp']);
    expect(missingScopes(wanted, ['https://graph.microsoft.com/imap.accessasuser.all'])).toEqual(['SMTP.Send']);
    expect(missingScopes(wanted, ['IMAP.AccessAsUser.All', 'SMTP.Send', 'Mail.Read'])).toEqual([]);
    expect(grantedScopes(undefined, wanted)).toEqual(wanted);
    expect(grantedScopes('a  b', wanted)).toEqual(['a', 'b']);
  });

  it('a missing one is exit 6 and names it', () => {
    const blanks = {
      cloud: namedCloud('public'),
      tenant: tenantId,
      clientId: 'app',
      mailbox: 'a@b.c',
      scopes: scopesFor(namedCloud('public'), ['pop']),
    };
    expect(() => checkScopes(['openid'], blanks)).toThrow(
      expect.objectContaining({ code: 'scope-missing', exit: 6, title: expect.stringContaining('POP.AccessAsUser.All') }),
    );
    expect(() => checkScopes(['https://outlook.office.com/POP.AccessAsUser.All'], blanks)).not.toThrow();
  });
});
