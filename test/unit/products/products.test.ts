import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { permissionsOf, planRegistration } from '../../../src/products/plan.ts';
import { type Product, platformOf, redirectSource } from '../../../src/products/product.ts';
import { productNamed, products } from '../../../src/products/products.ts';
import { formFactsOf } from '../../../src/products/sheet/sheet-facts.ts';
import { nextOf } from '../../support/next.ts';
import { exampleFacts } from './sheet/example.ts';

const named = (name: string): Product => {
  const product = productNamed(name);
  if (product === undefined) throw new Error(`no product ${name}`);
  return product;
};
const formOf = (product: Product) => product.form(formFactsOf(exampleFacts(product)));
const labels = (product: Product) => formOf(product).flatMap((step) => step.fields.map((field) => field.label));
const pressed = (product: Product) => nextOf({ next: formOf(product).flatMap((step) => step.press) }).join('\n');

/** Sentences of the products' own guides, as they stand there (osTicket's "Scopes" is in the plugin's form, not in the product). */
const said: Readonly<Record<string, { fields: string; buttons: readonly string[] }>> = {
  osticket: {
    fields: `copy the Callback Endpoint (at the top of the popup) · paste the Value in the Client Secret field · paste it in the Client ID field ·
      paste it in the Authorization Endpoint field · paste it in the Token Endpoint field · osTicket's form: Scopes`,
    buttons: ['Submit', 'Accept', 'Consent on behalf of your organization', 'green success banner', 'Config', 'Token'],
  },
  supportpal: {
    fields: `This page will show you the required Redirect URI needed · Client ID and Client Secret ·
      Change the Authentication dropdown to "OAuth". · Select Microsoft from the Provider dropdown.`,
    buttons: ['Save', 'Get Access Token', 'Reset Access Token', 'Validate Authentication', 'success message'],
  },
  kaseya: {
    fields: `Incoming Mail Server: outlook.office365.com · Server Port Number: 993 · EncryptionType: SSL · Username: [your mail address] ·
      Password: [your mailbox password] · Under IMAP settings, Select Yes for · Enter the Application ID and Directory ID you saved`,
    buttons: ['Save', 'Test', 'Basic authentication can be turned off'],
  },
  mspbots: {
    fields: `Host Name - Use the information in Step 1 · Authorization URL and Token URL - Use the values from Step 3.h ·
      Redirect URI - This value is pre-filled. · Client ID and Client Secret - · Username - Enter your username. ·
      Reply to -  Enter your preferred email. · Signature - Input your signature.`,
    buttons: ['Authorize', 'Continue', 'Sign In', 'Accept', 'Verified', 'Not Verified'],
  },
};

describe("each guide keeps the product's own words", () => {
  it.each(Object.entries(said))('%s: fields and buttons', (name, { fields, buttons }) => {
    const product = named(name);
    for (const label of labels(product)) expect(fields).toContain(label);
    for (const button of buttons) expect(pressed(product)).toContain(button);
  });

  it.each([
    ['osticket', ['Callback Endpoint', 'Client ID', 'Client Secret', 'Authorization Endpoint', 'Token Endpoint', 'Scopes']],
    ['supportpal', ['Redirect URI', 'Client ID', 'Client Secret', 'Authentication', 'Provider']],
    [
      'kaseya',
      [
        ...['Incoming Mail Server', 'Server Port Number', 'EncryptionType', 'Username', 'Password', 'IMAP settings'],
        ...['Application ID', 'Directory ID'],
      ],
    ],
    [
      'mspbots',
      [
        ...['Host Name', 'Authorization URL', 'Token URL', 'Redirect URI', 'Client ID', 'Client Secret'],
        ...['Username', 'Reply to', 'Signature'],
      ],
    ],
  ])('%s: no field is left out', (name, expected) => {
    expect(labels(named(name))).toEqual(expected);
  });

  it('fills each field with the value that belongs there', () => {
    const value = (name: string, label: string) => {
      const field = formOf(named(name))
        .flatMap((step) => step.fields)
        .find((one) => one.label === label);
      return field?.secret ?? field?.value;
    };
    expect(value('kaseya', 'Incoming Mail Server')).toBe('outlook.office365.com');
    expect(value('kaseya', 'Server Port Number')).toBe('993');
    expect(value('kaseya', 'EncryptionType')).toBe('SSL');
    expect(value('kaseya', 'Directory ID')).toBe('5f0c3e1a-7d42-4b8e-9a63-1c2d3e4f5a6b');
    // The guide's own pointer leads to the redirect URI.
    expect(value('mspbots', 'Host Name')).toBe('smtp.office365.com');
    // And this one to the Secret ID.
    expect(value('mspbots', 'Client ID')).toBe('11111111-2222-3333-4444-555555555555');
    expect(value('osticket', 'Token Endpoint')).toMatch(/\/oauth2\/v2\.0\/token$/);
    expect(value('osticket', 'Client Secret')).toBe('client-secret');
    expect(value('kaseya', 'Password')).toBe('password');
  });
});

