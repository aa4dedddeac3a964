import type { Endpoints } from '../core/cloud.ts';
import { thumbprintsOf } from '../core/hashes.ts';
import type { PlannedCertificate, RegistrationPlan } from '../core/registration-plan.ts';
import { custom } from '../products/custom.ts';
import { type PlanAnswers, planRegistration } from '../products/plan.ts';
import { accountTypes, type Product } from '../products/product.ts';
import { productNamed } from '../products/products.ts';
import type { Step } from '../products/step/step.ts';

/**
 * One screen of the Entra admin center, in words that need no picture. `where` always has the menu words, because deep links are
 * undocumented and change: the present names first, older ones in brackets.
 */
export interface PortalStep extends Step {
  readonly link: string;
  /** what the operator brings back from this screen */
  readonly yields?: 'client-id' | 'client-secret';
}

/** The wizard's `Answers` fit, with the portal's address beside them. */
export interface PortalFacts extends PlanAnswers {
  /** the product's name; without one it is a program that mailauth does not know */
  readonly for?: string;
  readonly portal: string;
  readonly mailbox: string;
  /** known from the second screen on */
  readonly clientId?: string;
  /** given: adds the screen with the v2 endpoints, for products whose form asks for them; the wizard finds them by itself */
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

/**
 * The registration by hand, screen by screen. Pure. Menu words and routes are those of the Microsoft Entra admin center
 * (docs/microsoft.md, "Portal pages").
 */
export function portalSteps(f: PortalFacts): readonly PortalStep[] {
  const product = productNamed(f.for ?? '') ?? custom;
  // The same plan that `auto` sends to Graph, so that both ways register the same app.
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
    where: `${registrations} > New registration${older}`,
    link: `${f.portal}/#view/Microsoft_AAD_RegisteredApps/CreateApplicationBlade/quickStartType~/null/isMSAApp~/false`,
    actions: ['Fill in the form'],
    fields: [
      { label: 'Name', value: plan.displayName },
      { label: 'Supported account types', value: accountTypes[plan.audience] },
      { label: 'Redirect URI, platform', value: platforms[plan.platform] },
      { label: 'Redirect URI', value: plan.redirectUris[0] ?? 'leave it empty' },
    ],
    trap: [
      `The overview shows three GUIDs: take "Application (client) ID"${twoIds}, not "Object ID"${twoIds === '' ? ' and not "Directory (tenant) ID"' : ''}.`,
      ...(plan.audience === 'single' ? [] : ['Older screens say "Azure AD directory" for "Microsoft Entra ID tenant".']),
      ...(plan.platform === 'web'
        ? ['Choose "Web", not "Single-page application": an app of that platform never gets a token for a server.']
        : []),
      ...(plan.audience === 'multi-and-personal' ? ['Because personal accounts are allowed, the redirect URI must not contain "?".'] : []),
    ].join(' '),
    press: ['Press "Register"', `Copy "Application (client) ID"${twoIds} from the Overview page`],
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
    where: `${app} > Manage > Authentication`,
    link: blade(f, 'Authentication'),
    fields: [],
    trap: plan.publicClientFlows
      ? 'Without this the sign-in fails with AADSTS7000218, which asks for a client secret that this app must not have.'
      : "Only osTicket's older OAuth2 plugin needs this. With the present plugin leave both unticked, because they weaken the app.",
    press: [...flows, ...implicit, 'Press "Save"'],
  };
}

function permissions({ f, plan }: Portal): PortalStep {
  const preset = plan.graphPermissions.includes('User.Read')
    ? '"User.Read" may be there already.'
    : 'Leave "User.Read" if it is there already.';
  return {
    title: 'Add the delegated permissions',
    where: `${app} > Manage > API permissions > Add a permission > Microsoft Graph > Delegated permissions`,
    link: blade(f, 'CallAnAPI'),
    actions: ['Search for each name and tick it'],
    fields: plan.graphPermissions.map((value) => ({ label: 'Permission', value })),
    trap: `Choose "Delegated permissions"; "Application permissions" will not work. ${preset}`,
    press: ['Press "Add permissions"', 'The table must show all of them now, as "Delegated"'],
  };
}

