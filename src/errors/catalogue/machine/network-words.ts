import { again, mailauth } from '../../../core/next.ts';

/** Where a connection was going. `purpose` is what for: "the sign-in service". */
export interface Where {
  readonly host: string;
  readonly port: number;
  readonly purpose?: string | undefined;
  /** the proxy that the connection leads through */
  readonly through?: string | undefined;
}

/** What a server's certificate says, for the words of an error. */
export interface CertificateSeen {
  readonly issuer?: string | undefined;
  /** as the certificate has them: `Nov 27 02:00:00 2026 GMT` */
  readonly validFrom?: string | undefined;
  readonly validTo?: string | undefined;
  /** the server sent no certificate but its own */
  readonly alone?: boolean | undefined;
  /** on Windows: the variable that makes this Node.js trust what Windows trusts, where it does not do so already */
  readonly systemTrust?: 'NODE_USE_SYSTEM_CA' | 'NODE_OPTIONS' | undefined;
}

/** Where a proxy is in use, it is asked before the firewall. */
export const orProxy = (v: Where, otherwise: string): string =>
  v.through === undefined
    ? otherwise
    : `The connection leads through the proxy ${v.through}: it may hold this host or port back, or open TLS where it should not.`;

export const exemption = (v: Where): string[] =>
  v.through === undefined ? [] : [`Ask for an exemption of ${v.host}:${v.port}, or name the host in NO_PROXY.`];

export const target = (v: Where): string => (v.purpose === undefined ? `${v.host}:${v.port}` : `${v.purpose} (${v.host}:${v.port})`);

export const atStart = (v: Where): string => target(v).replace(/^the /, 'The ');

/** Tries every host, the proxy, the certificates and the clock, and names what is wrong on this computer. */
export const lookHere = mailauth('doctor');
export const oneMoreTime = again();
export const moreTime = again({ timeout: 60 });
