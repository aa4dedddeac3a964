import type { Endpoints, Protocol } from '../core/cloud.ts';
import type { ClientType } from '../core/mailbox.ts';
import type { PlannedCertificate, RegistrationPlan } from '../core/registration-plan.ts';
import { thumbprintsOf } from '../core/thumbprints.ts';
import { custom } from '../products/custom.ts';
import { permissionNames } from '../products/permissions.ts';
import { planRegistration } from '../products/plan.ts';
import { type Audience, accountTypes, type Product, type SignInWay } from '../products/product.ts';
import { productNamed } from '../products/products.ts';

export { permissionNames };

/** One screen of the Entra admin center, said so that it can be followed without a picture. */
export interface PortalStep {
  readonly title: string;
  /** the menu words, always, because deep links are undocumented and change; present names first, older ones in brackets */
  readonly menu: string;
  readonly link: string;
  readonly actions: readonly string[];
  /** values to copy into the form */
  readonly values: readonly { readonly field: string; readonly value: string }[];
  /** the mistake that people make at this very step */
  readonly trap?: string;
  /** what the operator brings back from this screen */
  readonly yields?: 'client-id' | 'client-secret';
}

/** The wizard's `Answers` fit, with the portal's address beside them. */
export interface PortalFacts {
  /** the guide's name; without one it is a program that mailauth does not know */
  readonly for?: string;
  readonly portal: string;
  readonly mailbox: string;
  readonly name: string;
  readonly audience: Audience;
  readonly clientType: ClientType;
  readonly redirectUri: string;
  readonly protocols: readonly Protocol[];
  readonly secretMonths: number;
  readonly consent: 'admin' | 'user' | 'skip';
  readonly signIn?: SignInWay;
  readonly variant?: string;
  /** left out: delegated */
  readonly access?: 'delegated' | 'app-only';
  /** app-only: uploaded in place of a client secret */
  readonly certificate?: PlannedCertificate;
  /** known from the second screen on */
  readonly clientId?: string;
  /** given: also the screen with the v2 endpoints, for who has to copy them; the wizard finds them by itself */
  readonly endpoints?: Pick<Endpoints, 'authorization' | 'token'>;
}

/** What each screen is written from. */
interface Portal {
  readonly f: PortalFacts;
  readonly product: Product;
  readonly plan: RegistrationPlan;
}

const registrations = 'Entra ID > App registrations';
const app = `${registrations} > your app`;

/** The registration by hand, screen by screen. Pure. The menu words and routes are those of the Microsoft Entra admin center (docs/microsoft.md, "Portal pages"). */
export function portalSteps(f: PortalFacts): readonly PortalStep[] {
  const product = productNamed(f.for ?? '') ?? custom;
  // The same plan that `auto` sends to Graph: the ways to register cannot drift apart.
  const portal: Portal = { f, product, plan: planRegistration(product, f, '') };
  const steps = [register(portal)];
  if (portal.plan.publicClientFlows || portal.plan.implicitTokens) steps.push(authentication(portal));
  steps.push(portal.plan.appRoles === undefined ? permissions(portal) : appPermissions(portal, portal.plan.appRoles));
  if (f.consent === 'admin') steps.push(consent(portal));
  if (portal.plan.secretMonths !== undefined) steps.push(secret(portal, portal.plan.secretMonths));
  if (portal.plan.certificate !== undefined) steps.push(certificate(portal, portal.plan.certificate));
  if (portal.plan.appRoles !== undefined) steps.push(enterpriseApp(portal));
  if (f.endpoints !== undefined) steps.push(endpoints(portal, f.endpoints));
  return steps;
}

function blade(f: PortalFacts, name: string): string {
  const list = `${f.portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade/quickStartType~/null/sourceType/Microsoft_AAD_IAM`;
  return f.clientId === undefined
    ? list
    : `${f.portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/${name}/appId/${encodeURIComponent(f.clientId)}/isMSAApp~/false`;
}

const platforms = {
  web: 'Web',
  'mobile-desktop': 'Public client/native (mobile & desktop)',
  none: 'none: leave the list as it is',
} as const;

