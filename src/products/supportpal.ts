import { signer } from './form-facts.ts';
import type { Product } from './product.ts';

/**
 * SupportPal's Microsoft integration. Source: SupportPal's "Third-Party Integrations: Microsoft".
 *
 * Manual steps, counted in the guide (each click, choice, entry, copy and look it asks for; a menu path is one): 3 to activate;
 * 30 for "Integration Settings" (steps 1 to 13: 2, 2, 1, 1, 5, 1, 2, 2, 4, 2, 1, 4, 3); 12 for a department's email account
 * (3 to find it, Authentication, provider, details, Get Access Token, log in, follow through, red button, Validate, submit);
 * 11 for SMTP (the same, found in 2).
 */
export const supportpal: Product = {
  name: 'supportpal',
  title: 'SupportPal',
  description: 'the helpdesk; its Microsoft integration shows the redirect URI',
  audience: 'multi-and-personal',
  clientType: 'confidential',
  platform: 'web',
  redirectShown: {
    field: 'Redirect URI',
    title: 'Copy the Redirect URI from SupportPal',
    where: 'SupportPal: Settings > General > Third-Party Integrations',
    fields: [],
    press: [
      'Microsoft: press "Activate" on the left. The page reloads and confirms it',
      'Press "Settings" under Microsoft',
      'Copy the redirect URI that the page shows',
    ],
  },
  publicClientFlows: false,
  protocols: ['imap', 'smtp'],
  permissions: ['offline_access', 'IMAP.AccessAsUser.All', 'SMTP.Send'],
  signIn: 'skip',
  signInWays: ['skip', 'browser', 'paste'],
  asks: ['redirectUri'],
  secretMonths: 24,
  secretMonthsFixed: true,
  endpointsWanted: false,
  olderMenu: 'Identity > Applications > App registrations',
  form: (f) => [
    {
      title: "Fill in SupportPal's Microsoft settings",
      where: 'SupportPal: Settings > General > Third-Party Integrations > Microsoft > Settings',
      fields: [
        {
          label: 'Redirect URI',
          how: 'compare',
          value: f.redirectUri,
          note:
            'Must be exactly the one in Entra. Otherwise Microsoft says "The provided value for the input parameter ' +
            "'redirect_uri' is not valid\".",
        },
        { label: 'Client ID', value: f.clientId, note: 'Entra calls it Application (client) ID.' },
        { label: 'Client Secret', ...f.clientSecret, note: 'The client secret value, not the client secret ID.' },
      ],
      press: ['Press "Save"'],
    },
    {
      title: "Connect SupportPal's email accounts",
      where:
        'SupportPal, for reading: Settings > Tickets > Departments > (the department) > Email Accounts; ' +
        'for sending: Settings > Email (of a brand: Settings > General > Brands > (the brand) > Email)',
      fields: [
        { label: 'Authentication', how: 'choose', value: 'OAuth' },
        {
          label: 'Provider',
          how: 'choose',
          value: 'Microsoft',
          note: 'If it is not in the list, the integration is not activated or its settings are not saved.',
        },
      ],
      trap: 'SupportPal saves the access token only when the settings form is submitted. Let the browser open pop-ups for SupportPal.',
      press: [
        'Fill in the rest of the form from the list of mail servers',
        'Press "Get Access Token"',
        `In the pop-up, sign in as ${signer(f)}, and follow it until it closes by itself`,
        'The button must be red now and read "Reset Access Token"',
        'Press "Validate Authentication": a success message must appear',
        `If it says "User is authenticated but not connected": ${f.signsIn} has no rights or no licence for ${f.mailbox}, or IMAP is off there`,
        'Submit the settings form',
        'Do the same in the other place: reading and sending each have a token of their own',
      ],
    },
  ],
  manualSteps: 56,
};
