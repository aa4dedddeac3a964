import { Exit } from '../../../core/errors.ts';
import { appPage, isPersonal, signInLogs } from '../../../core/links.ts';
import { type Command, led, mailauth, plus } from '../../../core/next.ts';
import { type Entry, entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type EntraWords, login, setup } from './entra-words.ts';

const words = (e: Entry<EntraWords>): Entry<EntraWords> => entry<EntraWords>(e);

const paste = (v: EntraWords): Command => login(v, { signIn: 'paste' });
const switchOn = (v: EntraWords): string =>
  `Switch on Authentication > Settings > Allow public client flows, and save: ${appPage(v, 'Authentication')}`;

/** With the ID the app is taken as it stands, so that no administrator has to sign in. */
function setupForDevice(v: EntraWords, product: string, clientId?: string): Command {
  const app = clientId === undefined ? {} : { register: 'existing', clientId };
  return setup(v, { for: product === 'this-computer' ? undefined : product, ...app, signIn: 'device' });
}

const again = (v: EntraWords): Command => login(v, { signIn: 'device' });

/** Why a device code is not enough. */
const blockedBy: Readonly<Record<number, string>> = {
  530035:
    "The tenant's security defaults block device codes. New tenants have them on after 24 hours; an administrator can switch them off.",
  50199: 'Microsoft asks the person to confirm this sign-in, which a device code does not allow.',
};

/** "Authentication flows" as a condition of Conditional Access, and how the block sticks to refresh tokens */
const flows = 'https://learn.microsoft.com/entra/identity/conditional-access/concept-authentication-flows';

/** The device code flow (RFC 8628): what can be wrong with it, and the way that works everywhere instead. */
export const deviceEntries = {
  'device-blocked': words({
    exit: Exit.notAllowed,
    title: () => 'The organisation does not allow signing in with a device code',
    why: (v) =>
      (v.aadsts === undefined ? undefined : blockedBy[v.aadsts]) ?? 'A Conditional Access policy blocks it, as Microsoft advises.',
    // Pasting needs no browser here either: only an address is copied there and back.
    next: (v) => [paste(v)],
    admin: (v) =>
      isPersonal(v) ? undefined : `open this sign-in in the log, tab "Conditional Access", to see which policy it was: ${signInLogs(v)}`,
    retryHelps: false,
    source: flows,
  }),
  /** `madeFor`: the product, where mailauth registered the app itself, without them */
  'device-needs-public-client': entry<EntraWords & { readonly madeFor?: string }>({
    exit: Exit.notAllowed,
    title: () => 'This registration does not allow device codes',
    why: () => 'A device code needs "Allow public client flows", and it is off.',
    next: (v) =>
      v.madeFor === undefined
        ? [paste(v), switchOn(v), led('If mailauth made the app, it switches this on itself', setup(v, { signIn: 'device' }))]
        : [setupForDevice(v, v.madeFor), switchOn(v), led('Once it is on', setupForDevice(v, v.madeFor, v.clientId)), paste(v)],
    retryHelps: false,
    source: sources.deviceCode,
  }),
  'device-declined': words({
    exit: Exit.notAllowed,
    title: () => 'The sign-in was declined on the page where the code was typed',
    why: () => 'Somebody pressed Cancel there, or the account is not allowed to accept the permissions.',
    next: (v) => [again(v), led('In a browser, Microsoft shows why an account is not allowed to accept them', paste(v))],
    source: sources.deviceCode,
    codes: ['authorization_declined'],
  }),
  'device-code-expired': words({
    exit: Exit.needsSignIn,
    title: () => 'Nobody signed in before the code expired',
    why: () => 'The code was not typed in time, or the page refused the sign-in, as it does where device codes are blocked.',
    next: (v) => [again(v), led('If the page said "You cannot access this right now"', paste(v))],
    source: sources.deviceCode,
    codes: ['expired_token'],
    aadsts: [70019, 70020],
  }),
  'device-code-unknown': words({
    exit: Exit.needsSignIn,
    title: () => 'Microsoft does not know this code any more',
    why: () => 'The code was used or declined already, or another app asked for it.',
    next: (v) => [again(v), led('If it happens again', paste(v))],
    source: sources.deviceCode,
    codes: ['bad_verification_code'],
    aadsts: [70018, 90119, 90120],
  }),
};

/** A device code that cannot be used, or that nobody used. */
export const deviceUsageEntries = {
  'device-confidential': entry<{ again: Command }>({
    exit: Exit.usage,
    title: () => 'A device code cannot be used by a confidential client',
    why: () => 'The flow is for public clients, without a client secret.',
    next: (v) => [plus(v.again, { signIn: 'paste' }), led('Register it as a public client', mailauth('setup', { clientType: 'public' }))],
    retryHelps: false,
    source: sources.deviceCode,
  }),
  'device-timeout': entry<{ seconds: number; again: Command }>({
    exit: Exit.needsSignIn,
    title: ({ seconds }) => `Nobody finished the sign-in with the code within ${seconds} seconds`,
    why: () => 'The code was not typed, or the page there refused the sign-in.',
    next: ({ again }) => [plus(again, { signIn: 'device' }), led('Where device codes are blocked', plus(again, { signIn: 'paste' }))],
    source: sources.own,
  }),
  'device-not-here': entry<{ product: string; again: Command }>({
    exit: Exit.usage,
    title: (v) => `${v.product} signs in by itself, so it cannot use a device code`,
    why: () => 'Only this-computer and custom programs can use tokens that mailauth got with a device code.',
    next: (v) => [plus(v.again, { signIn: 'skip' })],
    retryHelps: false,
    source: sources.own,
  }),
};
