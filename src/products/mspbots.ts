import { signer } from './form-facts.ts';
import type { Product } from './product.ts';

/**
 * MSPbots, Outgoing Mail. Source: MSPbots' "Outgoing Mail using OAuth 2.0". Two slips of that guide are corrected here: its "Host Name"
 * points to the step with the redirect URI, and its "Client ID" points to the step with the Secret ID.
 *
 * Manual steps, counted in the guide (each click, choice, entry, copy and look it asks for; a menu path is one): 4 to the Redirect URI
 * (Outgoing Mail, Add, OAuth2, copy); 24 in Azure (sign in, two to the form, four in it, note the ID, six for the secret and its two
 * values, four for the endpoints, six for the permission); 12 to fill in (four to the form, eight fields); 5 to authorize
 * (Authorize, Continue, password, Sign In, Accept); 2 to verify (refresh, look).
 */
export const mspbots: Product = {
  name: 'mspbots',
  title: 'MSPbots',
  description: 'outgoing mail only (SMTP)',
  audience: 'single',
  clientType: 'confidential',
  platform: 'web',
  redirectUri: 'https://app.mspbots.ai/web/um/smtp/redirect',
  publicClientFlows: false,
  protocols: ['smtp'],
  permissions: ['SMTP.Send'],
  signIn: 'skip',
  signInWays: ['skip', 'browser', 'paste'],
  asks: [],
  secretMonths: 12,
  secretIdToo: true,
  endpointsWanted: true,
  olderMenu: 'Azure portal > App registrations',
  consentNote:
    "MSPbots' guide leaves consent to the sign-in. Where users are not allowed to consent themselves, the sign-in works only after this step.",
  form: (f) => [
    {
      title: 'Fill in MSPbots',
      where: 'MSPbots: Settings > System > Outgoing Mail > Add > OAuth2',
      fields: [
        {
          label: 'Host Name',
          value: f.servers.smtp.host,
          note: "If MSPbots asks for a port: 587 with STARTTLS. MSPbots' guide points to the redirect URI here by mistake.",
        },
        { label: 'Authorization URL', value: f.endpoints.authorization },
        { label: 'Token URL', value: f.endpoints.token },
        { label: 'Redirect URI', how: 'compare', value: f.redirectUri, note: 'MSPbots fills this in.' },
        {
          label: 'Client ID',
          value: f.clientId,
          note: 'The Application (client) ID, not the Secret ID, although the guide reads like that.',
        },
        { label: 'Client Secret', ...f.clientSecret, note: 'The secret\'s "Value", not its "Secret ID".' },
        { label: 'Username', value: f.mailbox, note: 'A mailbox with a licence of its own.' },
        { label: 'Reply to', how: 'own', value: f.mailbox, note: 'Or any address that should get the answers.' },
        { label: 'Signature', how: 'own', value: 'your own words below each message' },
      ],
      trap: 'SMTP AUTH must be switched on for the mailbox, also with OAuth. Otherwise the server answers 535 5.7.139.',
      press: [
        'Press "Authorize"',
        'In the pop-up, press "Continue"',
        `On Microsoft's page, sign in as ${signer(f)}: enter the password and press "Sign In"`,
        'Press "Accept"',
        'Refresh the mailbox list: the status must be "Verified". If it is "Not Verified", go through this form again',
      ],
    },
  ],
  manualSteps: 47,
};
