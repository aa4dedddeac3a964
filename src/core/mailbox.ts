import type { Cloud, Endpoints, ProtocolWord } from './cloud.ts';
import type { Audience } from './registration-plan.ts';
import type { Secret } from './secret.ts';
import type { Authority } from './sign-in-authority.ts';
import type { StoreName } from './stores.ts';

export type ClientType = 'public' | 'confidential';

/** One set-up per (mailbox, product). `mailbox` is lower case. */
export interface MailboxKey {
  readonly mailbox: string;
  /** guide name: `this-computer`, `custom`, … */
  readonly for: string;
}

/** The application that this mailbox signs in with. */
export interface Registration {
  readonly clientId: string;
  readonly clientType: ClientType;
  /** as registered: `http://localhost` means "any loopback port" (RFC 8252 section 7.3) */
  readonly redirectUri: string;
  /** RFC 3339, only known for secrets that mailauth made or was told about; the certificate's end where there is one */
  readonly secretExpiresAt?: string;
  /** app-only access by certificate: SHA-256 of it, base64url; certificate and key are where a client secret would be in the store */
  readonly certificateThumbprint?: string;
  /** the answers with which mailauth registered it, so that the next run changes nothing unasked */
  readonly name?: string;
  readonly audience?: Audience;
  readonly variant?: string;
  readonly serviceManagementReference?: string;
  /** "Allow public client flows", as mailauth set it: a device code needs it. Left out where the app was registered by another person */
  readonly publicClientFlows?: boolean;
  /** keyId of the client secret that is in the store, where mailauth made it */
  readonly secretKeyId?: string;
  /** during a rotation: the old secret, which is deleted when the product has the new one */
  readonly oldSecretKeyId?: string;
  /** true when mailauth created it and may delete it */
  readonly madeByMailauth: boolean;
  /** one app for all mailboxes of this tenant and product: its client secret is stored once, by the client ID */
  readonly shared?: true;
  /** what it made, so that exactly that can be found and removed again */
  readonly made?: MadeRegistration;
}

/** The objects of one registration in the tenant, by Graph's ids. */
export interface MadeRegistration {
  /** `mailauth:<random id>` on the application */
  readonly tag: string;
  readonly applicationObjectId?: string;
  readonly servicePrincipalId?: string;
  readonly grantIds: readonly string[];
}

/** Who signed in, from the id_token (OpenID Connect Core section 2). */
export interface Account {
  readonly username: string;
  readonly objectId?: string;
  readonly tenantId?: string;
}

export interface LastTest {
  readonly at: string;
  readonly protocol: ProtocolWord;
  readonly ok: boolean;
  readonly code?: string;
}

/** Everything about a set-up mailbox that is not secret: the mailbox file, readable JSON. */
export interface MailboxRecord extends MailboxKey {
  /** the app acts for itself (client credentials): no person signs in, and it has no refresh token. Left out: delegated */
  readonly access?: 'app-only';
  /** a person's name for the customer: shown and filtered by, and never sent anywhere */
  readonly label?: string;
  readonly tenantId: string;
  readonly cloud: Cloud;
  readonly endpoints: Endpoints;
  readonly registration: Registration;
  readonly protocols: readonly ProtocolWord[];
  /** what is asked for at sign-in and refresh, full scope strings */
  readonly scopes: readonly string[];
  /** the licensed user who signs in when it is not the mailbox itself */
  readonly signInAs?: string;
  readonly account?: Account;
  /** the user name that SMTP accepted in a test for SASL `user=`, where it is not the mailbox (an alias, a shared mailbox) */
  readonly smtpUser?: string;
  readonly store: StoreName;
  readonly createdAt: string;
  readonly lastTests: readonly LastTest[];
  /** when Microsoft refused the last refresh for good (RFC 3339), and the problem's code. Left out after a refresh that worked */
  readonly refused?: { readonly at: string; readonly code: string };
}

/** Who signs in, and by which right where it is not the mailbox itself: `ada@contoso.com, who has Full Access to support@contoso.com`. */
export const signerOf = ({ mailbox, signInAs = mailbox }: Pick<MailboxRecord, 'mailbox' | 'signInAs'>): string =>
  signInAs === mailbox ? mailbox : `${signInAs}, who has Full Access to ${mailbox}`;

/** An access token for Microsoft Graph. Times are milliseconds since the epoch. */
export interface GraphToken {
  readonly accessToken: Secret;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

/** One mailbox's tokens, the content of its entry in the secret store. Times are milliseconds since the epoch. */
export interface TokenSet {
  readonly accessToken: Secret;
  readonly refreshToken?: Secret;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** when the refresh token was last issued; it is lost after 90 days without use */
  readonly refreshTokenIssuedAt?: number;
  /** the granted scopes, as the token endpoint answered them */
  readonly scopes: readonly string[];
  readonly account: Account;
  /** the access token for Microsoft Graph of a set-up that also has mail protocols; from the same sign-in */
  readonly graph?: GraphToken;
  /** what this sign-in belongs to; left out in an entry of the first edition */
  readonly authority?: Authority;
}

/** Redirects that this computer can catch itself (RFC 8252 section 7.3). */
export function isLoopback(redirectUri: string): boolean {
  if (!URL.canParse(redirectUri)) return false;
  const url = new URL(redirectUri);
  return url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '127.0.0.1');
}

/**
 * Are these tokens of the person of whom the mailbox file says that she signed in? A name may change, so it tells only where there are no two
 * ids to compare. An app that acts for itself is no person; it is compared by its client id (sign-in-authority.ts).
 */
export function isOfRecordedAccount({ account: recorded, access }: MailboxRecord, { account: stored }: Pick<TokenSet, 'account'>): boolean {
  if (recorded === undefined || access === 'app-only') return true;
  const key = recorded.objectId !== undefined && stored.objectId !== undefined ? 'objectId' : 'username';
  return recorded[key]?.toLowerCase() === stored[key]?.toLowerCase();
}

/** A product signs in by itself and keeps the token: nobody signed in here, and a sign-in here would not come back here. */
export const isHandedOver = ({ account, access, registration }: MailboxRecord): boolean =>
  account === undefined && access !== 'app-only' && !isLoopback(registration.redirectUri);
