import { describe, expect, it } from 'vitest';
import { type PortalFacts, portalSteps } from '../../../src/by-hand/portal-steps.ts';
import { walkThrough } from '../../../src/by-hand/walk-through.ts';
import { productNamed, products } from '../../../src/products/products.ts';
import { exampleFacts } from '../products/sheet/example.ts';

const portal = 'https://entra.microsoft.com';

function facts(name: string, more: Partial<PortalFacts> = {}): PortalFacts {
  const product = productNamed(name)!;
  const { mailbox, redirectUri, protocols } = exampleFacts(product);
  const { audience, clientType, secretMonths } = product;
  return {
    ...{ for: name, portal, mailbox, redirectUri, protocols, audience, clientType, secretMonths, consent: 'admin' },
    name: `mailauth ${name}`,
    ...more,
  };
}

/** Title, place, actions and fields of each screen, in the order in which a person reads them. */
const screens = (f: PortalFacts): string =>
  portalSteps(f)
    .map((step) =>
      [
        `# ${step.title}${step.yields === undefined ? '' : ` → ${step.yields}`}`,
        step.where,
        ...(step.actions ?? []).map((action) => `- ${action}`),
        ...step.fields.map(({ label, value }) => `${label} = ${value}`),
        ...step.press.map((line) => `- ${line}`),
      ].join('\n'),
    )
    .join('\n');

