import { signer } from './form-facts.ts';
import type { Product } from './product.ts';

/**
 * osTicket with its OAuth2 plugin. Source: osTicket's "Microsoft Authorization Guide", the present and an older edition;
 * "Strict Matching" from osTicket's pull request 6466, "Scopes" from the plugin's form.
 *
 * Manual steps, counted in the present edition (each click, choice, entry, copy, paste and look it asks for; a menu path is one):
 * 6 to the Callback Endpoint (system email, Remote Mailbox, OAuth2 - Microsoft, Config, IdP Config, copy); 9 to register (portal, Entra ID,
 * App Registrations, New registration, name, account types, Web, paste, Register); 11 for permissions (tab, Add, Graph, Delegated, five of
 * them, Add permissions, look); 3 for consent (Grant, Yes, look); 6 for the secret (tab, New, description, expires, Add, copy);
 * 9 to carry values over (paste secret, Overview, copy and paste the ID, Endpoints, copy and paste two); 6 to connect (Submit, sign in,
 * Accept, banner, Config, Token). The older edition adds 4 (Authentication, Access Tokens, ID Tokens, Save).
 */
export const osticket: Product = {
  name: 'osticket',
  title: 'osTicket',
  description: 'the helpdesk, with its OAuth2 plugin; it shows its Callback Endpoint',
  audience: 'single',
  clientType: 'confidential',
  platform: 'web',
  redirectShown: {
    field: 'Callback Endpoint',
    title: 'Copy the Callback Endpoint from osTicket',
    where: 'osTicket: Admin Panel > Emails > Emails > (the system email) > Remote Mailbox',
    fields: [],
    trap:
      'The OAuth2 plugin must be installed and enabled. An older edition of the guide says "OAuth2 - Google" here: for a Microsoft ' +
      'mailbox, choose "OAuth2 - Microsoft". A plugin of that age also needs implicit tokens: set it up with --variant older-plugin.',
    press: [
      'Authentication: choose "OAuth2 - Microsoft"',
      'Press "Config" and open the tab "IdP Config"',
      'Copy "Callback Endpoint" from the top of the popup. It ends in /api/auth/oauth2',
    ],
  },
  publicClientFlows: false,
  protocols: ['imap', 'pop', 'smtp'],
  permissions: ['User.Read', 'offline_access', 'IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'],
  signIn: 'skip',
  signInWays: ['skip', 'browser', 'paste'],
  asks: ['redirectUri'],
  secretMonths: 12,
  endpointsWanted: true,
  olderMenu: 'Azure Active Directory > App Registrations',
  form: (f) => [
    {
      title: 'Fill in osTicket',
      where: 'osTicket: Admin Panel > Emails > Emails > (the system email) > Remote Mailbox > Config > IdP Config',
      fields: [
        {
          label: 'Callback Endpoint',
          how: 'compare',
          value: f.redirectUri,
          note: 'Must be exactly the redirect URI in Entra, including https and capital letters.',
        },
        { label: 'Client ID', value: f.clientId, note: 'Entra calls it Application (client) ID.' },
        { label: 'Client Secret', ...f.clientSecret, note: 'The secret\'s "Value", not its "Secret ID".' },
        {
          label: 'Authorization Endpoint',
          value: f.endpoints.authorization,
          note: 'The v2 address. With an older one osTicket says "The API version v2 has been depreciated".',
        },
        { label: 'Token Endpoint', value: f.endpoints.token, note: 'The v2 address.' },
        {
          label: 'Scopes',
          how: 'compare',
          value: f.scopes.join(' '),
          note: 'osTicket fills this in. Leave it as it is if it asks for the same.',
        },
      ],
      trap: 'A browser that is already signed in to Microsoft uses that account without asking. Use a private window.',
      press: [
        'Press "Submit": osTicket sends you to Microsoft',
        f.signsIn === f.mailbox ? `Sign in as ${f.mailbox}, not as yourself` : `Sign in as ${signer(f)}`,
        'Press "Accept". "Consent on behalf of your organization" can stay empty once an administrator has consented',
        'Back in osTicket, a green success banner must appear',
        'Press "Config" again: a new tab "Token" must show the token',
        'Fill in IMAP or POP3, and SMTP, from the list of mail servers',
      ],
    },
  ],
  shared: (f) => [
    `In the popup's general settings, switch "Strict Matching" off. With it, osTicket refuses the token of ${f.signsIn} for ${f.mailbox}. ` +
      'osTicket has this switch since 2023; older versions need an update.',
  ],
  variants: [
    { name: 'present-plugin', title: 'the present OAuth2 plugin', implicitTokens: false },
    { name: 'older-plugin', title: 'an OAuth2 plugin older than the present guide (implicit tokens)', implicitTokens: true },
  ],
  manualSteps: 50,
};
