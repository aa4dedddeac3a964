export const protocols = ['imap', 'pop', 'smtp'] as const;
export type Protocol = (typeof protocols)[number];

/** What a set-up may be for: the protocols of the mail servers, and sending through Microsoft Graph. */
export const protocolWords = [...protocols, 'graph-send'] as const;
export type ProtocolWord = (typeof protocolWords)[number];

/** Where it is spoken: the mail server, or Microsoft Graph. */
export function placeOf(cloud: Pick<Cloud, Protocol | 'graph'>, word: ProtocolWord): Pick<MailHost, 'host' | 'port'> {
  if (word !== 'graph-send') return cloud[word];
  const { hostname, port } = new URL(cloud.graph);
  return { host: hostname, port: port === '' ? 443 : Number(port) };
}

/** Those that a mail server speaks. */
export const mailOf = (words: readonly ProtocolWord[]): readonly Protocol[] => protocols.filter((protocol) => words.includes(protocol));

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
  /** where Exchange Online is administered: `https://outlook.office365.com`, which is also the default where nothing says otherwise */
  readonly exchangeAdmin?: string;
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

/** The words of `--cloud`. A new one also needs its row in `microsoftClouds`. */
export const cloudNames = ['public', 'usgov', 'usgov-dod', 'china'] as const;

export type CloudName = (typeof cloudNames)[number];

export const defaultCloud = 'public' satisfies CloudName;

export const isCloudName = (word: string): word is CloudName => cloudNames.some((name) => name === word);

/** Everything that mailauth knows of one of Microsoft's clouds. */
interface MicrosoftCloud {
  readonly hosts: Omit<Cloud, 'name'>;
  /** what other programs do differently, where nobody has shown a recorded answer (docs/microsoft.md, "Clouds") */
  readonly doubt?: string;
  /** hosts that the sign-in service answers under; empty where another cloud's sign-in service serves this one */
  readonly signInHosts: readonly string[];
  /** name in `az cloud list` */
  readonly azureCli: string;
  /** name in `Get-MgEnvironment` */
  readonly graphPowerShell: string;
  /** value of `Connect-ExchangeOnline -ExchangeEnvironmentName`; undefined where that option is left out */
  readonly exchangePowerShell: string | undefined;
}

/**
 * Microsoft's clouds (learn.microsoft.com/entra/identity-platform/authentication-national-cloud; mail hosts from
 * endpoints.office.com). GCC uses `public`. `verified: false`: the mail hosts or scopes come from third parties only.
 */
