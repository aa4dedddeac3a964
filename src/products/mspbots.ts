import type { Product } from './product.ts';

/**
 * MSPbots, Outgoing Mail. Source: MSPbots' "Outgoing Mail using OAuth 2.0". Two slips of that guide are repaired here: "Host Name" points
 * to the step with the redirect URI, and "Client ID" to the step with the Secret ID.
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
  consentNote: "MSPbots' guide leaves consent to the sign-in; where users may not consent themselves, only this step lets them through.",
  form: [
    {
      where: 'MSPbots: Settings > System > Outgoing Mail > Add > OAuth2',
      fields: [
        {
          label: 'Host Name',
          value: (f) => f.servers.smtp.host,
          note: "Port 587 with STARTTLS where it is asked. MSPbots' guide points to the redirect URI here by mistake.",
        },
        { label: 'Authorization URL', value: (f) => f.endpoints.authorization },
        { label: 'Token URL', value: (f) => f.endpoints.token },
        { label: 'Redirect URI', how: 'compare', value: (f) => f.redirectUri, note: 'Filled in by MSPbots.' },
        {
          label: 'Client ID',
          value: (f) => f.clientId,
          note: 'The Application (client) ID. It is not the Secret ID, though the guide reads like that.',
        },
        { label: 'Client Secret', secret: 'client-secret', note: 'The secret\'s "Value", not its "Secret ID".' },
        { label: 'Username', value: (f) => f.mailbox, note: 'A mailbox with a licence of its own.' },
        { label: 'Reply to', how: 'own', value: (f) => f.mailbox, note: 'Or any address that shall get the answers.' },
        { label: 'Signature', how: 'own', value: () => 'your own words below each message' },
      ],
      press: (f) => [
        'Press "Authorize"',
        'In the pop-up press "Continue"',
        `At Microsoft sign in as ${f.signsIn}: password, then "Sign In"`,
        'Press "Accept"',
        'Refresh the mailbox list: the status must be "Verified"; if it is "Not Verified", go through this form again',
      ],
      trap: 'SMTP AUTH must be switched on for the mailbox: OAuth does not go around the switch (error 535 5.7.139).',
    },
  ],
  manualSteps: 47,
};
