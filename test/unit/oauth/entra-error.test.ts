import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import { MailauthError } from '../../../src/core/errors.ts';
import { aadstsEntries } from '../../../src/errors/catalogue/entra/entra-errors.ts';
import { entraProblem, readEntraError } from '../../../src/oauth/entra-error.ts';
import { adminOf, nextOf } from '../../support/next.ts';

const blanks = {
  cloud: namedCloud('public'),
  tenant: '11111111-2222-3333-4444-555555555555',
  clientId: 'aaaaaaaa-0000-0000-0000-000000000000',
  scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All', 'offline_access'],
  mailbox: 'helpdesk@contoso.com',
};
const body = (number: number, error = 'invalid_grant') => ({
  error,
  error_description: `AADSTS${number}: Something happened. And more. Trace ID: aaaa Correlation ID: 9d0c1111-2222-3333-4444-555555555555 Timestamp: 2026-11-21 23:40:00Z`,
  error_codes: [number],
  timestamp: '2026-11-21 23:40:00Z',
  correlation_id: '9d0c1111-2222-3333-4444-555555555555',
});
const told = (raw: unknown, more: Partial<typeof blanks> & { redirectUri?: string; signInAs?: string } = {}) => {
  const said = readEntraError(raw);
  if (said === undefined) throw new Error('not read');
  return entraProblem(said, { ...blanks, ...more });
};

