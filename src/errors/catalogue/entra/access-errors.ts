import { Exit } from '../../../core/errors.ts';
import { enterpriseApps, signInLogs } from '../../../core/links.ts';
import { mailauth, noted } from '../../../core/next.ts';
import { type Entry, entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type EntraWords, family, login } from './entra-words.ts';

const words = (e: Entry<EntraWords>): Entry<EntraWords> => entry<EntraWords>(e);
const who = (v: EntraWords): string => v.signInAs ?? v.mailbox ?? 'this account';
const afterwards = (v: EntraWords): ReturnType<typeof login> => noted(login(v), 'once that is done');

/** AADSTS: a tenant, an account or a network that may not sign in here, for a reason of its own. */
export const accessEntries = {
  'tenant-restricted': family(
    {
      500021: 'The proxy of the network lists the tenants that may be used (tenant restrictions), and this one is not on the list.',
      500022: 'The proxy of the network lists the tenants that may be used (tenant restrictions), and this one is not on the list.',
      50002: 'The proxy of the network restricts which tenants may be used (tenant restrictions).',
    },
    {
      exit: Exit.notAllowed,
      source: 'https://learn.microsoft.com/entra/identity/enterprise-apps/tenant-restrictions',
      title: () => 'The network of this computer does not allow this tenant',
      says: ['tenant is denied'],
      next: (v) => [noted(login(v), 'from another network, or once the network allows this tenant')],
      admin: () => 'whoever runs the proxy adds this tenant to its header Restrict-Access-To-Tenants, or exempts this computer.',
      retryHelps: false,
    },
  ),
  'cross-tenant-blocked': family(
    {
      500212: "The user's own organisation does not allow its people to go to this tenant (outbound access).",
      500213: 'This tenant does not let people of that organisation in (inbound access).',
      1000104: "The user's tenant does not allow the other Microsoft cloud.",
    },
    {
      exit: Exit.notAllowed,
      source: 'https://learn.microsoft.com/entra/external-id/cross-tenant-access-overview',
      title: () => 'The cross-tenant access settings of two organisations do not allow this sign-in',
      next: (v) => [noted(login(v, { force: true }), 'with an account of the tenant of the mailbox')],
      admin: () => 'allow the other organisation under Entra > External Identities > Cross-tenant access settings.',
      retryHelps: false,
    },
  ),
  'tenant-blocked': words({
    exit: Exit.notAllowed,
    source: 'https://aka.ms/TenantLifecycle',
    says: ['tenant has been blocked due to inactivity'],
    title: () => 'Microsoft has blocked this tenant, because nobody used it for long',
    why: () => 'Nothing on this computer is wrong. An administrator of the tenant has it reactivated.',
    next: (v) => [afterwards(v)],
    admin: () =>
      'sign in to https://admin.microsoft.com with the tenant, or ask Microsoft support to reactivate it (https://aka.ms/TenantLifecycle).',
    retryHelps: false,
    aadsts: [5000225, 5000224],
  }),
  'account-at-risk': family(
    {
      53004: 'The account is held at risk, so a second factor can be registered only from a trusted place.',
      53011: 'The account is held at risk in its own (home) tenant.',
      530034: "The partner's administrator is held at risk in the home tenant.",
    },
    {
      exit: Exit.notAllowed,
      source: 'https://learn.microsoft.com/entra/id-protection/howto-identity-protection-remediate-unblock',
      title: (v) => `Microsoft holds ${who(v)} at risk, and blocks its sign-in`,
      next: (v) => [afterwards(v), 'A new password, set by the person with a second factor, mostly ends the risk.'],
      admin: (v) => `look into Entra > Protection > Risky users of the home tenant, and the sign-in log: ${signInLogs(v)}`,
      retryHelps: false,
    },
  ),
  'account-abuse': words({
    exit: Exit.needsSignIn,
    source: 'https://support.microsoft.com/account-billing/my-account-is-locked',
    says: ['service abuse mode', 'account has been suspended', 'account is blocked … abuse'],
    title: () => 'Microsoft has locked this account, because it looked misused',
    why: () => 'A new sign-in does not help until the account is unlocked.',
    next: (v) => [afterwards(v), 'Unlock it first: sign in at https://account.live.com in a browser and follow what it asks.'],
    retryHelps: false,
    aadsts: [],
  }),
  'account-deleted': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    says: ['user account … has been deleted', 'To sign into this application, the account must be restored'],
    title: (v) => `The account ${who(v)} was deleted`,
    why: () => 'An administrator can restore it for 30 days. Without the account nobody can sign in with it.',
    next: (v) => [afterwards(v)],
    admin: (v) => `restore ${who(v)} under Entra > Users > Deleted users.`,
    retryHelps: false,
    aadsts: [500341, 500342],
  }),
  'account-of-minor': family(
    { 50015: 'A guardian must consent first.', 54000: "The app is not allowed for the account's age group." },
    {
      exit: Exit.notAllowed,
      source: sources.aadsts,
      title: () => 'The account belongs to a minor, and the rules for its age stop the sign-in',
      next: (v) => [noted(login(v, { force: true }), 'with the account of an adult that may open the mailbox')],
      admin: () => 'check the age group and the consent of the user under Entra > Users > Properties.',
      retryHelps: false,
    },
  ),
  'token-protection': words({
    exit: Exit.notAllowed,
    source: 'https://learn.microsoft.com/entra/identity/conditional-access/concept-token-protection',
    says: ['requiring token protection', 'token protection policy', 'token binding is required'],
    title: () => 'A policy of the organisation wants tokens that are bound to a device (token protection)',
    why: () => 'Programs like mail fetchers and Azure CLI cannot bind a token. The Conditional Access policy must leave this app out.',
    next: (v) => [afterwards(v)],
    admin: (v) => `exempt app ${v.clientId} from the policy that requires token protection; the sign-in log names it: ${signInLogs(v)}`,
    retryHelps: false,
    aadsts: [530084],
  }),
  'mfa-declined': words({
    exit: Exit.needsSignIn,
    source: sources.aadsts,
    says: ['Authentication failed during strong authentication request'],
    title: (v) => `The second factor of ${who(v)} was declined, or nobody answered in time`,
    why: () => 'Multi-factor authentication was asked for, and not completed.',
    next: (v) => [login(v), 'Confirm the request on the telephone. If none comes, check the methods: https://aka.ms/mfasetup'],
    aadsts: [500121],
  }),
  'external-step-needed': family(
    {
      50158: 'A step outside Microsoft was not done: another MFA service, or terms of use that must be accepted.',
      50161: 'The outside MFA service told Microsoft too little: it is set up wrongly.',
      50166: 'The outside MFA service could not be asked: too many requests. Try again later.',
      50170: 'The outside MFA service is not mapped in the tenant.',
      50177: 'An outside MFA service cannot be used by this kind of guest.',
      50178: 'Session control cannot be used by this kind of guest.',
    },
    {
      exit: Exit.needsSignIn,
      source: sources.aadsts,
      title: (v) => `The sign-in of ${who(v)} needs a step outside Microsoft that was not done`,
      next: (v) => [login(v), 'Follow the page in the browser to its end.'],
      admin: (v) => `if it fails again: check the outside MFA service and the terms of use; the sign-in log names them: ${signInLogs(v)}`,
    },
  ),
  'sign-in-needed': family(
    {
      50058: 'A silent sign-in was tried, and nobody is signed in.',
      700020: 'It cannot be done in silence.',
    },
    {
      exit: Exit.needsSignIn,
      source: sources.aadsts,
      hints: ['login_required', 'interaction_required'],
      otherwise: 'It cannot be done in silence: the person has to sign in, confirm something or choose an account.',
      title: () => 'Microsoft wants a person to sign in with a browser',
      next: (v) => [login(v)],
    },
  ),
  'app-unavailable': family(
    {
      50003: 'The app lacks a key to sign with.',
      51000: 'A feature that the request needs is not enabled in the tenant.',
      90084: 'Guests may not use this.',
      90085: 'The organisation is not fully set up yet.',
    },
    {
      exit: Exit.notAllowed,
      source: sources.aadsts,
      title: () => 'The tenant cannot give out tokens for this application now',
      next: (v) => [afterwards(v)],
      admin: (v) => `look at the enterprise app and its sign-in log: ${enterpriseApps(v)}`,
    },
  ),
  'entra-failed': family(
    {
      50086: 'The MFA service failed for good.',
      90036: "Microsoft's directory failed; only support can say why.",
      90092: "Microsoft's directory refused; trying again does not help.",
      40008: "The account's identity provider failed for good.",
    },
    {
      exit: Exit.failed,
      source: sources.aadsts,
      title: () => "Microsoft's sign-in failed, and trying again at once does not help",
      next: (v) => [mailauth('doctor'), noted(login(v), 'later, or once support has an answer')],
      admin: (v) => `ask Microsoft support, with the correlation ID and the time of the sign-in log: ${signInLogs(v)}`,
      retryHelps: false,
      mender: 'Microsoft',
    },
  ),
};
