export const protocols = ['imap', 'pop', 'smtp'] as const;
export type Protocol = (typeof protocols)[number];

/** Where one mail protocol is spoken. `security` is never "none". */
export interface MailHost {
  readonly host: string;
  readonly port: number;
  readonly security: 'tls' | 'starttls';
}

/** One Microsoft cloud, or a laboratory that looks like one (docs/contract.md, "Clouds"). */
export interface Cloud {
  readonly name: string;
  /** https origin (or base) of the sign-in service; authority is `<login>/<tenant>` */
  readonly login: string;
  /** Graph calls go to `<graph>/v1.0/…` */
  readonly graph: string;
  readonly portal: string;
  /** `https://outlook.office.com`: prefix of the delegated mail scopes */
  readonly outlookScopeBase: string;
  readonly imap: MailHost;
  readonly pop: MailHost;
  readonly smtp: MailHost;
  /** false: hosts and scopes were never seen in Microsoft's own documentation; said in help and at setup */
  readonly verified: boolean;
}

/** What the tenant's OpenID configuration told us (OpenID Connect Discovery 1.0 section 4). */
export interface Tenant {
  readonly id: string;
  /** what it was found by: a domain, an id, `consumers` */
  readonly foundBy: string;
  readonly endpoints: Endpoints;
}

/** The v2 endpoints, absolute addresses. */
export interface Endpoints {
  readonly issuer: string;
  readonly authorization: string;
  readonly token: string;
}
