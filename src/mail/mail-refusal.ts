import { MailauthError } from '../core/errors.ts';
import { appRole, delegatedPermission } from '../core/permissions.ts';
import { isGuid, plain } from '../core/text.ts';
import { rfc3339 } from '../core/time.ts';
import type { MailSpot, RefusedBlanks } from '../errors/catalogue/mail/mail-words.ts';
import { problem } from '../errors/problem.ts';
import { recognised } from '../errors/recognise/recognise.ts';
import type { ConversationStage } from './stages.ts';

/**
 * What the token says about itself; never the token. An opaque token cannot be read, so only the token endpoint's answer is known of it.
 */
export interface TokenEvidence {
  readonly opaque: boolean;
  readonly audience?: string | undefined;
  /** as in the token: last segments or full scope strings */
  readonly scopes?: readonly string[] | undefined;
  /** milliseconds since the epoch */
  readonly expiresAt?: number | undefined;
  /** `upn`, who signed in */
  readonly username?: string | undefined;
  readonly tenantId?: string | undefined;
  /** an application's own token: no user, no delegated scopes */
  readonly appOnly?: true | undefined;
  readonly appId?: string | undefined;
  /** `oid`: of an app-only token the object id of the service principal */
  readonly objectId?: string | undefined;
}

/** The circumstances of a failed conversation with a mail server. */
export interface MailAttempt extends MailSpot {
  readonly phase: ConversationStage;
  readonly tokenLength: number;
  readonly token?: TokenEvidence | undefined;
  /** the cloud's own mail audience, `https://outlook.office.com` */
  readonly outlookScopeBase?: string | undefined;
  /** the delegate of a shared mailbox */
  readonly signInAs?: string | undefined;
  /** whom the message is from, where that is not the mailbox */
  readonly sendsAs?: string | undefined;
  /** the tenant of the set-up; only an id can be compared */
  readonly tenantId?: string | undefined;
  /** milliseconds since the epoch */
  readonly now: number;
}

export type More = { readonly detail?: { readonly reply: string } };

/** The first thing in the token that explains a refusal. When the token explains nothing, the server's own words are all that is known. */
export function refusedToken(at: MailAttempt, more: More, unexplained: (blanks: RefusedBlanks) => MailauthError): MailauthError {
  const { token } = at;
  const spot = spotOf(at);
  if (token?.audience !== undefined && !isMailAudience(token.audience, at.outlookScopeBase)) {
    return problem('mail-token-audience', { ...spot, audience: plain(token.audience, 80) }, more);
  }
  const scope = missingPermission(at);
  const appOnly = token?.appOnly === true;
  if (scope !== undefined) {
    const clientId = token?.appId === undefined ? undefined : plain(token.appId, 80);
    return problem('mail-token-scope', { ...spot, scope, appOnly, clientId }, more);
  }
  const elsewhere = otherTenant(at);
  if (elsewhere !== undefined) return problem('mail-token-tenant', { ...spot, ...elsewhere }, more);
  if (token?.expiresAt !== undefined && token.expiresAt <= at.now) {
    return problem('mail-token-expired', { ...spot, expiredAt: rfc3339(token.expiresAt) }, more);
  }
  if (appOnly) return appRefused(at, more);
  const tokenUser = token?.username === undefined ? undefined : plain(token.username, 80);
  if (tokenUser !== undefined && !same(tokenUser, at.user)) {
    if (at.signInAs === undefined || !same(at.signInAs, tokenUser)) return problem('mail-token-user', { ...spot, tokenUser }, more);
    return problem(at.protocol === 'smtp' ? 'smtp-send-as-denied' : 'mail-no-full-access', { ...spot, tokenUser }, more);
  }
  const tokenLooksRight =
    token !== undefined && !token.opaque && token.audience !== undefined && token.scopes !== undefined && tokenUser !== undefined;
  return unexplained({ ...spot, tokenLooksRight, opaque: token?.opaque === true });
}