/** App-only access. The portal shows these permissions on Exchange's own page, not under Microsoft Graph. */
function appPermissions({ f }: Portal, roles: readonly string[]): PortalStep {
  return {
    title: 'Add the application permissions',
    where: `${app} > Manage > API permissions > Add a permission > APIs my organization uses > Office 365 Exchange Online > Application permissions`,
    link: blade(f, 'CallAnAPI'),
    actions: [
      'Type "Office 365 Exchange Online" into the search field and choose it',
      'Choose "Application permissions", search for each name and tick it',
    ],
    fields: roles.map((value) => ({ label: 'Permission', value })),
    trap: 'Choose "Application permissions" of Office 365 Exchange Online: Microsoft Graph has none of these names. Do not take "full_access_as_app".',
    press: ['Press "Add permissions"', 'The table must show all of them now, as "Application"'],
  };
}

function certificate({ f }: Portal, { der, expiresAt }: PlannedCertificate): PortalStep {
  const { sha1, sha256 } = thumbprintsOf(Buffer.from(der, 'base64'));
  return {
    title: 'Upload the certificate',
    where: `${app} > Manage > Certificates & secrets > Certificates > Upload certificate`,
    link: blade(f, 'Credentials'),
    actions: ['Press "Upload certificate", choose the certificate file (never the key), press "Add"', 'Compare what the list shows now'],
    fields: [
      { label: 'Expires', value: expiresAt },
      { label: 'Thumbprint (SHA-1, as the portal shows it)', value: sha1 },
      { label: 'SHA-256 thumbprint', value: sha256 },
    ],
    trap: 'Upload the file that holds "BEGIN CERTIFICATE" only. A file that also holds the private key must stay on this computer.',
    press: [],
  };
}

/** Two pages show an "Object ID", and most people copy the wrong one: so this page has a step of its own. */
function enterpriseApp({ f }: Portal): PortalStep {
  return {
    title: 'Note the Object ID for Exchange',
    where: 'Entra ID > Enterprise apps > All applications > your app > Overview',
    link: `${f.portal}/#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview`,
    fields: [],
    trap: 'The page under App registrations shows another "Object ID". With that one New-ServicePrincipal succeeds and every sign-in fails.',
    press: [
      'Remove the filter "Application type" and search for the app by its name',
      'Copy "Object ID": Exchange Online PowerShell needs it',
      'At the end, mailauth prints the lines for Exchange',
    ],
  };
}

function consent({ f, product, plan }: Portal): PortalStep {
  const mayBeBlocked =
    'In tenants that let Microsoft manage consent, users cannot agree to IMAP and POP themselves, ' +
    'so without this step the sign-in stops at "Need admin approval".';
  const without =
    plan.appRoles === undefined ? (product.consentNote ?? mayBeBlocked) : 'Without it the token carries no permission at all.';
  return {
    title: 'Grant admin consent',
    where: `${app} > Manage > API permissions > Grant admin consent for (your organization)`,
    link: blade(f, 'CallAnAPI'),
    fields: [],
    trap: `Only an administrator can do this. ${without}`,
    press: ['Press "Grant admin consent for …", then "Yes"', 'Every row must show "Granted for …" with a green tick'],
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
  const fixed = product.secretMonthsFixed === true ? ` ${product.title}'s guide asks for ${product.secretMonths} months.` : '';
  return {
    title: 'Make a client secret',
    where: `${app} > Manage > Certificates & secrets > Client secrets > New client secret`,
    link: blade(f, 'Credentials'),
    actions: ['Press "New client secret" and fill in the form'],
    fields: [
      { label: 'Description', value: `mailauth ${f.mailbox}` },
      { label: 'Expires', value: expires[months] ?? `Custom: ${months} months from today` },
    ],
    trap: `Copy "Value", not "Secret ID". The ID is a GUID, and no sign-in works with it.${fixed}`,
    press: [
      'Press "Add"',
      'Copy the column "Value" now: the portal shows it only once',
      ...(product.secretIdToo === true ? ['Note "Secret ID" too: it tells this secret from the next one'] : []),
    ],
    yields: 'client-secret',
  };
}

function endpoints({ f }: Portal, known: Pick<Endpoints, 'authorization' | 'token'>): PortalStep {
  return {
    title: 'Copy the endpoints',
    where: `${app} > Overview > Endpoints`,
    link: blade(f, 'Overview'),
    actions: ['Press "Endpoints" at the top of the page', 'Copy these two, or compare them'],
    fields: [
      { label: 'OAuth 2.0 authorization endpoint (v2)', value: known.authorization },
      { label: 'OAuth 2.0 token endpoint (v2)', value: known.token },
    ],
    trap: 'The list has each address twice: take the ones with "(v2)" and "/v2.0/" in them.',
    press: [],
  };
}
