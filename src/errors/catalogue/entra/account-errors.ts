import { Exit } from '../../../core/errors.ts';
import { adminConsentLink, isPersonal } from '../../../core/links.ts';
import { led, mailauth, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type EntraWords, login, setup } from './entra-words.ts';

interface Accounts {
  readonly mailbox: string;
  /** who signed in */
  readonly account: string;
  /** the licensed user who should have */
  readonly signInAs?: string | undefined;
}

interface MissingScopes
  extends Pick<EntraWords, 'cloud' | 'tenant' | 'clientId' | 'mailbox'>,
    Partial<Pick<EntraWords, 'scopes' | 'redirectUri'>> {
  /** short names */
  readonly missing: readonly string[];
}

/** After the sign-in: is it the right person, from the right tenant, with the right permissions? */
export const accountEntries = {
  'wrong-account': entry<Accounts>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) =>
      v.signInAs === undefined
        ? `${v.account} signed in, but the mailbox is ${v.mailbox}`
        : `${v.account} signed in, but ${v.signInAs} should have, for the mailbox ${v.mailbox}`,
    why: () => 'The browser was signed in as somebody else, or the mailbox is shared or an alias. Nothing was stored.',
    next: (v) => [
      noted(login(v, { force: true }), 'with the right account'),
      // No account in the remark: zsh reads what stands behind # in a pasted line.
      noted(setup(v, { signInAs: v.account }), 'only if you know that account, and it may open this mailbox'),
    ],
  }),
  'account-unknown': entry<{ mailbox: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Microsoft did not say who signed in',
    why: () => 'The answer names no account, so it cannot be compared with the mailbox. Nothing was stored.',
    next: (v) => [login(v, { force: true })],
  }),
  'code-expired': entry<{ mailbox?: string | undefined }>({
    exit: Exit.needsSignIn,
    source: sources.signIn,
    title: () => 'The sign-in took too long: its code has expired',
    why: () => "Microsoft's code is valid for about ten minutes, and only once.",
    next: (v) => [login(v)],
    retryHelps: true,
  }),
  'id-token-foreign': entry<{ mailbox: string; clientId: string; audience: string }>({
    exit: Exit.failed,
    source: sources.signIn,
    title: () => 'The answer is for another application',
    why: (v) => `Asked as ${v.clientId}, answered for ${v.audience}. Nothing was stored.`,
    next: (v) => [login(v, { force: true }), mailauth('doctor')],
  }),
  'wrong-tenant': entry<{ mailbox: string; account: string; tenantId: string; wanted: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `${v.account} signed in at another tenant`,
    why: (v) => `Expected ${v.wanted}, got ${v.tenantId}. Nothing was stored.`,
    next: (v) => [login(v, { force: true }), led('If that tenant is right', setup(v, { tenant: v.tenantId }))],
    retryHelps: false,
  }),
  'scope-missing': entry<MissingScopes>({
    exit: Exit.notAllowed,
    source: sources.scopes,
    title: (v) => `Signed in, but without the permission for ${v.missing.join(', ')}`,
    why: () => 'It is not among the permissions of the registration, or nobody has allowed it yet.',
    next: (v) => [noted(login(v, { force: true }), 'once the permission is added and allowed')],
    admin: (v) =>
      isPersonal(v)
        ? undefined
        : `Add ${v.missing.join(', ')} (delegated) to the app and accept: ${adminConsentLink({ ...v, scopes: v.scopes ?? [] })}`,
    retryHelps: false,
  }),
  'token-answer-unreadable': entry<{ mailbox?: string | undefined; why: string }>({
    exit: Exit.failed,
    source: sources.oauth,
    title: () => 'The answer to the sign-in cannot be read',
    why: (v) => v.why,
    next: (v) => [login(v), mailauth('doctor')],
  }),
};
