import type { Cloud } from './cloud.ts';
import type { Thumbprints } from './thumbprints.ts';

/** The blanks of everything Entra can refuse: this sign-in's own values and what Microsoft said. */
export interface EntraWords {
  readonly cloud: Cloud;
  /** id, domain, `consumers` … */
  readonly tenant: string;
  readonly clientId: string;
  /** asked for, full scope strings */
  readonly scopes: readonly string[];
  readonly mailbox?: string | undefined;
  readonly signInAs?: string | undefined;
  /** the app showed who it is by this certificate */
  readonly certificate?: Thumbprints | undefined;
  /** lets an administrator's consent page come back; without one the portal's link is offered instead */
  readonly redirectUri?: string | undefined;
  /** Microsoft's first sentence, already plain */
  readonly said: string;
  /** the OAuth error (RFC 6749 section 5.2) */
  readonly error: string;
  readonly aadsts?: number | undefined;
  /** seconds */
  readonly retryAfter?: number | undefined;
}

/** A word of a command line that can be copied: what comes from outside must not end the command. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

type About = Pick<Partial<EntraWords>, 'mailbox' | 'cloud'>;

export const loginCommand = (v: About): string => `mailauth login${v.mailbox === undefined ? '' : ` ${shellWord(v.mailbox)}`}`;

/** `mailauth setup` for this mailbox and cloud, with more flags behind. */
export function setupCommand(v: About, flags = ''): string {
  const mailbox = v.mailbox === undefined ? '' : ` --mailbox ${shellWord(v.mailbox)}`;
  return `mailauth setup${mailbox}${cloudFlag(v.cloud)}${flags === '' ? '' : ` ${flags}`}`;
}

function cloudFlag(cloud: Cloud | undefined): string {
  if (cloud === undefined || cloud.name === 'public') return '';
  if (cloud.name === 'sandbox') return ' --sandbox';
  return ['usgov', 'usgov-dod', 'china'].includes(cloud.name) ? ` --cloud ${cloud.name}` : ' --cloud-file FILE';
}

type Page = 'Overview' | 'CallAnAPI' | 'Credentials' | 'Authentication';

/** A page of the registration in the portal. The routes are undocumented: name the menu beside them. */
export const appPage = (v: Pick<EntraWords, 'cloud' | 'clientId'>, page: Page): string =>
  `${v.cloud.portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/${page}/appId/${encodeURIComponent(v.clientId)}/isMSAApp~/false`;

export const signInLogs = (v: Pick<EntraWords, 'cloud'>): string =>
  `${v.cloud.portal}/#view/Microsoft_AAD_IAM/SignInEventsV3Blade/timeRangeType/last24hours/showApplicationSignIns~/true`;

export const enterpriseApps = (v: Pick<EntraWords, 'cloud'>): string =>
  `${v.cloud.portal}/#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview`;

const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad';

/** Personal accounts have no administrator: who signs in consents. */
export const isPersonal = (v: Pick<EntraWords, 'tenant'>): boolean => v.tenant === 'consumers' || v.tenant === consumers;

/**
 * Where an administrator consents for everybody: `/adminconsent` when the answer can come back to a redirect of the app
 * (learn.microsoft.com/entra/identity-platform/v2-admin-consent), else the portal's "Grant admin consent".
 */
export function adminConsentLink(v: Pick<EntraWords, 'cloud' | 'tenant' | 'clientId' | 'scopes' | 'redirectUri'>): string {
  if (v.redirectUri === undefined || v.scopes.length === 0) return appPage(v, 'CallAnAPI');
  const tenant = v.tenant === 'common' ? 'organizations' : v.tenant;
  const link = new URL(`${v.cloud.login}/${encodeURIComponent(tenant)}/v2.0/adminconsent`);
  link.searchParams.set('client_id', v.clientId);
  link.searchParams.set('scope', v.scopes.join(' '));
  link.searchParams.set('redirect_uri', v.redirectUri);
  return link.href.replaceAll('+', '%20');
}

/** AADSTS number on its own page of Microsoft's. */
export const lookUp = (aadsts: number): string => `https://login.microsoftonline.com/error?code=${aadsts}`;
