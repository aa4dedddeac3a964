import { type Cloud, type CloudName, cloudNames, type MailHost, namedCloud } from './cloud.ts';

/**
 * What a sign-in belongs to: who issued it, in which tenant, to which app, and where it may be shown. It stands inside the stored entry, so
 * that no file, flag or variable can have the entry sent elsewhere.
 */
export interface Authority {
  /** origin of the sign-in service; the word `sandbox` for the sandbox, whose ports change from run to run */
  readonly login: string;
  readonly tenantId: string;
  /** left out only beside a certificate whose app is not registered yet */
  readonly clientId?: string;
  readonly graph: string;
  /** `host:port` */
  readonly imap: string;
  readonly pop: string;
  readonly smtp: string;
}

/** Who asks for tokens: an app in a tenant. */
interface Client {
  readonly tenantId: string;
  readonly clientId?: string | undefined;
}

const originOf = (address: string): string => (URL.canParse(address) ? new URL(address).origin : address);
const placeOf = ({ host, port }: MailHost): string => `${host.toLowerCase()}:${port}`;

const sandbox = { login: 'sandbox', graph: 'sandbox', imap: 'sandbox', pop: 'sandbox', smtp: 'sandbox' } as const;

/** `cloud` is the cloud in force, which calls itself the sandbox in the sandbox only (session/session.ts). */
export function authorityOf(cloud: Cloud, { tenantId, clientId }: Client): Authority {
  const client = { tenantId: tenantId.toLowerCase(), ...(clientId === undefined ? {} : { clientId: clientId.toLowerCase() }) };
  if (cloud.name === 'sandbox') return { ...sandbox, ...client };
  const { imap, pop, smtp } = cloud;
  return {
    ...{ login: originOf(cloud.login), ...client, graph: originOf(cloud.graph) },
    ...{ imap: placeOf(imap), pop: placeOf(pop), smtp: placeOf(smtp) },
  };
}

const parts = {
  login: 'the sign-in service',
  tenantId: 'the tenant',
  clientId: 'the app',
  graph: 'Microsoft Graph at',
  imap: 'the IMAP server',
  pop: 'the POP server',
  smtp: 'the SMTP server',
} as const satisfies Record<keyof Authority, string>;

export interface Difference {
  /** `the sign-in service https://login.microsoftonline.com` */
  readonly stored: string;
  readonly now: string;
}

/** The first part in which they differ, in words; undefined where they are the same. */
export function differenceOf(stored: Authority, now: Authority): Difference | undefined {
  for (const part of partNames) {
    const [a, b] = [stored[part], now[part]];
    if (a !== undefined && b !== undefined && a !== b) return { stored: `${parts[part]} ${a}`, now: `${parts[part]} ${b}` };
  }
  return undefined;
}

const partNames = ['login', 'tenantId', 'clientId', 'graph', 'imap', 'pop', 'smtp'] as const satisfies readonly (keyof Authority)[];

/** Microsoft's cloud with these places; undefined for any other. */
export const microsoftCloudOf = (authority: Authority): CloudName | undefined =>
  cloudNames.find((name) => differenceOf(authority, authorityOf(namedCloud(name), authority)) === undefined);