describe('the portal, screen by screen', () => {
  it('this-computer', () => {
    expect(screens(facts('this-computer'))).toMatchInlineSnapshot(`
      "# Register the app → client-id
      Entra ID > App registrations > New registration
      - Fill in the form
      Name = mailauth this-computer
      Supported account types = Single tenant only (formerly: Accounts in this organizational directory only)
      Redirect URI, platform = Public client/native (mobile & desktop)
      Redirect URI = http://localhost
      - Press "Register"
      - Copy "Application (client) ID" from the Overview page
      # Add the delegated permissions
      Entra ID > App registrations > your app > Manage > API permissions > Add a permission > Microsoft Graph > Delegated permissions
      - Search for each name and tick it
      Permission = openid
      Permission = profile
      Permission = email
      Permission = offline_access
      Permission = IMAP.AccessAsUser.All
      Permission = POP.AccessAsUser.All
      Permission = SMTP.Send
      - Press "Add permissions"
      - The table must show all of them now, as "Delegated"
      # Grant admin consent
      Entra ID > App registrations > your app > Manage > API permissions > Grant admin consent for (your organization)
      - Press "Grant admin consent for …", then "Yes"
      - Every row must show "Granted for …" with a green tick"
    `);
  });
  it('osticket', () => {
    const { endpoints } = exampleFacts(productNamed('osticket')!);
    expect(screens(facts('osticket', { variant: 'older-plugin', endpoints }))).toMatchInlineSnapshot(`
      "# Register the app → client-id
      Entra ID > App registrations > New registration  (older: Azure Active Directory > App Registrations)
      - Fill in the form
      Name = mailauth osticket
      Supported account types = Single tenant only (formerly: Accounts in this organizational directory only)
      Redirect URI, platform = Web
      Redirect URI = https://helpdesk.contoso.com/api/auth/oauth2
      - Press "Register"
      - Copy "Application (client) ID" from the Overview page
      # Allow implicit tokens
      Entra ID > App registrations > your app > Manage > Authentication
      - Settings (older: Implicit grant and hybrid flows): tick "Access tokens" and "ID tokens"
      - Press "Save"
      # Add the delegated permissions
      Entra ID > App registrations > your app > Manage > API permissions > Add a permission > Microsoft Graph > Delegated permissions
      - Search for each name and tick it
      Permission = User.Read
      Permission = offline_access
      Permission = IMAP.AccessAsUser.All
      Permission = POP.AccessAsUser.All
      Permission = SMTP.Send
      - Press "Add permissions"
      - The table must show all of them now, as "Delegated"
      # Grant admin consent
      Entra ID > App registrations > your app > Manage > API permissions > Grant admin consent for (your organization)
      - Press "Grant admin consent for …", then "Yes"
      - Every row must show "Granted for …" with a green tick
      # Make a client secret → client-secret
      Entra ID > App registrations > your app > Manage > Certificates & secrets > Client secrets > New client secret
      - Press "New client secret" and fill in the form
      Description = mailauth helpdesk@contoso.com
      Expires = 365 days (12 months)
      - Press "Add"
      - Copy the column "Value" now: the portal shows it only once
      # Copy the endpoints
      Entra ID > App registrations > your app > Overview > Endpoints
      - Press "Endpoints" at the top of the page
      - Copy these two, or compare them
      OAuth 2.0 authorization endpoint (v2) = https://login.microsoftonline.com/5f0c3e1a-7d42-4b8e-9a63-1c2d3e4f5a6b/oauth2/v2.0/authorize
      OAuth 2.0 token endpoint (v2) = https://login.microsoftonline.com/5f0c3e1a-7d42-4b8e-9a63-1c2d3e4f5a6b/oauth2/v2.0/token"
    `);
  });
  it('supportpal', () => {
    expect(screens(facts('supportpal'))).toMatchInlineSnapshot(`
      "# Register the app → client-id
      Entra ID > App registrations > New registration  (older: Identity > Applications > App registrations)
      - Fill in the form
      Name = mailauth supportpal
      Supported account types = Any Entra ID Tenant + Personal Microsoft accounts (formerly: Accounts in any organizational directory and personal Microsoft accounts)
      Redirect URI, platform = Web
      Redirect URI = https://support.contoso.com/en/admin/oauth/microsoft
      - Press "Register"
      - Copy "Application (client) ID" from the Overview page
      # Add the delegated permissions
      Entra ID > App registrations > your app > Manage > API permissions > Add a permission > Microsoft Graph > Delegated permissions
      - Search for each name and tick it
      Permission = offline_access
      Permission = IMAP.AccessAsUser.All
      Permission = SMTP.Send
      - Press "Add permissions"
      - The table must show all of them now, as "Delegated"
      # Grant admin consent
      Entra ID > App registrations > your app > Manage > API permissions > Grant admin consent for (your organization)
      - Press "Grant admin consent for …", then "Yes"
      - Every row must show "Granted for …" with a green tick
      # Make a client secret → client-secret
      Entra ID > App registrations > your app > Manage > Certificates & secrets > Client secrets > New client secret
      - Press "New client secret" and fill in the form
      Description = mailauth helpdesk@contoso.com
      Expires = 730 days (24 months)
      - Press "Add"
      - Copy the column "Value" now: the portal shows it only once"
    `);
  });
  it('kaseya', () => {
    expect(screens(facts('kaseya'))).toMatchInlineSnapshot(`
      "# Register the app → client-id
      Entra ID > App registrations > New registration  (older: Azure Active Directory > App Registrations)
      - Fill in the form
      Name = mailauth kaseya
      Supported account types = Multiple Entra ID tenants (formerly: Accounts in any organizational directory)
      Redirect URI, platform = none: leave the list as it is
      Redirect URI = leave it empty
      - Press "Register"
      - Copy "Application (client) ID" and "Directory (tenant) ID" from the Overview page
      # Allow public client flows
      Entra ID > App registrations > your app > Manage > Authentication
      - Settings (older: Advanced settings): set "Allow public client flows" to Yes (older: "Enable the following mobile and desktop flows")
      - Press "Save"
      # Add the delegated permissions
      Entra ID > App registrations > your app > Manage > API permissions > Add a permission > Microsoft Graph > Delegated permissions
      - Search for each name and tick it
      Permission = User.Read
      Permission = POP.AccessAsUser.All
      Permission = IMAP.AccessAsUser.All
      Permission = offline_access
      Permission = SMTP.Send
      - Press "Add permissions"
      - The table must show all of them now, as "Delegated"
      # Grant admin consent
      Entra ID > App registrations > your app > Manage > API permissions > Grant admin consent for (your organization)
      - Press "Grant admin consent for …", then "Yes"
      - Every row must show "Granted for …" with a green tick"
    `);
  });
  it('mspbots', () => {
    expect(screens(facts('mspbots'))).toMatchInlineSnapshot(`
      "# Register the app → client-id
      Entra ID > App registrations > New registration  (older: Azure portal > App registrations)
      - Fill in the form
      Name = mailauth mspbots
      Supported account types = Single tenant only (formerly: Accounts in this organizational directory only)
      Redirect URI, platform = Web
      Redirect URI = https://app.mspbots.ai/web/um/smtp/redirect
      - Press "Register"
      - Copy "Application (client) ID" from the Overview page
      # Add the delegated permissions
      Entra ID > App registrations > your app > Manage > API permissions > Add a permission > Microsoft Graph > Delegated permissions
      - Search for each name and tick it
      Permission = SMTP.Send
      - Press "Add permissions"
      - The table must show all of them now, as "Delegated"
      # Grant admin consent
      Entra ID > App registrations > your app > Manage > API permissions > Grant admin consent for (your organization)
      - Press "Grant admin consent for …", then "Yes"
      - Every row must show "Granted for …" with a green tick
      # Make a client secret → client-secret
      Entra ID > App registrations > your app > Manage > Certificates & secrets > Client secrets > New client secret
      - Press "New client secret" and fill in the form
      Description = mailauth helpdesk@contoso.com
      Expires = 365 days (12 months)
      - Press "Add"
      - Copy the column "Value" now: the portal shows it only once
      - Note "Secret ID" too: it tells this secret from the next one"
    `);
  });
  it('custom, confidential, personal accounts, consent by the user', () => {
    const more = { clientType: 'confidential', audience: 'personal', consent: 'user', secretMonths: 7 } as const;
    expect(screens(facts('custom', more))).toMatchInlineSnapshot(`
      "# Register the app → client-id
      Entra ID > App registrations > New registration
      - Fill in the form
      Name = mailauth custom
      Supported account types = Personal accounts only (formerly: Personal Microsoft accounts only)
      Redirect URI, platform = Web
      Redirect URI = http://localhost
      - Press "Register"
      - Copy "Application (client) ID" from the Overview page
      # Add the delegated permissions
      Entra ID > App registrations > your app > Manage > API permissions > Add a permission > Microsoft Graph > Delegated permissions
      - Search for each name and tick it
      Permission = openid
      Permission = profile
      Permission = email
      Permission = offline_access
      Permission = IMAP.AccessAsUser.All
      Permission = POP.AccessAsUser.All
      Permission = SMTP.Send
      - Press "Add permissions"
      - The table must show all of them now, as "Delegated"
      # Make a client secret → client-secret
      Entra ID > App registrations > your app > Manage > Certificates & secrets > Client secrets > New client secret
      - Press "New client secret" and fill in the form
      Description = mailauth helpdesk@contoso.com
      Expires = Custom: 7 months from today
      - Press "Add"
      - Copy the column "Value" now: the portal shows it only once"
    `);
  });
});