const microsoftClouds: Readonly<Record<CloudName, MicrosoftCloud>> = {
  public: {
    hosts: {
      login: 'https://login.microsoftonline.com',
      graph: 'https://graph.microsoft.com',
      portal: 'https://entra.microsoft.com',
      outlookScopeBase: 'https://outlook.office.com',
      exchangeAdmin: 'https://outlook.office365.com',
      imap: { host: 'outlook.office365.com', port: 993, security: 'tls' },
      pop: { host: 'outlook.office365.com', port: 995, security: 'tls' },
      smtp: { host: 'smtp.office365.com', port: 587, security: 'starttls' },
      verified: true,
    },
    signInHosts: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'login.live.com'],
    azureCli: 'AzureCloud',
    graphPowerShell: 'Global',
    exchangePowerShell: undefined,
  },
  usgov: {
    hosts: {
      login: 'https://login.microsoftonline.us',
      graph: 'https://graph.microsoft.us',
      portal: 'https://entra.microsoft.us',
      outlookScopeBase: 'https://outlook.office365.us',
      exchangeAdmin: 'https://outlook.office365.us',
      imap: { host: 'outlook.office365.us', port: 993, security: 'tls' },
      pop: { host: 'outlook.office365.us', port: 995, security: 'tls' },
      smtp: { host: 'outlook.office365.us', port: 587, security: 'starttls' },
      verified: true,
    },
    signInHosts: ['login.microsoftonline.us', 'login-us.microsoftonline.com', 'login.usgovcloudapi.net'],
    azureCli: 'AzureUSGovernment',
    graphPowerShell: 'USGov',
    exchangePowerShell: 'O365USGovGCCHigh',
  },
  'usgov-dod': {
    hosts: {
      login: 'https://login.microsoftonline.us',
      graph: 'https://dod-graph.microsoft.us',
      portal: 'https://entra.microsoft.us',
      outlookScopeBase: 'https://outlook.office365.us',
      exchangeAdmin: 'https://outlook-dod.office365.us',
      imap: { host: 'outlook-dod.office365.us', port: 993, security: 'tls' },
      pop: { host: 'outlook-dod.office365.us', port: 995, security: 'tls' },
      smtp: { host: 'outlook-dod.office365.us', port: 587, security: 'starttls' },
      verified: false,
    },
    doubt: 'If Microsoft refuses the scopes, try https://outlook-dod.office365.us in a cloud file: other programs ask for those.',
    signInHosts: [],
    // The Azure CLI has one name for GCC High and DoD.
    azureCli: 'AzureUSGovernment',
    graphPowerShell: 'USGovDoD',
    exchangePowerShell: 'O365USGovDoD',
  },
  china: {
    hosts: {
      login: 'https://login.partner.microsoftonline.cn',
      graph: 'https://microsoftgraph.chinacloudapi.cn',
      portal: 'https://portal.azure.cn',
      outlookScopeBase: 'https://partner.outlook.cn',
      exchangeAdmin: 'https://partner.outlook.cn',
      imap: { host: 'partner.outlook.cn', port: 993, security: 'tls' },
      pop: { host: 'partner.outlook.cn', port: 995, security: 'tls' },
      smtp: { host: 'partner.outlook.cn', port: 587, security: 'starttls' },
      verified: false,
    },
    doubt: 'If this SMTP host refuses, try smtp.partner.outlook.cn in a cloud file: other programs use it.',
    signInHosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    azureCli: 'AzureChinaCloud',
    graphPowerShell: 'China',
    exchangePowerShell: 'O365China',
  },
};

export const namedCloud = (name: CloudName): Cloud => ({ name, ...microsoftClouds[name].hosts });

/** Where Exchange Online of this cloud is administered. A mailbox file of an earlier edition and a cloud file may leave it out. */
export const exchangeAdminOf = ({ name, exchangeAdmin }: Pick<Cloud, 'name' | 'exchangeAdmin'>): string =>
  exchangeAdmin ?? namedCloud(isCloudName(name) ? name : defaultCloud).exchangeAdmin ?? '';

/** What scripts call this cloud; undefined for the sandbox and for a cloud that a file describes. */
export const scriptNames = ({ name }: Pick<Cloud, 'name'>): Omit<MicrosoftCloud, 'hosts' | 'signInHosts'> | undefined =>
  isCloudName(name) ? microsoftClouds[name] : undefined;

/**
 * Which Microsoft cloud a sign-in host belongs to; a tenant's endpoints may use any host of its cloud. GCC High and DoD share one host,
 * which answers `usgov`.
 */
export function cloudOfLoginHost(host: string): CloudName | undefined {
  return cloudNames.find((name) => microsoftClouds[name].signInHosts.some((known) => known === host.toLowerCase()));
}

/** A page of Microsoft's sign-in, in any of its clouds. `host` in lower case, as `URL` has it. */
export function isSignInPage(host: string): boolean {
  return cloudNames
    .flatMap((name) => microsoftClouds[name].signInHosts)
    .map((known) => known.split('.').slice(-2).join('.'))
    .some((domain) => host === domain || host.endsWith(`.${domain}`));
}

/** What a person is told of a cloud whose hosts and scopes Microsoft does not document all; undefined for the others. */
export const unverifiedWords = ({ verified }: Pick<Cloud, 'verified'>): string | undefined =>
  verified ? undefined : 'mail hosts and scopes unverified';

/** What other programs do differently in this cloud; undefined: nothing is known. */
export const doubtOf = ({ name }: Pick<Cloud, 'name'>): string | undefined => (isCloudName(name) ? microsoftClouds[name].doubt : undefined);

/** The same as whole sentences, said before anybody relies on them. */
export const unverifiedNote = (cloud: Pick<Cloud, 'name'>): string =>
  [`The hosts and scopes of the cloud "${cloud.name}" are unverified: Microsoft does not document them all.`, doubtOf(cloud)]
    .filter((part) => part !== undefined)
    .join(' ');
