import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../../src/core/cloud.ts';
import type { MailboxRecord, Registration } from '../../../../src/core/mailbox.ts';
import type { Answers, Known } from '../../../../src/setup/answers/answers.ts';
import { answersOf, isSameApp, isSameSetup } from '../../../../src/setup/answers/answers-record.ts';
import { allQuestions } from '../../../../src/setup/answers/questions.ts';
import { opensConsentPage } from '../../../../src/setup/sign-in/consent-step.ts';

const mailbox = 'helpdesk@contoso.com';
const clientId = '11111111-2222-3333-4444-555555555555';
const tenantId = '66666666-7777-8888-9999-000000000000';

const registration: Registration = {
  clientId,
  clientType: 'public',
  redirectUri: 'http://localhost',
  name: 'Mail of the help desk',
  audience: 'single',
  publicClientFlows: false,
  madeByMailauth: true,
  made: { tag: 'mailauth:1', grantIds: [] },
};

const recordWith = (more: Partial<MailboxRecord> = {}): MailboxRecord => ({
  ...{ mailbox, for: 'this-computer', tenantId, cloud: namedCloud('public'), registration, protocols: ['imap', 'smtp'], scopes: [] },
  endpoints: { issuer: '', authorization: '', token: '' },
  ...{ store: 'file', createdAt: '2026-01-01T00:00:00Z', lastTests: [], account: { username: mailbox } },
  ...more,
});

const answers: Answers = {
  ...{ mailbox, for: 'this-computer', access: 'delegated', register: 'auto', clientType: 'public', redirectUri: 'http://localhost' },
  ...{ audience: 'single', protocols: ['imap', 'smtp'], name: 'Mail of the help desk', consent: 'admin', signIn: 'browser' },
};

describe('is the finished set-up the one that these answers would make?', () => {
  it.each<[string, Partial<Answers>, Partial<MailboxRecord>, boolean]>([
    ['the same answers', {}, {}, true],
    ['the protocols in another order', { protocols: ['smtp', 'imap'] }, {}, true],
    ['another protocol', { protocols: ['imap'] }, {}, false],
    ['its own ID, in capitals', { clientId: clientId.toUpperCase() }, {}, true],
    ['the ID of another app', { clientId: tenantId }, {}, false],
    ['its tenant by domain', { tenant: 'Contoso.com' }, {}, true],
    ['its tenant by ID', { tenant: tenantId }, {}, true],
    ['another tenant', { tenant: 'fabrikam.com' }, {}, false],
    ['the mailbox itself signs in, said aloud', { signInAs: mailbox }, {}, true],
    ['a delegate signs in', { signInAs: 'ada@contoso.com' }, {}, false],
    ['a delegate signs in as before', { signInAs: 'ada@contoso.com' }, { signInAs: 'ada@contoso.com' }, true],
    ['app-only access', { access: 'app-only' }, {}, false],
    ['a confidential client', { clientType: 'confidential' }, {}, false],
    ['another redirect URI', { redirectUri: 'http://localhost:8080' }, {}, false],
    ['another name', { name: 'Another name' }, {}, false],
    ['another name, of an app that somebody else made', { name: 'Another name' }, { registration: withoutMade() }, true],
    ['another audience', { audience: 'multi' }, {}, false],
    ['another variant', { variant: 'older-plugin' }, {}, false],
    ['a device code, which the app does not allow', { signIn: 'device' }, {}, false],
    ['a device code, where somebody else decides that', { signIn: 'device' }, { registration: withoutFlows() }, true],
    ['another browser', { signIn: 'paste' }, {}, true],
    ['other consent, which the set-up does not record', { consent: 'user' }, {}, true],
    ['other months, which the set-up does not record', { secretMonths: 6 }, {}, true],
    ['another cloud', {}, { cloud: namedCloud('usgov') }, false],
  ])('%s', (_, given, recorded, same) => {
    expect(isSameSetup(recordWith(recorded), { ...answers, ...given }, namedCloud('public'))).toBe(same);
  });

  it('its own answers make it again', () => {
    expect(isSameSetup(recordWith(), { ...answers, ...answersOf(recordWith()) }, namedCloud('public'))).toBe(true);
  });

  it('where nobody has signed in, that is an answer too', () => {
    const { account: _, ...unsigned } = recordWith();
    expect([answersOf(recordWith()).signIn, answersOf(unsigned).signIn]).toEqual([undefined, 'skip']);
  });
});

function withoutMade(): Registration {
  const { made: _, ...rest } = registration;
  return rest;
}

function withoutFlows(): Registration {
  const { publicClientFlows: _, ...rest } = registration;
  return rest;
}

describe('is the app that stands the one that these answers mean?', () => {
  const other: Required<Known> = {
    ...{
      mailbox: 'a@contoso.com',
      for: 'custom',
      access: 'app-only',
      openedBy: 'delegate',
      signInAs: 'ada@contoso.com',
      tenant: 'fabrikam.com',
      label: 'Contoso',
      sharedApp: 'yes',
    },
    ...{ register: 'portal', clientType: 'confidential', clientId, redirectUri: 'http://localhost:1', audience: 'multi', variant: 'x' },
    ...{
      protocols: ['pop'],
      name: 'Another name',
      secretMonths: 6,
      serviceManagementReference: 'b0e1c2d3',
      consent: 'user',
      signIn: 'paste',
    },
  };
  it.each(allQuestions.map(({ id, decidesApp }) => ({ id, word: decidesApp ? 'is another app' : 'is the same app', decidesApp })))(
    'another $id $word',
    ({ id, decidesApp }) => {
      expect(isSameApp(answers, { ...answers, [id]: other[id] })).toBe(!decidesApp);
    },
  );

  it.each<[Answers['register'], Known['signIn'], Known['signIn'], boolean]>([
    ['auto', 'browser', 'device', false],
    ['auto', 'device', 'browser', true],
    ['auto', 'device', 'password', true],
    ['existing', 'browser', 'device', true],
  ])('%s, begun with %s and gone on with %s: %s', (register, before, now, same) => {
    const saved: Answers = { ...answers, register, ...(before && { signIn: before }) };
    expect(isSameApp(saved, { ...saved, ...(now && { signIn: now }) })).toBe(same);
  });
});

describe('is the admin-consent page opened?', () => {
  it.each<[string, Partial<Answers>, string | undefined, boolean, boolean]>([
    ['an app that exists, consent of an administrator', { register: 'existing' }, undefined, false, true],
    ['with the portal its own screen is the way', { register: 'portal' }, undefined, false, false],
    ['with the portal, asked for by name', { register: 'portal' }, 'admin', false, true],
    ['mailauth consents itself where it registers', { register: 'auto' }, 'admin', false, false],
    ['the user consents', { register: 'existing', consent: 'user' }, 'user', false, false],
    ['nobody consents now', { register: 'existing', consent: 'skip' }, 'skip', false, false],
    ['an app that acts for itself has no page', { register: 'existing', access: 'app-only' }, 'admin', false, false],
    ['gone on after a refusal, the sign-in tells', { register: 'existing' }, undefined, true, false],
    ['gone on after a refusal, by name', { register: 'existing' }, 'admin', true, true],
    ['gone on after a refusal, without a sign-in', { register: 'existing', signIn: 'skip' }, undefined, true, true],
  ])('%s', (_, given, flag, again, opened) => {
    expect(opensConsentPage({ ...answers, ...given }, flag, again)).toBe(opened);
  });
});
