import type { Product } from './product.ts';

/**
 * The email parser of Kaseya BMS, Vorex and Pulseway PSA. Source: "OAuth 2.0 for Microsoft O365". The PSA signs in with the mailbox's
 * password (RFC 6749 section 4.3) and has no browser: no redirect URI, no secret, no MFA.
 *
 * Manual steps, counted in the guide (each click, choice, entry, copy and look it asks for; a menu path is one): 8 to register (log in,
 * Azure Active Directory, New registration, name, account types, Register, copy two IDs); 3 for Authentication (page, Yes, Save);
 * 11 for permissions and consent (page, Add, Graph, Delegated, five of them, Grant, look); 11 in the PSA (page, five mail settings,
 * IMAP settings, two IDs, Save, Test).
 */
export const kaseya: Product = {
  name: 'kaseya',
  title: 'Kaseya BMS, Vorex or Pulseway PSA',
  description: 'the email parser; signs in with the password of a mailbox without MFA',
  audience: 'multi',
  clientType: 'public',
  platform: 'none',
  publicClientFlows: true,
  // The guide's list of permissions covers all three protocols; the form of the parser has IMAP only.
  protocols: ['imap', 'pop', 'smtp'],
  permissions: ['User.Read', 'POP.AccessAsUser.All', 'IMAP.AccessAsUser.All', 'offline_access', 'SMTP.Send'],
  signIn: 'skip',
  signInWays: ['skip', 'password'],
  asks: [],
  secretMonths: 12,
  endpointsWanted: false,
  olderMenu: 'Azure Active Directory > App Registrations',
  consentNote: 'The PSA never shows a consent page: without this step its sign-in fails with AADSTS65001.',
  form: (f) => [
    {
      title: 'Fill in the email parser',
      where: 'PSA: Admin > Service Desk > Email Parser',
      fields: [
        { label: 'Incoming Mail Server', value: f.servers.imap.host },
        { label: 'Server Port Number', value: String(f.servers.imap.port) },
        { label: 'EncryptionType', how: 'choose', value: f.servers.imap.security === 'tls' ? 'SSL' : 'STARTTLS' },
        { label: 'Username', value: f.mailbox },
        {
          label: 'Password',
          ...f.password,
          note: 'The password of the mailbox itself. It must work without MFA: OAuth 2.0 here "does not support MFA-enabled accounts".',
        },
        {
          label: 'IMAP settings',
          how: 'choose',
          value: 'Yes',
          note: 'This switches OAuth on. The Application ID and the Directory ID belong to it.',
        },
        { label: 'Application ID', value: f.clientId, note: 'Entra calls it Application (client) ID.' },
        { label: 'Directory ID', value: f.tenantId, note: 'Entra calls it Directory (tenant) ID.' },
      ],
      trap:
        'Security defaults, a Conditional Access policy or per-user MFA stop this sign-in (AADSTS50076, AADSTS50079). Exclude the ' +
        'mailbox from them, or use another product. Trying again does not help.',
      press: ['Press "Save"', 'Press "Test": the connection must succeed', 'After that, Basic authentication can be turned off'],
    },
  ],
  shared: () => [
    'The PSA signs in as the mailbox itself, with its password. A shared mailbox has no password of its own and its sign-in is blocked: ' +
      'give the parser a licensed mailbox.',
  ],
  manualSteps: 33,
};
