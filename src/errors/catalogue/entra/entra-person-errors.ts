import { Exit } from '../../../core/errors.ts';
import { enterpriseApps, lookUp, signInLogs } from '../../../core/links.ts';
import { led, mailauth } from '../../../core/next.ts';
import { type Entry, entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { consentEntries } from './consent-errors.ts';
import { type EntraWords, login, setup } from './entra-words.ts';

const words = (e: Entry<EntraWords>): Entry<EntraWords> => entry<EntraWords>(e);

const who = (v: EntraWords): string => v.signInAs ?? v.mailbox ?? 'this account';

/** Why a sign-in that once worked no longer does. */
const ended: Readonly<Record<number, string>> = {
  700082: 'It was not used for 90 days.',
  70043: "The organisation's policy asks for a new sign-in every so often.",
  50173: 'The password was changed, or an administrator ended all sessions.',
  50132: 'The password was changed, or an administrator ended all sessions.',
  50133: 'The password was changed or has expired.',
  70008: 'It has expired or was revoked.',
  530036: 'It came from a device code, which the organisation now blocks.',
  70000: 'The refresh token or the code is not valid: it was cut, is too old, or is of another app.',
  70044: "The organisation's policy asks for a new sign-in every so often.",
  9002313: 'Microsoft calls the code or the refresh token malformed: it was cut, or is no longer valid.',
  7000012: 'The token was given for another tenant than the one that is asked now.',
  40009: 'The identity provider of the account wants a new sign-in there.',
};

/** In which cloud it is instead. */
const clouds: Readonly<Record<number, string>> = {
  900432: 'An app with a client secret has to sign in at the cloud of its tenant, and not at the public one.',
  900439: 'The tenant is in the US government cloud: its sign-in is at https://login.microsoftonline.us (--cloud usgov).',
  900440: 'The tenant is in the public cloud: its sign-in is at https://login.microsoftonline.com (--cloud public).',
  90051: 'The request names a cloud that Microsoft does not know.',
  50049: 'The host of the sign-in service is none that Microsoft knows.',
};

/** AADSTS: the person, the password, policies, consent, and Microsoft's own bad days. */
export const personEntries = {
  ...consentEntries,
  'account-not-in-tenant': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: (v) => `The account that signed in does not belong to the tenant ${v.tenant}`,
    why: () => 'It is an alias and not the sign-in name, a guest, a personal account, or the tenant is the wrong one.',
    next: (v) => [
      login(v, { force: true }),
      led('A shared mailbox? Set it up anew, and name who signs in with --sign-in-as', setup(v)),
      led('Another tenant? Set it up anew, and name its domain with --tenant', setup(v)),
    ],
    says: ['does not exist in tenant … and cannot access the application', 'to sign into this application, the account must be added'],
    aadsts: [50020, 50034, 16000, 16003, 51004, 50014, 90072, 500200, 500207, 500208, 90125, 90101],
  }),
  'account-disabled': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    title: (v) => `The account ${who(v)} is blocked from signing in`,
    why: () => 'For a shared mailbox that is normal: a licensed user signs in for it.',
    next: (v) => [
      setup(v),
      'Name the licensed user who signs in for it with --sign-in-as. That user needs Full Access to the mailbox, and Send As to send.',
    ],
    admin: (v) => `if it is a person's account: unblock sign-in for ${who(v)} in the Microsoft 365 admin centre`,
    retryHelps: false,
    says: ['user account is disabled'],
    aadsts: [50057, 500571],
  }),
  'account-not-assigned': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    title: (v) => `${who(v)} is not allowed to use this application`,
    why: () => 'The enterprise app says "Assignment required". Sign in again once this user is on its list.',
    next: (v) => [login(v)],
    admin: (v) => `assign ${who(v)} under "Users and groups" of app ${v.clientId}: ${enterpriseApps(v)}`,
    retryHelps: false,
    aadsts: [50105],
  }),
  'policy-blocked': words({
    exit: Exit.notAllowed,
    source: sources.conditionalAccess,
    title: (v) => `A Conditional Access policy blocks the sign-in of ${who(v)}`,
    why: () => 'The organisation allows it only from certain places, devices or apps. Sign in from one of these.',
    next: (v) => [login(v)],
    admin: (v) => `open this sign-in in the log, tab "Conditional Access": ${signInLogs(v)}`,
    retryHelps: false,
    says: [
      'does not meet the criteria to access this resource',
      'You cannot access this right now',
      "You don't have access to this",
      'has been blocked by Conditional Access',
      'blocked by Conditional Access policies',
      'Conditional Access policy does not allow token issuance',
      'BlockedByConditionalAccess',
    ],
    aadsts: [53003, 530031, 530032, 53010, 50131, 50005],
  }),
  'device-required': words({
    exit: Exit.notAllowed,
    source: sources.conditionalAccess,
    title: (v) => `The organisation lets ${who(v)} sign in only from a managed device`,
    next: (v) => [login(v, { signIn: 'paste' }), 'Open its address in the browser of a computer that is joined to the organisation.'],
    admin: (v) => `exempt app ${v.clientId} from the device policy, or see the sign-in log: ${signInLogs(v)}`,
    retryHelps: false,
    says: ['device to be managed to access', 'required to be managed to access this resource', 'Device is not in required device state'],
    aadsts: [53000, 53001, 53002, 53008, 53009, 530003, 530021, 530033, 50097, 50155, 50187, 50129, 50127, 700003, 135011],
  }),
  'security-defaults': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    says: ['blocked by security defaults'],
    title: () => "The tenant's security defaults block this way of signing in",
    why: () => 'Security defaults treat device codes and passwords as unsafe, but not a sign-in in the browser.',
    next: (v) => [login(v, { signIn: 'browser' })],
    admin: (v) => `see the sign-in log: ${signInLogs(v)}`,
    retryHelps: false,
    aadsts: [530035],
  }),
  'mfa-needed': words({
    exit: Exit.needsSignIn,
    source: sources.aadsts,
    title: (v) => `${who(v)} must confirm the sign-in (multi-factor authentication)`,
    why: () => 'Only the person who owns the account can do this.',
    says: [
      'you must use multi-factor authentication',
      'you must enroll in multi-factor authentication',
      'must enroll in multi-factor authentication to access',
      'Reasons: MFA is required',
      'disallowed by policy … MFA',
      'Multi-factor authentication is required',
      'strong authentication is required',
    ],
    hints: ['RequestDisallowedByPolicy'],
    next: (v) => [login(v), 'No second factor yet? Set one up first: https://aka.ms/mfasetup'],
    retryHelps: false,
    aadsts: [50076, 50079, 50074, 50072, 50078],
  }),
  'sign-in-expired': words({
    exit: Exit.needsSignIn,
    source: sources.aadsts,
    hints: ['invalid_grant'],
    says: ['provided grant has expired', 'refresh token has expired', 'The provided access grant is invalid or malformed'],
    title: (v) => `The sign-in of ${who(v)} has ended`,
    why: (v) =>
      (v.aadsts === undefined ? undefined : ended[v.aadsts]) ??
      (v.said === '' ? 'Microsoft no longer accepts it.' : `Microsoft says: ${v.said}`),
    next: (v) => [login(v)],
    retryHelps: false,
    aadsts: [70008, 70043, 70044, 700081, 700082, 50173, 50132, 50133, 70000, 50089, 50085, 530036, 40009, 7000012],
  }),
  'code-used': words({
    exit: Exit.needsSignIn,
    source: sources.aadsts,
    title: () => 'This sign-in was already redeemed',
    why: () => 'A sign-in can be used only once. The page was opened twice, or the address was pasted twice.',
    next: (v) => [login(v)],
    retryHelps: false,
    aadsts: [54005],
  }),
  'password-wrong': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: (v) => `Wrong user name or password for ${who(v)}`,
    next: (v) => [login(v), 'The page in the browser also shows what is wrong.'],
    says: ['invalid username or password', 'Invalid credentials. Please try again'],
    aadsts: [50126, 50056, 50064, 501261],
  }),
  'password-expired': words({
    exit: Exit.needsSignIn,
    source: sources.aadsts,
    title: (v) => `The password of ${who(v)} has expired or must be changed`,
    next: (v) => [login(v), 'Choose a new password on the page that the browser shows.'],
    retryHelps: false,
    says: ['password is expired', 'password has expired'],
    aadsts: [50055, 50144, 50135, 50142, 50125],
  }),
  'account-locked': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: (v) => `${who(v)} is locked for now`,
    why: () =>
      'Too many wrong passwords, or a network address that Microsoft distrusts. Wait some minutes: each try makes the lock longer.',
    next: (v) => [login(v)],
    admin: (v) => `see the sign-in log: ${signInLogs(v)}`,
    says: ["you've tried to sign in too many times"],
    aadsts: [50053],
  }),
  'account-other-cloud': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: (v) => `The account or the application is in another Microsoft cloud than "${v.cloud.name}"`,
    why: (v) => (v.aadsts === undefined ? undefined : clouds[v.aadsts]),
    next: () => [mailauth('help', 'clouds'), 'Then set the mailbox up with --cloud and the name of its cloud.'],
    retryHelps: false,
    says: [
      'not supported on the public endpoint',
      'hosted in the public cloud are not supported',
      'Send your login requests to https://login.microsoftonline.us',
      'in another cloud instance',
    ],
    aadsts: [90038, 900382, 900432, 900439, 900440, 90043, 90051, 50049],
  }),
  'browser-session': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: () => 'The page of the sign-in has lost its session',
    why: () => 'Cookies are blocked or too old, another account was signed in there, or the same tab was used twice.',
    next: (v) => [login(v), 'Close the old tab first, and open the address in a private window.'],
    aadsts: [165000, 165004, 165900, 16001, 50136, 50139, 50143, 50168, 50197, 51006, 90007, 140001, 160021],
  }),
  'entra-busy': words({
    exit: Exit.temporary,
    source: sources.aadsts,
    hints: ['temporarily_unavailable', 'server_error'],
    title: () => "Microsoft's sign-in service cannot answer now",
    why: () => 'It is busy, or has a fault of its own.',
    next: (v) => [login(v), v.retryAfter === undefined ? 'Try again in a minute.' : `Try again in ${v.retryAfter} seconds.`],
    aadsts: [90006, 90012, 90024, 90033, 90055, 90090, 90091, 50000, 50033, 50087, 50088, 70012, 40010, 230109],
  }),
  'entra-unknown': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: () => 'Microsoft refused the sign-in',
    why: (v) => (v.said === '' ? v.error : v.said),
    next: (v) => [login(v), ...(v.aadsts === undefined ? [] : [`what Microsoft says about it: ${lookUp(v.aadsts)}`])],
  }),
};
