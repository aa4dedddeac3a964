import type { RegistrationPlan } from '../../../src/core/registration-plan.ts';

export const tag = 'mailauth:0b5d7c1e-3f7a-4c58-9a1e-6f2d1c0b9a88';
const mail = ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'];
const identity = ['openid', 'profile', 'email', 'offline_access'];

const thisComputer: RegistrationPlan = {
  displayName: 'mailauth this-computer helpdesk@contoso.com',
  audience: 'single',
  platform: 'mobile-desktop',
  redirectUris: ['http://localhost'],
  publicClientFlows: false,
  implicitTokens: false,
  graphPermissions: [...identity, ...mail],
  exchangePermissions: mail,
  consent: 'admin',
  tag,
};

const osticket: RegistrationPlan = {
  ...thisComputer,
  displayName: 'mailauth osticket helpdesk@contoso.com',
  platform: 'web',
  redirectUris: ['https://support.contoso.com/api/auth/oauth2'],
  graphPermissions: ['User.Read', 'offline_access', ...mail],
  secretMonths: 12,
};

/** One plan for each kind of registration that a guide asks for. */
export const plans = {
  'this-computer-public': thisComputer,
  'this-computer-confidential': {
    ...thisComputer,
    platform: 'web',
    redirectUris: ['http://localhost:23682/mailauth'],
    secretMonths: 12,
  },
  osticket,
  'osticket-implicit': { ...osticket, implicitTokens: true },
  supportpal: {
    ...osticket,
    displayName: 'mailauth supportpal helpdesk@contoso.com',
    audience: 'multi-and-personal',
    redirectUris: ['https://support.contoso.com/oauth/redirect'],
    graphPermissions: ['offline_access', 'IMAP.AccessAsUser.All', 'SMTP.Send'],
    exchangePermissions: ['IMAP.AccessAsUser.All', 'SMTP.Send'],
    secretMonths: 24,
  },
  kaseya: {
    ...thisComputer,
    displayName: 'mailauth kaseya helpdesk@contoso.com',
    audience: 'multi',
    platform: 'none',
    redirectUris: [],
    publicClientFlows: true,
    graphPermissions: ['User.Read', 'POP.AccessAsUser.All', 'IMAP.AccessAsUser.All', 'offline_access', 'SMTP.Send'],
  },
  mspbots: {
    ...osticket,
    displayName: 'mailauth mspbots helpdesk@contoso.com',
    redirectUris: ['https://app.mspbots.ai/web/um/smtp/redirect'],
    graphPermissions: ['SMTP.Send'],
    exchangePermissions: ['SMTP.Send'],
  },
} as const satisfies Record<string, RegistrationPlan>;