/** What the guides of the products ask for. */
describe('what is registered', () => {
  const plan = (name: string, more: object = {}) => {
    const product = named(name);
    return planRegistration(
      product,
      {
        name: 'an app',
        audience: product.audience,
        clientType: product.clientType,
        redirectUri: exampleFacts(product).redirectUri,
        protocols: product.protocols,
        secretMonths: product.secretMonths,
        consent: 'admin',
        ...more,
      },
      'id-of-the-set-up',
    );
  };

  it('osticket', () => {
    expect(plan('osticket')).toEqual({
      displayName: 'an app',
      audience: 'single',
      platform: 'web',
      redirectUris: ['https://helpdesk.contoso.com/api/auth/oauth2'],
      publicClientFlows: false,
      implicitTokens: false,
      graphPermissions: ['User.Read', 'offline_access', 'IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'],
      exchangePermissions: ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'],
      secretMonths: 12,
      consent: 'admin',
      tag: 'mailauth:id-of-the-set-up',
    });
  });

  it("osticket's older plugin wants implicit tokens", () => {
    expect(plan('osticket', { variant: 'older-plugin' })).toMatchObject({ implicitTokens: true });
    for (const { variants } of products) expect(variants?.[0]?.implicitTokens ?? false).toBe(false);
    expect(plan('mspbots', { variant: 'older-plugin' })).toMatchObject({ implicitTokens: false });
  });

  it('supportpal', () => {
    expect(plan('supportpal')).toMatchObject({
      audience: 'multi-and-personal',
      platform: 'web',
      redirectUris: ['https://support.contoso.com/en/admin/oauth/microsoft'],
      graphPermissions: ['offline_access', 'IMAP.AccessAsUser.All', 'SMTP.Send'],
      exchangePermissions: ['IMAP.AccessAsUser.All', 'SMTP.Send'],
      secretMonths: 24,
    });
  });

  it('kaseya has no redirect and no secret, whatever the answers say', () => {
    const kaseya = plan('kaseya', { redirectUri: 'http://localhost' });
    expect(kaseya).toMatchObject({
      audience: 'multi',
      platform: 'none',
      redirectUris: [],
      publicClientFlows: true,
      graphPermissions: ['User.Read', 'POP.AccessAsUser.All', 'IMAP.AccessAsUser.All', 'offline_access', 'SMTP.Send'],
    });
    expect(kaseya).not.toHaveProperty('secretMonths');
  });

  it('mspbots', () => {
    expect(plan('mspbots')).toMatchObject({
      audience: 'single',
      platform: 'web',
      redirectUris: ['https://app.mspbots.ai/web/um/smtp/redirect'],
      graphPermissions: ['SMTP.Send'],
      exchangePermissions: ['SMTP.Send'],
      secretMonths: 12,
    });
  });

  it('this-computer, public and confidential', () => {
    expect(plan('this-computer')).toMatchObject({
      platform: 'mobile-desktop',
      redirectUris: ['http://localhost'],
      publicClientFlows: false,
      graphPermissions: ['openid', 'profile', 'email', 'offline_access', 'IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'],
    });
    expect(plan('this-computer')).not.toHaveProperty('secretMonths');
    const confidential = { clientType: 'confidential', redirectUri: 'http://localhost:8400/mailauth' };
    expect(plan('this-computer', confidential)).toMatchObject({ platform: 'web', secretMonths: 12, publicClientFlows: false });
  });

  it('device and password sign-in need public client flows, and only a public client gets them', () => {
    expect(plan('custom', { signIn: 'device' }).publicClientFlows).toBe(true);
    expect(plan('custom', { signIn: 'password' }).publicClientFlows).toBe(true);
    expect(plan('custom', { signIn: 'browser' }).publicClientFlows).toBe(false);
    expect(plan('custom', { signIn: 'device', clientType: 'confidential' }).publicClientFlows).toBe(false);
  });

  it('fewer protocols are fewer permissions; one that the guide does not list is added', () => {
    expect(plan('osticket', { protocols: ['imap'] })).toMatchObject({
      graphPermissions: ['User.Read', 'offline_access', 'IMAP.AccessAsUser.All'],
      exchangePermissions: ['IMAP.AccessAsUser.All'],
    });
    expect(permissionsOf(named('supportpal'), ['imap', 'pop'])).toEqual([
      'offline_access',
      'IMAP.AccessAsUser.All',
      'POP.AccessAsUser.All',
    ]);
  });
});

describe('every product is whole', () => {
  it('and stands in the table, once, when it has a data file', () => {
    const folder = join(import.meta.dirname, '../../../src/products');
    const files = readdirSync(folder).filter(
      (name) => name.endsWith('.ts') && /: Product = \{/.test(readFileSync(join(folder, name), 'utf8')),
    );
    expect(products.map(({ name }) => `${name}.ts`).sort()).toEqual(files.sort());
  });

  it.each(products)('$name', (product) => {
    for (const { title, where, fields, press } of formOf(product)) {
      expect(press.length).toBeGreaterThan(0);
      for (const line of [title, where, ...nextOf({ next: press })]) expect(line.trim()).not.toBe('');
      for (const { value } of fields) expect(value instanceof Secret || value.trim() !== '').toBe(true);
    }
    expect(product.signInWays).toContain(product.signIn);
    expect(product.publicClientFlows && product.clientType === 'confidential').toBe(false);
    expect(product.platform === 'web').toBe(product.clientType === 'confidential');
    // The form asks for a client secret where the product's client has one. Another program's client may have one.
    const clientType = product.name === 'custom' ? 'confidential' : product.clientType;
    const fields = product.form(formFactsOf(exampleFacts(product, { clientType }))).flatMap((step) => step.fields);
    expect(fields.some((field) => field.secret === 'client-secret')).toBe(clientType === 'confidential');
  });

  it('knows where the redirect URI comes from', () => {
    expect(Object.fromEntries(products.map((product) => [product.name, redirectSource(product)]))).toMatchObject({
      'this-computer': 'fixed',
      osticket: 'product',
      supportpal: 'product',
      kaseya: 'none',
      mspbots: 'fixed',
      custom: 'operator',
    });
    expect(platformOf(named('kaseya'), 'public')).toBe('none');
    expect(platformOf(named('custom'), 'confidential')).toBe('web');
  });
});
