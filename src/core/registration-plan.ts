/** Whose accounts may sign in: Entra's `signInAudience` in the words of the command line. */
export type Audience = 'single' | 'multi' | 'multi-and-personal' | 'personal';

/** Where a redirect URI is registered; decides whether the client is public or confidential. `none`: password or device sign-in only. */
export type Platform = 'mobile-desktop' | 'web' | 'none';

/**
 * How an app is to be registered, whoever does it: mailauth through Graph, an administrator's script, or a person in the portal.
 * Pure data; `entra/manifest.ts` turns it into Graph's bodies.
 */
export interface RegistrationPlan {
  readonly displayName: string;
  readonly audience: Audience;
  readonly platform: Platform;
  readonly redirectUris: readonly string[];
  /** the portal's "Allow public client flows", Graph's `isFallbackPublicClient` */
  readonly publicClientFlows: boolean;
  /** osTicket's older plugin wants implicit access and ID tokens */
  readonly implicitTokens: boolean;
  /** delegated permissions declared on Microsoft Graph, by name: `User.Read`, `IMAP.AccessAsUser.All` … */
  readonly graphPermissions: readonly string[];
  /** delegated permissions that tenant-wide consent also grants on Office 365 Exchange Online */
  readonly exchangePermissions: readonly string[];
  /** app-only access: application permissions (roles) on Office 365 Exchange Online, in place of all delegated ones */
  readonly appRoles?: readonly string[];
  /** app-only access by certificate: put on the application in place of a client secret */
  readonly certificate?: PlannedCertificate;
  /** lifetime of the client secret in months; undefined: none is made */
  readonly secretMonths?: number;
  readonly consent: 'admin' | 'user' | 'skip';
  /** ID of the service in the organization's own directory; some tenants demand it on every application */
  readonly serviceManagementReference?: string;
  /** other mailboxes use the app, too: nothing of it is taken away or renamed */
  readonly isShared?: boolean;
  /** `mailauth:<random id>`: how a later run knows its own app (never by its name) */
  readonly tag: string;
}

/** The public half of a certificate, as Graph's `keyCredential` wants it. */
export interface PlannedCertificate {
  /** DER, base64 */
  readonly der: string;
  /** SHA-256 of the DER, base64url */
  readonly thumbprint: string;
  /** RFC 3339 */
  readonly startsAt: string;
  readonly expiresAt: string;
}