describe('portal steps', () => {
  it('link to the app itself once its ID is known, with an ID that cannot change the address', () => {
    const before = portalSteps(facts('osticket'));
    const after = portalSteps(facts('osticket', { clientId: '11111111-2222-3333-4444-555555555555' }));
    expect(before).toHaveLength(after.length);
    expect(before[1]?.link).toContain('ApplicationsListBlade');
    expect(after[1]?.link).toBe(
      `${portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/11111111-2222-3333-4444-555555555555/isMSAApp~/false`,
    );
    expect(portalSteps(facts('osticket', { clientId: '../x?y#z' }))[1]?.link).toContain('appId/..%2Fx%3Fy%23z/');
  });

  it('say each trap where it bites', () => {
    const trap = (name: string, title: string, more: Partial<PortalFacts> = {}) =>
      portalSteps(facts(name, more)).find((step) => step.title === title)?.trap;
    expect(trap('osticket', 'Make a client secret')).toContain('not "Secret ID"');
    expect(trap('osticket', 'Grant admin consent')).toContain('Need admin approval');
    expect(trap('osticket', 'Register the app')).toContain('Single-page application');
    expect(trap('supportpal', 'Register the app')).toContain('must not contain "?"');
    expect(trap('supportpal', 'Make a client secret')).toContain('24 months');
    expect(trap('kaseya', 'Allow public client flows')).toContain('AADSTS7000218');
    expect(trap('kaseya', 'Grant admin consent')).toContain('AADSTS65001');
    expect(trap('mspbots', 'Grant admin consent')).toContain('leaves consent to the sign-in');
    for (const { name } of products) {
      for (const step of portalSteps(facts(name))) {
        expect(step.trap).toBeTruthy();
        for (const { label, value } of step.fields) expect([label.trim(), String(value).trim()]).not.toContain('');
      }
    }
  });

  it('without a product are those of another program', () => {
    const { for: _, ...nameless } = facts('custom');
    expect(portalSteps(nameless)).toEqual(portalSteps(facts('custom')));
  });
});

describe('the whole guide by hand', () => {
  it('begins in the product that shows its redirect URI, and ends in its form', () => {
    const product = productNamed('supportpal')!;
    const { for: _, ...rest } = facts('supportpal');
    const steps = walkThrough(product, exampleFacts(product), rest);
    expect(steps.map((step) => step.title)).toEqual([
      'Copy the Redirect URI from SupportPal',
      'Register the app',
      'Add the delegated permissions',
      'Grant admin consent',
      'Make a client secret',
      "Fill in SupportPal's Microsoft settings",
      "Connect SupportPal's email accounts",
      'Mail servers, wherever the product asks for them',
    ]);
    expect(steps[5]?.fields.find(({ label }) => label === 'Client Secret')?.value).toBe('CLIENT-SECRET (the column "Value")');
    expect(JSON.stringify(steps)).not.toContain(exampleFacts(product).clientSecret?.reveal());
  });

  it('has the step for a shared mailbox only where one is shared', () => {
    const product = productNamed('osticket')!;
    const { for: _, ...rest } = facts('osticket');
    const press = (signsIn: string) =>
      walkThrough(product, exampleFacts(product, { signsIn }), rest)
        .flatMap((step) => step.press)
        .join('\n');
    expect(press('ada@contoso.com')).toContain('"Strict Matching" off');
    expect(press('ada@contoso.com')).toContain('Sign in as ada@contoso.com');
    expect(press('helpdesk@contoso.com')).not.toContain('Strict Matching');
  });
});
