import { describe, expect, it } from 'vitest';
import { MailauthError } from '../../../src/core/errors.ts';
import { led, plus } from '../../../src/core/next.ts';
import type { RegistrationPlan } from '../../../src/core/registration-plan.ts';
import { registerApp } from '../../../src/entra/registration.ts';
import { nextOf } from '../../support/next.ts';
import { type Canned, commands, connected, FakeGraph, refused, tokenWith } from './fake-graph.ts';
import { plans } from './plans.ts';

async function failure(
  fake: FakeGraph,
  plan: RegistrationPlan = plans.osticket,
  more: Parameters<typeof connected>[1] = {},
): Promise<MailauthError> {
  const { deps } = connected(fake, more);
  const error = await registerApp({ ...deps, keepSecret: async () => undefined }, plan, {}, async () => undefined).catch((e: unknown) => e);
  if (!(error instanceof MailauthError)) throw new Error(`no MailauthError but ${String(error)}`);
  return error;
}

function refusing(line: string, answer: Canned): FakeGraph {
  const fake = new FakeGraph();
  fake.intercept = (asked) => (asked === line ? answer : undefined);
  return fake;
}

const addPassword = 'POST /applications/app-1/addPassword';
const grants = 'POST /oauth2PermissionGrants';
const denied = refused(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');

describe('what the tenant forbids', () => {
  it.each([
    ['secrets', addPassword, refused(400, 'CredentialTypeNotAllowedAsPerAppPolicy'), 'secrets-forbidden'],
    ['their lifetime', addPassword, refused(400, 'CredentialInvalidLifetimeAsPerAppPolicy'), 'secret-lifetime-forbidden'],
    ['secrets, said in details', addPassword, refused(400, 'x', 'y', ['CredentialTypeNotAllowedAsPerAppPolicy']), 'secrets-forbidden'],
    ['secrets, said in words', addPassword, refused(400, 'x', 'CredentialTypeNotAllowedAsPerAppPolicy: no'), 'secrets-forbidden'],
    ['consent', grants, denied, 'graph-role-missing'],
    ['service principals', 'POST /servicePrincipals', denied, 'graph-role-missing'],
  ])('%s: says what exists and how to take it back', async (_, line, answer, code) => {
    const error = await failure(refusing(line, answer));
    expect([error.code, error.exit]).toEqual([code, 6]);
    expect(error.why).toContain('the application client-2');
    expect(error.next).toContainEqual(led('Take back what was made', commands.undo));
    expect(nextOf(error)[0]).toContain(nextOf({ next: [commands.resume] })[0]);
    expect(error.detail.correlationId).toBe('req-1');
  });

  it.each([
    ['the audience', refused(400, 'SignInAudienceNotAllowedAsPerAppPolicy'), 'audience-forbidden', 6],
    ['the redirect URI', refused(400, 'HostNameNotOnVerifiedDomain'), 'redirect-domain-forbidden', 6],
    ['another object', refused(403, 'Directory_QuotaExceeded'), 'graph-quota', 6],
    ['registering apps', denied, 'graph-role-missing', 6],
    ['something new', refused(400, 'Request_BadRequest', 'Property x is invalid.'), 'graph-refused', 1],
  ])('%s: nothing exists, nothing is to be undone', async (_, answer, code, exit) => {
    const error = await failure(refusing('POST /applications', answer));
    expect([error.code, error.exit]).toEqual([code, exit]);
    expect(error.why).toContain('Nothing was changed');
    expect(nextOf(error).join('\n')).not.toContain('--delete-app');
  });

  const certified: RegistrationPlan = {
    ...plans['this-computer-public'],
    certificate: { der: 'MIIB', thumbprint: 'abc', startsAt: '2026-11-22T00:00:00Z', expiresAt: '2029-11-22T00:00:00Z' },
  };
  const nested =
    '{"errorCode":"PermissionScopeNotGranted","message":"Authorization failed due to missing permission scope Application.X."}';

  it.each([
    [
      'the lifetime of a certificate',
      'CredentialInvalidLifetimeAsPerAppPolicy',
      'x',
      'certificate-lifetime-forbidden',
      /valid until 2029-11-22/,
    ],
    [
      'the same in words',
      'Request_BadRequest',
      'Key credential end date is invalid.',
      'certificate-lifetime-forbidden',
      /valid until 2029/,
    ],
    ['certificates', 'CredentialTypeNotAllowedAsPerAppPolicy', 'x', 'certificates-forbidden', /forbids certificates/],
    ['other authorities', 'x', 'Not in trustedCertificateAuthority.', 'certificate-authority-forbidden', /own authorities/],
  ])('%s is not told of a client secret', async (_, code, message, sees, title) => {
    const error = await failure(refusing('POST /applications', refused(400, code, message)), certified);
    expect([error.code, error.exit, error.title]).toEqual([sees, 6, expect.stringMatching(title)]);
    expect([error.title, error.why, error.admin, ...nextOf(error)].join(' ')).not.toMatch(
      /client secret|password lifetime|--secret-months|public/,
    );
  });

  it.each([
    ['too many values', 'Directory_ResourceSizeExceeded', 'The size of the object has exceeded its limit.', 'graph-object-full'],
    ['the scope of the client', 'UnknownError', nested, 'graph-permission-missing'],
    ['Conditional Access', 'AccessDenied', 'Blocked by Conditional Access', 'graph-refused'],
    ['a missing role', 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.', 'graph-role-missing'],
  ])('403 for %s', async (_, code, message, sees) => {
    const error = await failure(refusing('POST /applications', refused(403, code, message)));
    expect([error.code, error.exit, /the role/.test(error.why ?? '')]).toEqual([sees, 6, sees === 'graph-role-missing']);
    if (sees === 'graph-permission-missing') expect(error.title).toBe('The Graph token lacks Application.X');
    // Two sentences are never run together.
    if (sees === 'graph-refused') expect(error.why).toBe('Blocked by Conditional Access. Nothing was changed in the tenant.');
  });

  it('an app without a reference to a service, in the two forms that were seen', async () => {
    for (const [code, message] of [
      ['ServiceTreeValueMissing', 'x'],
      ['Request_BadRequest', 'ServiceManagementReference field is required for Create, but is missing in the request.'],
    ] as const) {
      const error = await failure(refusing('POST /applications', refused(400, code, message)));
      expect([error.code, error.exit, nextOf(error)[0]]).toEqual([
        'service-reference-needed',
        3,
        expect.stringContaining('--service-management-reference'),
      ]);
    }
  });

  it('names a lifetime that may do', async () => {
    const error = await failure(refusing(addPassword, refused(400, 'CredentialInvalidLifetimeAsPerAppPolicy')), plans.supportpal);
    expect(error.title).toContain('24 months');
    expect(error.next[0]).toEqual(plus(commands.resume, { secretMonths: 6 }));
  });

  it('lists everything that was made by then', async () => {
    const error = await failure(refusing(addPassword, refused(400, 'CredentialTypeNotAllowedAsPerAppPolicy')));
    expect(error.why).toContain('its service principal, the consent on Microsoft Graph, the consent on Exchange Online.');
  });
});

describe('an app that is switched off', () => {
  const register = async (change: (fake: FakeGraph) => void) => {
    const fake = new FakeGraph();
    const { deps } = connected(fake);
    const attempt = (known: object) =>
      registerApp({ ...deps, keepSecret: async () => undefined }, plans['this-computer-public'], known, async () => undefined);
    const { appObjectId, appId } = await attempt({});
    change(fake);
    return attempt({ appObjectId, appId }).catch((error: unknown) => error);
  };

  it.each([
    ['isDisabled', (fake: FakeGraph) => Object.assign(fake.apps[0] ?? {}, { isDisabled: true }), /was deactivated/, /App registrations/],
    [
      'disabledByMicrosoftStatus',
      (fake: FakeGraph) => Object.assign(fake.apps[0] ?? {}, { disabledByMicrosoftStatus: 'DisabledDueToViolationOfServicesAgreement' }),
      /Microsoft has disabled/,
      /Microsoft support/,
    ],
    ['accountEnabled', (fake: FakeGraph) => Object.assign(fake.sps[1] ?? {}, { accountEnabled: false }), /switched off/, /Enterprise apps/],
  ])('%s is read and said', async (_, change, title, admin) => {
    const error = await register(change);
    expect(error).toMatchObject({
      code: 'app-switched-off',
      exit: 6,
      title: expect.stringMatching(title),
      admin: expect.stringMatching(admin),
    });
  });

  it('a Graph that does not know the property says nothing about it', async () => {
    const found = await register((fake) => {
      fake.intercept = (line) =>
        line.endsWith('isDisabled') ? refused(400, 'Request_BadRequest', 'Could not find a property') : undefined;
    });
    expect(found).toMatchObject({ changed: [] });
  });
});

describe('before anything is made', () => {
  it('a tenant without Exchange Online', async () => {
    const fake = new FakeGraph();
    fake.exchange = false;
    expect(await failure(fake)).toMatchObject({ code: 'tenant-without-exchange', exit: 6, retryHelps: false });
    expect(fake.apps).toEqual([]);
  });

  it('an Exchange Online without the permission', async () => {
    const fake = new FakeGraph();
    delete fake.exchangeScopes['POP.AccessAsUser.All'];
    const error = await failure(fake);
    expect([error.code, error.exit]).toEqual(['permission-unpublished', 6]);
    expect(error.title).toContain('POP.AccessAsUser.All');
    expect(fake.apps).toEqual([]);
  });

  it('a refused token', async () => {
    const fake = new FakeGraph();
    fake.intercept = () => refused(401, 'InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.');
    expect(await failure(fake)).toMatchObject({ code: 'graph-token-refused', exit: 4 });
  });

  const both = 'Application.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All';
  const exchangeAdministrator = '29232cdf-9323-42fd-ade2-1d097af3e4de';
  const everybody = 'b79fbf4d-3ef9-4689-8143-76b194e85509';
  const globalAdministrator = '62E90394-69F5-4237-9190-012177145E10';
  const attempt = async (claims: Record<string, unknown>, plan: RegistrationPlan = plans['this-computer-public']) => {
    const fake = new FakeGraph();
    const outcome = await failure(fake, plan, { token: tokenWith(claims) }).catch(() => undefined);
    return { code: outcome?.code, error: outcome, calls: fake.log.length };
  };

  it.each([
    ['a token without the permission to register', { scp: 'User.Read' }, 'graph-permission-missing'],
    ['a token without the permission to consent', { scp: 'Application.ReadWrite.All' }, 'graph-permission-missing'],
    ['an administrator of something else', { scp: both, wids: [exchangeAdministrator, everybody] }, 'graph-role-missing'],
    ['nobody', { scp: both, wids: [everybody] }, 'graph-role-missing'],
  ])('%s', async (_, claims, code) => {
    const { error, calls } = await attempt({ ...claims, upn: 'ada@contoso.com' });
    expect([error?.code, error?.exit, calls]).toEqual([code, 6, 0]);
    if (code === 'graph-role-missing') {
      expect(error?.title).toContain('ada@contoso.com');
      expect(error?.why).toContain('Cloud Application Administrator');
    }
  });

  it.each([
    ['a Global Administrator', { scp: both, wids: [globalAdministrator, everybody] }, plans['this-computer-public']],
    ['a role that is not known here', { scp: both, wids: ['0a0a0a0a-0000-4000-8000-000000000000'] }, plans['this-computer-public']],
    ['a token that says nothing of roles', { scp: both }, plans['this-computer-public']],
    ['the old all-embracing permission', { scp: 'Directory.AccessAsUser.All' }, plans['this-computer-public']],
    ['an app-only token', { roles: both.split(' ') }, plans['this-computer-public']],
    [
      'no role, no consent wanted',
      { scp: 'Application.ReadWrite.All', wids: [everybody] },
      { ...plans['this-computer-public'], consent: 'user' as const },
    ],
  ])('lets through: %s', async (_, claims, plan) => {
    const { code, calls } = await attempt(claims, plan);
    expect([code, calls >= 4]).toEqual([undefined, true]);
  });
});

describe('time', () => {
  it('gives replication 90 seconds in all', async () => {
    const fake = new FakeGraph();
    fake.lag.principal = 1000;
    const { deps, waits } = connected(fake);
    const running = registerApp({ ...deps, keepSecret: async () => undefined }, plans.osticket, {}, async () => undefined);
    await expect(running).rejects.toMatchObject({ code: 'graph-lag', exit: 5, retryHelps: true });
    expect(waits.map(([, ms]) => ms)).toEqual([2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000, 15_000]);
  });

  it('stops at once when somebody presses Ctrl-C in a wait', async () => {
    const fake = new FakeGraph();
    fake.lag.principal = 1000;
    const stop = new AbortController();
    const { deps } = connected(fake);
    const onWait = () => stop.abort(new Error('stopped'));
    const running = registerApp(
      { ...deps, signal: stop.signal, onWait, keepSecret: async () => undefined },
      plans.osticket,
      {},
      async () => undefined,
    );
    await expect(running).rejects.toThrow('stopped');
    expect(fake.log.filter((one) => one.line === 'POST /servicePrincipals')).toHaveLength(1);
  });
});