function register({ f, product, plan }: Portal): PortalStep {
  const older = product.olderMenu === undefined ? '' : `  (older: ${product.olderMenu})`;
  const twoIds = plan.platform === 'none' ? ' and "Directory (tenant) ID"' : '';
  return {
    title: 'Register the app',
    menu: `${registrations} > New registration${older}`,
    link: `${f.portal}/#view/Microsoft_AAD_RegisteredApps/CreateApplicationBlade/quickStartType~/null/isMSAApp~/false`,
    actions: ['Fill in the form with these values', 'Press "Register"', `Copy "Application (client) ID"${twoIds} from the Overview page`],
    values: [
      { field: 'Name', value: plan.displayName },
      { field: 'Supported account types', value: accountTypes[plan.audience] },
      { field: 'Redirect URI, platform', value: platforms[plan.platform] },
      { field: 'Redirect URI', value: plan.redirectUris[0] ?? 'leave it empty' },
    ],
    trap: [
      `The overview shows three GUIDs: take "Application (client) ID"${twoIds}, not "Object ID"${twoIds === '' ? ' and not "Directory (tenant) ID"' : ''}.`,
      ...(plan.audience === 'single' ? [] : ['Older screens say "Azure AD directory" for "Microsoft Entra ID tenant".']),
      ...(plan.platform === 'web' ? ['Choose "Web", not "Single-page application": that one never gets a token for a server.'] : []),
      ...(plan.audience === 'multi-and-personal' ? ['With personal accounts allowed, the redirect URI may have no "?".'] : []),
    ].join(' '),
    yields: 'client-id',
  };
}

function authentication({ f, plan }: Portal): PortalStep {
  const flows = plan.publicClientFlows
    ? [
        'Settings (older: Advanced settings): set "Allow public client flows" to Yes (older: "Enable the following mobile and desktop flows")',
      ]
    : [];
  const implicit = plan.implicitTokens ? ['Settings (older: Implicit grant and hybrid flows): tick "Access tokens" and "ID tokens"'] : [];
  return {
    title: plan.publicClientFlows ? 'Allow public client flows' : 'Allow implicit tokens',
    menu: `${app} > Manage > Authentication`,
    link: blade(f, 'Authentication'),
    actions: [...flows, ...implicit, 'Press "Save"'],
    values: [],
    trap: plan.publicClientFlows
      ? 'Without it the sign-in fails with AADSTS7000218, which asks for a client secret that this app must not have.'
      : "Only osTicket's older OAuth2 plugin needs it. With the present one leave both unticked: they weaken the app.",
  };
}

function permissions({ f, plan }: Portal): PortalStep {
  const preset = plan.graphPermissions.includes('User.Read')
    ? '"User.Read" may be there already.'
    : 'Leave "User.Read" if it is there already.';
  return {
    title: 'Add the delegated permissions',
    menu: `${app} > Manage > API permissions > Add a permission > Microsoft Graph > Delegated permissions`,
    link: blade(f, 'CallAnAPI'),
    actions: ['Search for each name, tick it', 'Press "Add permissions"', 'The table must show them all now, as "Delegated"'],
    values: plan.graphPermissions.map((value) => ({ field: 'Permission', value })),
    trap: `Choose "Delegated permissions". "Application permissions" is another thing and does not work here. ${preset}`,
  };
}

/** App-only access. The portal shows these permissions on Exchange's own page, not under Microsoft Graph. */
function appPermissions({ f }: Portal, roles: readonly string[]): PortalStep {
  return {
    title: 'Add the application permissions',
    menu: `${app} > Manage > API permissions > Add a permission > APIs my organization uses > Office 365 Exchange Online > Application permissions`,
    link: blade(f, 'CallAnAPI'),
    actions: [
      'Type "Office 365 Exchange Online" into the search field and choose it',
      'Choose "Application permissions", search for each name, tick it',
      'Press "Add permissions"',
      'The table must show them all now, as "Application"',
    ],
    values: roles.map((value) => ({ field: 'Permission', value })),
    trap: 'Choose "Application permissions" of Office 365 Exchange Online: Microsoft Graph has none of these names. Not "full_access_as_app".',
  };
}