describe('AADSTS numbers', () => {
  it.each<[string, number, number[]]>([
    ['client-unknown', 1, [700016, 700011, 700038, 90112, 70001]],
    ['client-disabled', 6, [7000112]],
    ['client-secret-wrong', 1, [7000215]],
    ['client-secret-expired', 1, [7000222]],
    ['client-secret-missing', 1, [7000218]],
    ['client-secret-unwanted', 1, [700025]],
    ['redirect-mismatch', 1, [50011]],
    ['redirect-single-page', 1, [9002327]],
    ['account-not-in-tenant', 1, [50020, 50034]],
    ['account-disabled', 6, [50057]],
    ['account-not-assigned', 6, [50105]],
    ['policy-blocked', 6, [53003, 530032]],
    ['device-required', 6, [53000]],
    ['security-defaults', 6, [530035]],
    ['mfa-needed', 4, [50076, 50079, 50074]],
    ['sign-in-expired', 4, [70008, 70043, 700082, 50173, 50132, 50133, 70000]],
    ['code-used', 4, [54005]],
    ['consent-declined', 6, [65004]],
    ['consent-needed', 6, [65001, 90094, 90095]],
    ['first-party-app', 1, [65002]],
    ['tenant-unknown', 1, [90002, 900023, 50128, 50059]],
    ['app-single-tenant', 1, [50194]],
    ['app-personal-only', 1, [9002331]],
    ['app-work-only', 1, [9002332]],
    ['scope-refused', 1, [28000, 70011, 28002]],
    ['exchange-missing', 6, [650052]],
    ['resource-unknown', 6, [500011]],
    ['permission-undeclared', 6, [650057, 65005]],
    ['request-refused', 1, [900144]],
    // Said of a grant (invalid_grant), "malformed" means that the refresh token or the code is no longer good.
    ['sign-in-expired', 4, [9002313]],
    ['client-loop', 1, [50196]],
    ['entra-busy', 5, [90006, 90033, 90055, 50033]],
    ['account-locked', 1, [50053]],
    ['password-expired', 4, [50055]],
    ['password-wrong', 1, [50126]],
  ])('%s (exit %d): %j', (code, exit, numbers) => {
    for (const number of numbers) {
      const error = told(body(number));
      expect([number, error.code, error.exit]).toEqual([number, code, exit]);
      expect(error.detail).toMatchObject({
        aadsts: number,
        correlationId: '9d0c1111-2222-3333-4444-555555555555',
        at: '2026-11-21T23:40:00.000Z',
      });
      expect(nextOf(error)[0]).toMatch(/^mailauth (?:login|setup)/);
      expect(nextOf(error)[0]).toContain('helpdesk@contoso.com');
    }
  });

  it('each number belongs to one entry', () => {
    const all = Object.values(aadstsEntries).flatMap((entry) => entry.aadsts ?? []);
    expect(all.filter((number, i) => all.indexOf(number) !== i)).toEqual([]);
  });

  it('every entry fills its blanks in one clean line each', () => {
    for (const number of Object.values(aadstsEntries).flatMap((entry) => entry.aadsts ?? [])) {
      const problem = told(body(number));
      for (const line of [problem.title, problem.why ?? '', ...nextOf(problem), adminOf(problem)]) {
        expect(line).not.toMatch(/undefined|\[object|\n/);
      }
    }
  });
});

describe('words for this sign-in', () => {
  it('a shared mailbox gets the command for a delegate', () => {
    expect(nextOf(told(body(50057)))[0]).toBe('mailauth setup --mailbox helpdesk@contoso.com');
  });

  it("consent: Entra's own page when the answer can come back, else the portal; nothing for personal accounts", () => {
    const link = told(body(65001), { redirectUri: 'http://localhost' }).admin;
    expect(link).toContain(`https://login.microsoftonline.com/${blanks.tenant}/v2.0/adminconsent?client_id=${blanks.clientId}`);
    expect(link).toContain(
      '&scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All%20offline_access&redirect_uri=http%3A%2F%2Flocalhost',
    );
    expect(told(body(65001)).admin).toContain(
      `https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/${blanks.clientId}`,
    );
    expect(told(body(65001), { tenant: 'consumers' }).admin).toBeUndefined();
  });

  it('commands name the cloud and survive a shell', () => {
    const error = told(body(700016), { cloud: namedCloud('usgov'), mailbox: "o'brien;rm@contoso.com" });
    expect(nextOf(error)[0]).toBe("mailauth setup --mailbox 'o'\\''brien;rm@contoso.com' --cloud usgov");
  });
});

describe('without a known number', () => {
  it.each([
    ['invalid_grant', 4],
    ['interaction_required', 4],
    ['invalid_client', 1],
    ['consent_required', 6],
  ])('%s with an unknown number: exit %d, the first sentence, the look-up', (error, exit) => {
    const problem = told(body(7654321, error));
    expect([problem.code, problem.exit, problem.why]).toEqual(['entra-unknown', exit, 'Something happened.']);
    expect(nextOf(problem).join()).toContain('https://login.microsoftonline.com/error?code=7654321');
  });

  it.each([
    [{ error: 'access_denied', error_description: 'AADSTS65004: User declined to consent.' }, 'consent-declined', 6],
    [{ error: 'access_denied' }, 'consent-declined', 6],
    [{ error: 'access_denied', error_subcode: 'cancel', error_description: 'AADSTS7654321: x' }, 'consent-declined', 6],
    [{ error: 'consent_required' }, 'consent-needed', 6],
    [{ error: 'temporarily_unavailable' }, 'entra-busy', 5],
  ])('%j', (raw, code, exit) => {
    expect(told(raw)).toMatchObject({ code, exit });
  });

  it('429 and 5xx are temporary, and say when to try again', () => {
    const busy = entraProblem({ error: '', status: 429, retryAfter: 12 }, blanks);
    expect([busy.code, busy.exit, nextOf(busy)[1]]).toEqual(['entra-busy', 5, 'Try again in 12 seconds.']);
    expect(entraProblem({ error: 'server_error', status: 500 }, blanks).exit).toBe(5);
    // A proxy has answered.
    for (const status of [204, 307, 403, 407])
      expect(entraProblem({ error: '', status }, blanks)).toMatchObject({ code: 'token-answer-unreadable', exit: 5 });
    expect(entraProblem({ error: 'invalid_grant', codes: [53003], status: 400 }, blanks).exit).toBe(6);
  });

  it('keeps escape sequences out', () => {
    const problem = told({ error: 'x\u001b[31m', error_description: 'AADSTS7654321: \u001b]0;owned\u0007Bad\u202e thing.\r\nTrace ID: 1' });
    expect(problem.why).toBe('Bad thing.');
    expect(JSON.stringify([problem.title, problem.why, problem.detail])).not.toMatch(/\\u001b|\u202e/);
  });
});

it('reads junk without throwing', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.anything(), fc.record({ error: fc.string(), error_description: fc.anything(), error_codes: fc.anything() })),
      (junk) => {
        const said = readEntraError(junk);
        if (said !== undefined) expect(entraProblem(said, blanks)).toBeInstanceOf(MailauthError);
      },
    ),
  );
});