/** A connection that is lost during the sign-in: often the token was too long for the server or for a gateway in front of it. */
export function lostDuringAuth(cause: unknown, at: MailAttempt): MailauthError | undefined {
  if (at.phase !== 'auth' || !(cause instanceof MailauthError) || cause.code !== 'connection-closed') return undefined;
  return problem('mail-connection-closed-during-auth', at, { detail: cause.detail });
}

/** The refusal of an app that acts for itself: Exchange Online does not know the app, or the app has no rights on this mailbox. */
export function appRefused(at: MailAttempt, more: More): MailauthError {
  const { appId = 'CLIENT-ID', objectId } = at.token ?? {};
  const servicePrincipalId = objectId === undefined ? {} : { servicePrincipalId: plain(objectId, 80) };
  return problem('mail-app-only', { ...spotOf(at), clientId: plain(appId, 80), ...servicePrincipalId }, more);
}

/** The permission that this protocol needs and the token lacks. An app-only token has roles instead of scopes. */
function missingPermission({ token, protocol }: MailAttempt): string | undefined {
  // An opaque token cannot be read; its scopes come from the token endpoint's answer, and an answer without scopes proves nothing.
  if (token?.scopes === undefined || (token.opaque && token.scopes.length === 0)) return undefined;
  const wanted = (token.appOnly === true ? appRole : delegatedPermission)(protocol);
  // `/.default` is only what the app asked for: an opaque token does not say what it was given.
  if (token.scopes.some((s) => s.endsWith('/.default'))) return undefined;
  return token.scopes.some((s) => same(s.slice(s.lastIndexOf('/') + 1), wanted)) ? undefined : wanted;
}

/** Compares the tenants only when both are ids: a set-up may know its tenant by a domain or as `consumers`. */
function otherTenant({ token, tenantId: wanted = '' }: MailAttempt): { tenant: string; wanted: string } | undefined {
  const tenant = token?.tenantId ?? '';
  return isGuid(tenant) && isGuid(wanted) && !same(tenant, wanted) ? { tenant, wanted } : undefined;
}

/** Exchange's sentences about load, the same in IMAP and POP, with the pause that Exchange asks for. */
export function throttledProblem(said: string, spot: MailSpot, more: More): MailauthError | undefined {
  const waitMs = suggestedPauseMs(said);
  if (waitMs !== undefined || recognised(said, ['throttled']) !== undefined || /\bthrottled\b|too many/i.test(said)) {
    return problem('throttled', { ...spot, waitMs }, more);
  }
  return undefined;
}

/** `Suggested Backoff Time: 92415 milliseconds` */
export function suggestedPauseMs(said: string): number | undefined {
  const backoff = /backoff time[:=\s]+(\d{1,9})/i.exec(said)?.[1];
  return backoff === undefined ? undefined : Number(backoff);
}

export function whoSignedIn(at: MailAttempt): string | undefined {
  const who = at.token?.username ?? at.signInAs;
  return who === undefined ? undefined : plain(who, 80);
}

export function spotOf({ mailbox, user, protocol, host, port }: MailAttempt): MailSpot {
  return { mailbox, user, protocol, host, port };
}

/** The mail audiences of every cloud (`outlook.office365.us` is GCC High, `partner.outlook.cn` China) and Exchange's own application id. */
function isMailAudience(audience: string, scopeBase: string | undefined): boolean {
  return (
    (scopeBase !== undefined && same(audience.replace(/\/$/, ''), scopeBase.replace(/\/$/, ''))) ||
    /^https:\/\/(?:[a-z0-9-]+\.)*(?:outlook(?:-dod)?\.office(?:365)?\.(?:com|us)|outlook\.cn)\/?$/i.test(audience) ||
    audience.toLowerCase() === '00000002-0000-0ff1-ce00-000000000000'
  );
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