function certificate({ f }: Portal, { der, expiresAt }: PlannedCertificate): PortalStep {
  const { sha1, sha256 } = thumbprintsOf(Buffer.from(der, 'base64'));
  return {
    title: 'Upload the certificate',
    menu: `${app} > Manage > Certificates & secrets > Certificates > Upload certificate`,
    link: blade(f, 'Credentials'),
    actions: ['Press "Upload certificate", choose the certificate file (never the key), press "Add"'],
    values: [
      { field: 'Expires', value: expiresAt },
      { field: 'Thumbprint (SHA-1, as the portal shows it)', value: sha1 },
      { field: 'SHA-256 thumbprint', value: sha256 },
    ],
    trap: 'Upload the file with "BEGIN CERTIFICATE" only. A file that holds the private key as well stays on this computer.',
  };
}

/** The classic mistake has a screen of its own. */
function enterpriseApp({ f }: Portal): PortalStep {
  return {
    title: 'Note the Object ID for Exchange',
    menu: 'Entra ID > Enterprise apps > All applications > your app > Overview',
    link: `${f.portal}/#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview`,
    actions: [
      'Search for the app by its name; take away the filter "Application type"',
      'Copy "Object ID": Exchange Online PowerShell wants it',
      'mailauth prints the lines for Exchange at the end',
    ],
    values: [],
    trap: 'The page under App registrations shows another "Object ID". With that one New-ServicePrincipal succeeds and every sign-in fails.',
  };
}

function consent({ f, product, plan }: Portal): PortalStep {
  const mayBeBlocked =
    'Tenants that let Microsoft manage consent do not let users agree to IMAP and POP themselves, ' +
    'so without this step the sign-in stops at "Need admin approval".';
  return {
    title: 'Grant admin consent',
    menu: `${app} > Manage > API permissions > Grant admin consent for (your organization)`,
    link: blade(f, 'CallAnAPI'),
    actions: ['Press "Grant admin consent for …", then "Yes"', 'Every row must show "Granted for …" with a green tick'],
    values: [],
    trap: `Only an administrator can press it. ${plan.appRoles === undefined ? (product.consentNote ?? mayBeBlocked) : 'Without it the token carries no permission at all.'}`,
  };
}

/** What the list "Expires" offers, in its own words. */
const expires: Readonly<Record<number, string>> = {
  3: '90 days (3 months)',
  6: '180 days (6 months)',
  12: '365 days (12 months)',
  18: '545 days (18 months)',
  24: '730 days (24 months)',
};

function secret({ f, product }: Portal, months: number): PortalStep {
  const both = product.secretIdToo === true;
  return {
    title: 'Make a client secret',
    menu: `${app} > Manage > Certificates & secrets > Client secrets > New client secret`,
    link: blade(f, 'Credentials'),
    actions: [
      'Press "New client secret", fill in, press "Add"',
      'Copy the column "Value" now: it is shown only once',
      ...(both ? ['Note "Secret ID" too: it tells this secret from the next one'] : []),
    ],
    values: [
      { field: 'Description', value: `mailauth ${f.mailbox}` },
      { field: 'Expires', value: expires[months] ?? `Custom: ${months} months from today` },
    ],
    trap: `Copy "Value", not "Secret ID". The ID is a GUID and never signs in.${product.secretMonthsFixed === true ? ` ${product.title}'s guide asks for ${product.secretMonths} months.` : ''}`,
    yields: 'client-secret',
  };
}

function endpoints({ f }: Portal, known: Pick<Endpoints, 'authorization' | 'token'>): PortalStep {
  return {
    title: 'Copy the endpoints',
    menu: `${app} > Overview > Endpoints`,
    link: blade(f, 'Overview'),
    actions: ['Press "Endpoints" at the top of the page', 'Copy these two, or compare'],
    values: [
      { field: 'OAuth 2.0 authorization endpoint (v2)', value: known.authorization },
      { field: 'OAuth 2.0 token endpoint (v2)', value: known.token },
    ],
    trap: 'The list has each address twice: take the ones with "(v2)" and "/v2.0/" in them.',
  };
}
