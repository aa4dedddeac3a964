import { expect, it } from 'vitest';
import { guides } from '../../../src/guides/guides.ts';
import { type PortalFacts, portalSteps } from '../../../src/guides/portal-steps.ts';

const facts: PortalFacts = {
  portal: 'https://entra.microsoft.com',
  mailbox: 'helpdesk@contoso.com',
  name: 'mailauth custom helpdesk@contoso.com',
  audience: 'single',
  clientType: 'confidential',
  redirectUri: 'https://helpdesk.contoso.com/cb',
  protocols: ['imap', 'smtp'],
  secretMonths: 12,
  consent: 'admin',
};
const clientId = '11111111-2222-3333-4444-555555555555';

it('leads through four screens: register, permissions, consent, secret', () => {
  const text = portalSteps({ ...facts, clientId })
    .map((s) => [s.title, s.menu, s.link, ...s.actions, ...s.values.map((v) => `${v.field}: ${v.value}`), s.trap ?? ''].join('\n'))
    .join('\n\n');
  expect(text).toMatchInlineSnapshot(`
    "Register the app
    Entra ID > App registrations > New registration
    https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/CreateApplicationBlade/quickStartType~/null/isMSAApp~/false
    Fill in the form with these values
    Press "Register"
    Copy "Application (client) ID" from the Overview page
    Name: mailauth custom helpdesk@contoso.com
    Supported account types: Accounts in this organizational directory only (Single tenant)
    Redirect URI, platform: Web
    Redirect URI: https://helpdesk.contoso.com/cb
    The overview shows three GUIDs: take "Application (client) ID", not "Object ID" and not "Directory (tenant) ID". Choose "Web", not "Single-page application": that one never gets a token for a server.

    Add the delegated permissions
    Entra ID > App registrations > your app > Manage > API permissions > Add a permission > Microsoft Graph > Delegated permissions
    https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/11111111-2222-3333-4444-555555555555/isMSAApp~/false
    Search for each name, tick it
    Press "Add permissions"
    Permission: openid
    Permission: profile
    Permission: email
    Permission: offline_access
    Permission: IMAP.AccessAsUser.All
    Permission: SMTP.Send
    Choose "Delegated permissions". "Application permissions" is another thing and does not work here. Leave "User.Read" if it is there already.

    Grant admin consent
    Entra ID > App registrations > your app > Manage > API permissions > Grant admin consent for (your organization)
    https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/11111111-2222-3333-4444-555555555555/isMSAApp~/false
    Press "Grant admin consent for …", then "Yes"
    Every row must show "Granted for …" with a green tick
    Only an administrator can press it. Tenants that let Microsoft manage consent do not let users agree to IMAP and POP themselves, so without this step the sign-in stops at "Need admin approval".

    Make a client secret
    Entra ID > App registrations > your app > Manage > Certificates & secrets > Client secrets > New client secret
    https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/11111111-2222-3333-4444-555555555555/isMSAApp~/false
    Press "New client secret", fill in, press "Add"
    Copy the column "Value" now: it is shown only once
    Description: mailauth helpdesk@contoso.com
    Expires: 365 days (12 months)
    Copy "Value", not "Secret ID". The ID is a GUID and never signs in."
  `);
});

it('leaves out the secret for a public client and the consent where nobody gives it', () => {
  const titles = (more: Partial<PortalFacts>) => portalSteps({ ...facts, ...more }).map((s) => s.title);
  expect(titles({ clientType: 'public' })).toHaveLength(3);
  expect(titles({ consent: 'user' })).toHaveLength(3);
  expect(titles({ clientType: 'public', consent: 'skip' })).toEqual(['Register the app', 'Add the delegated permissions']);
});

it('uses the platform that fits the client', () => {
  const platform = (more: Partial<PortalFacts>) =>
    portalSteps({ ...facts, ...more })[0]?.values.find((v) => v.field.includes('platform'))?.value;
  expect(platform({})).toBe('Web');
  expect(platform({ clientType: 'public' })).toMatch(/mobile & desktop/);
});

it('deep links name the app as soon as it is known, in the portal of the cloud', () => {
  for (const step of portalSteps({ ...facts, clientId }).slice(1)) expect(step.link).toContain(`/appId/${clientId}/`);
  for (const step of portalSteps(facts)) expect(step.link).not.toContain('undefined');
  for (const step of portalSteps({ ...facts, portal: 'https://portal.azure.cn' }))
    expect(step.link).toMatch(/^https:\/\/portal\.azure\.cn\//);
});

it('every guide is complete and has a name of its own', () => {
  expect(new Set(guides.map((g) => g.name)).size).toBe(guides.length);
  for (const guide of guides) {
    expect(guide.name).toMatch(/^[a-z-]+$/);
    expect(guide.title.length * guide.description.length).toBeGreaterThan(0);
    expect(guide.protocols.length).toBeGreaterThan(0);
  }
});
