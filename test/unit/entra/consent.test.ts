import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import { adminConsentUrl } from '../../../src/entra/consent.ts';
import { readAuthorizationAnswer } from '../../../src/oauth/authorization-answer.ts';
import { entraProblem, readEntraError } from '../../../src/oauth/entra-error.ts';

const cloud = namedCloud('public');
const scopes = ['https://outlook.office.com/IMAP.AccessAsUser.All', 'offline_access'];
const address = (tenant: string) =>
  adminConsentUrl({ cloud, tenant, clientId: 'client id', scopes, redirectUri: 'http://localhost:23682/mailauth', state: 'a+b/c=' });

describe('adminConsentUrl', () => {
  it('is the v2 page with every parameter once, spaces as %20', () => {
    const url = new URL(address('contoso.com'));
    expect(url.origin + url.pathname).toBe('https://login.microsoftonline.com/contoso.com/v2.0/adminconsent');
    expect([...url.searchParams]).toEqual([
      ['client_id', 'client id'],
      ['scope', scopes.join(' ')],
      ['redirect_uri', 'http://localhost:23682/mailauth'],
      ['state', 'a+b/c='],
    ]);
    expect(url.search).not.toContain('+');
  });

  it('knows that the page does not take "common", and needs scopes', () => {
    expect(address('common')).toContain('/organizations/v2.0/adminconsent');
    expect(() => adminConsentUrl({ cloud, tenant: 'x', clientId: 'c', scopes: [], redirectUri: 'http://localhost', state: 's' })).toThrow(
      'scopes',
    );
  });
});

describe('the answer of the consent page, as the loopback listener reads it', () => {
  const read = (query: string) => readAuthorizationAnswer(new URLSearchParams(query));
  const blanks = { cloud, tenant: 'contoso.com', clientId: 'c', scopes };

  it('granted', () => {
    expect(read('admin_consent=True&tenant=t&scope=openid%20a%2Fb&state=s')).toEqual({
      kind: 'answer',
      answer: { kind: 'consented', tenant: 't' },
    });
  });

  it.each([
    ['admin_consent=True&error=consent_required&error_description=AADSTS65004%3A+The+resource+owner+declined.&state=s', 'consent-declined'],
    ['admin_consent=True&error=access_denied&error_subcode=cancel&state=s', 'consent-declined'],
  ])('a failure says True as well: %s', (query, code) => {
    const { answer } = read(query) as { answer: { kind: string; error: string; description?: string } };
    expect(answer.kind).toBe('error');
    const said = readEntraError({ error: answer.error, error_description: answer.description });
    expect(entraProblem(said!, blanks).code).toBe(code);
  });

  it.each([
    ['state=s', 'none'],
    ['admin_consent=False', 'none'],
    ['admin_consent=True&admin_consent=True', 'twice'],
    ['admin_consent=True&tenant=t&tenant=u', 'twice'],
  ])('neither: %s', (query, why) => {
    expect(read(query)).toEqual({ kind: 'unreadable', why });
  });
});
