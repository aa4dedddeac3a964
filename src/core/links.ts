import type { Cloud } from './cloud.ts';

/** An app and how it is asked, as far as links name it. */
export interface AppAsked {
  readonly cloud: Cloud;
  /** id, domain, `consumers` … */
  readonly tenant: string;
  readonly clientId: string;
  /** asked for, full scope strings */
  readonly scopes: readonly string[];
  /** lets an administrator's consent page come back; without one the portal's link is offered instead */
  readonly redirectUri?: string | undefined;
}

type Page = 'Overview' | 'CallAnAPI' | 'Credentials' | 'Authentication';

/** A page of the registration in the portal. The routes are undocumented: name the menu beside them. */
export const appPage = (v: Pick<AppAsked, 'cloud' | 'clientId'>, page: Page): string =>
  `${v.cloud.portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/${page}/appId/${encodeURIComponent(v.clientId)}/isMSAApp~/false`;

export const signInLogs = (v: Pick<AppAsked, 'cloud'>): string =>
  `${v.cloud.portal}/#view/Microsoft_AAD_IAM/SignInEventsV3Blade/timeRangeType/last24hours/showApplicationSignIns~/true`;

export const enterpriseApps = (v: Pick<AppAsked, 'cloud'>): string =>
  `${v.cloud.portal}/#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview`;

const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad';

/** Personal accounts have no administrator: the person who signs in consents. */
export const isPersonal = (v: Pick<AppAsked, 'tenant'>): boolean => v.tenant === 'consumers' || v.tenant === consumers;

/**
 * Where an administrator consents for everybody: `/adminconsent` when the answer can come back to a redirect of the app
 * (learn.microsoft.com/entra/identity-platform/v2-admin-consent), else the portal's "Grant admin consent".
 */
export function adminConsentLink(v: AppAsked): string {
  if (v.redirectUri === undefined || v.scopes.length === 0) return appPage(v, 'CallAnAPI');
  const tenant = v.tenant === 'common' ? 'organizations' : v.tenant;
  const link = new URL(`${v.cloud.login}/${encodeURIComponent(tenant)}/v2.0/adminconsent`);
  link.searchParams.set('client_id', v.clientId);
  link.searchParams.set('scope', v.scopes.join(' '));
  link.searchParams.set('redirect_uri', v.redirectUri);
  return link.href.replaceAll('+', '%20');
}

/** Microsoft's page about one AADSTS number. */
export const lookUp = (aadsts: number): string => `https://login.microsoftonline.com/error?code=${aadsts}`;
