import type { Cloud } from '../core/cloud.ts';
import { problem } from '../errors/problem.ts';

export type CloudName = 'public' | 'usgov' | 'usgov-dod' | 'china';

/**
 * Microsoft's clouds (learn.microsoft.com/entra/identity-platform/authentication-national-cloud; mail hosts from
 * endpoints.office.com). GCC uses `public`. `verified: false`: the mail hosts or scopes come from third parties only.
 */
const clouds: Readonly<Record<CloudName, Cloud>> = {
  public: {
    name: 'public',
    login: 'https://login.microsoftonline.com',
    graph: 'https://graph.microsoft.com',
    portal: 'https://entra.microsoft.com',
    outlookScopeBase: 'https://outlook.office.com',
    imap: { host: 'outlook.office365.com', port: 993, security: 'tls' },
    pop: { host: 'outlook.office365.com', port: 995, security: 'tls' },
    smtp: { host: 'smtp.office365.com', port: 587, security: 'starttls' },
    verified: true,
  },
  usgov: {
    name: 'usgov',
    login: 'https://login.microsoftonline.us',
    graph: 'https://graph.microsoft.us',
    portal: 'https://entra.microsoft.us',
    outlookScopeBase: 'https://outlook.office365.us',
    imap: { host: 'outlook.office365.us', port: 993, security: 'tls' },
    pop: { host: 'outlook.office365.us', port: 995, security: 'tls' },
    smtp: { host: 'outlook.office365.us', port: 587, security: 'starttls' },
    verified: true,
  },
  'usgov-dod': {
    name: 'usgov-dod',
    login: 'https://login.microsoftonline.us',
    graph: 'https://dod-graph.microsoft.us',
    portal: 'https://entra.microsoft.us',
    outlookScopeBase: 'https://outlook.office365.us',
    imap: { host: 'outlook-dod.office365.us', port: 993, security: 'tls' },
    pop: { host: 'outlook-dod.office365.us', port: 995, security: 'tls' },
    smtp: { host: 'outlook-dod.office365.us', port: 587, security: 'starttls' },
    verified: false,
  },
  china: {
    name: 'china',
    login: 'https://login.partner.microsoftonline.cn',
    graph: 'https://microsoftgraph.chinacloudapi.cn',
    portal: 'https://portal.azure.cn',
    outlookScopeBase: 'https://partner.outlook.cn',
    imap: { host: 'partner.outlook.cn', port: 993, security: 'tls' },
    pop: { host: 'partner.outlook.cn', port: 995, security: 'tls' },
    smtp: { host: 'partner.outlook.cn', port: 587, security: 'starttls' },
    verified: false,
  },
};

export const cloudNames: readonly CloudName[] = ['public', 'usgov', 'usgov-dod', 'china'];

/** Throws `cloud-unknown` (exit 2) for any other word. */
export function namedCloud(name: string): Cloud {
  const known = cloudNames.find((candidate) => candidate === name.toLowerCase());
  if (known === undefined) throw problem('cloud-unknown', { cloud: name, known: cloudNames });
  return clouds[known];
}

/** Names the sign-in service is also known by; a tenant's endpoints may use any of its cloud's. */
const loginHosts: Readonly<Record<string, CloudName>> = {
  'login.microsoftonline.com': 'public',
  'login.windows.net': 'public',
  'login.microsoft.com': 'public',
  'login.live.com': 'public',
  'login.microsoftonline.us': 'usgov',
  'login.partner.microsoftonline.cn': 'china',
  'login.chinacloudapi.cn': 'china',
};

/** Which Microsoft cloud a sign-in host belongs to; GCC High and DoD share one host and answer `usgov`. */
export function cloudOfLoginHost(host: string): CloudName | undefined {
  return loginHosts[host.toLowerCase()];
}
