import { isMicrosofts, isReady, readyApps, stableGuid } from './directory.ts';
import type { App, State } from './state-schema.ts';

/** A permission that a resource publishes: a delegated scope or an application role. */
interface Permission {
  readonly id: string;
  readonly value: string;
  /** only administrators may consent to it */
  readonly admin: boolean;
}

/** An application of Microsoft that tokens are requested for, with its service principal in this tenant. */
export interface ResourceApp {
  readonly appId: string;
  readonly objectId: string;
  readonly displayName: string;
  readonly names: readonly string[];
  readonly scopes: readonly Permission[];
  readonly roles: readonly Permission[];
}

const anybody = (id: string, value: string): Permission => ({ id, value, admin: false });
const admins = (id: string, value: string): Permission => ({ id, value, admin: true });

/** Ids: learn.microsoft.com, permissions-reference. */
const graph: ResourceApp = {
  appId: '00000003-0000-0000-c000-000000000000',
  objectId: stableGuid('service principal of Microsoft Graph'),
  displayName: 'Microsoft Graph',
  names: ['https://graph.microsoft.com'],
  scopes: [
    anybody('e1fe6dd8-ba31-4d61-89e7-88639da4683d', 'User.Read'),
    anybody('37f7f235-527c-4136-accd-4a02d197296e', 'openid'),
    anybody('14dad69e-099b-42c9-810b-d002981feec1', 'profile'),
    anybody('64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0', 'email'),
    anybody('7427e0e9-2fba-42fe-b0c0-848c9e6a8182', 'offline_access'),
    anybody('652390e4-393a-48de-9484-05f9b1212954', 'IMAP.AccessAsUser.All'),
    anybody('d7b7f2d9-0f45-4ea1-9d42-e50810c06991', 'POP.AccessAsUser.All'),
    anybody('258f6531-6087-4cc4-bb90-092c5fb3ed3f', 'SMTP.Send'),
    anybody('e383f46e-2787-4529-855e-0e479a3ffac0', 'Mail.Send'),
    anybody('a367ab51-6b49-43bf-a716-a1fb06d2a174', 'Mail.Send.Shared'),
    admins('bdfbf15f-ee85-4955-8675-146e8e5296b5', 'Application.ReadWrite.All'),
    admins('c79f8feb-a9db-4090-85f9-90d820caa0eb', 'Application.Read.All'),
    admins('41ce6ca6-6826-4807-84f1-1c82854f7ee5', 'DelegatedPermissionGrant.ReadWrite.All'),
    admins('84bccea3-f856-4a8a-967b-dbe0a3d53a64', 'AppRoleAssignment.ReadWrite.All'),
    admins('06da0dbc-49e2-44d2-8312-53f166ab848a', 'Directory.Read.All'),
    admins('0e263e50-5827-48a4-b97c-d940288653c7', 'Directory.AccessAsUser.All'),
    admins('572fea84-0151-49b2-9301-11cb16974376', 'Policy.Read.All'),
    admins('4908d5b9-3fb2-4b1e-9336-1888b7937185', 'Organization.Read.All'),
  ],
  roles: [],
};

/** Microsoft publishes the ids of Exchange Online nowhere but on its service principal. */
const exchange: ResourceApp = {
  appId: '00000002-0000-0ff1-ce00-000000000000',
  objectId: stableGuid('service principal of Office 365 Exchange Online'),
  displayName: 'Office 365 Exchange Online',
  names: ['https://outlook.office.com', 'https://outlook.office365.com'],
  scopes: [
    anybody('195adc35-e27b-454b-a7ed-1ecdffa1c09f', 'IMAP.AccessAsUser.All'),
    anybody('fb698133-92fa-453e-a9ed-688e10f2e5ac', 'POP.AccessAsUser.All'),
    anybody('76faac2a-0f20-42f1-928a-50de5b9dbe52', 'SMTP.Send'),
    anybody('266d2589-20b5-4f91-9a03-89247d1be8da', 'EAS.AccessAsUser.All'),
    anybody('3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5', 'EWS.AccessAsUser.All'),
    anybody('6223a6d3-53ef-4f8f-982a-895b39483c61', 'User.Read'),
  ],
  roles: [
    admins('5e5addcd-3e8d-4e90-baf5-964efab2b20a', 'IMAP.AccessAsApp'),
    admins('cb842b43-da6e-4506-86fe-bb12199c656d', 'POP.AccessAsApp'),
    admins('7146a1f0-8703-45b3-9eae-527a64c00995', 'SMTP.SendAsApp'),
    admins('dc50a0fb-09a3-484d-be87-e023b12c6440', 'Exchange.ManageAsApp'),
    admins('dc890d15-9560-4a4c-9b7f-a736ec74ec40', 'full_access_as_app'),
  ],
};

/** Named as in `AskedScope`. */
export const resources = { graph, outlook: exchange } as const;
export const resourceApps: readonly ResourceApp[] = [graph, exchange];

/**
 * What Azure CLI gets from Graph, with `.default` only. Microsoft preauthorized it for its own app, so that no consent is asked
 * (seen in tokens; other scopes are AADSTS65002).
 */
export const preauthorized: readonly string[] = [
  'Application.ReadWrite.All',
  'AppRoleAssignment.ReadWrite.All',
  'AuditLog.Read.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Directory.AccessAsUser.All',
  'Group.ReadWrite.All',
  'User.Read.All',
  'User.ReadWrite.All',
  'email',
  'openid',
  'profile',
];

/** What the Exchange Online module gets, with `.default` only. */
export const exchangeScope = 'AdminApi.AccessAsUser.All';

/** Object id of an app's own service principal. The ready apps and Azure CLI have one from the start. */
export function servicePrincipalIdOf(state: State, appId: string): string | undefined {
  const mine = state.servicePrincipals.find((one) => one.appId === appId);
  if (mine !== undefined) return mine.objectId;
  return isReady(appId) || isMicrosofts(appId) ? stableGuid(`service principal ${appId}`) : undefined;
}

/** Application permissions on Exchange Online that the app was granted. The ready confidential app has those for mail from the start. */
export function rolesOfApp(state: State, app: App): readonly string[] {
  if (app.clientId === readyApps.confidential.clientId) return mailRoles;
  const principal = servicePrincipalIdOf(state, app.clientId);
  const ids = state.roleAssignments
    .filter((one) => one.principalId === principal && one.resourceId === exchange.objectId)
    .map((one) => one.appRoleId.toLowerCase());
  return exchange.roles.filter((role) => ids.includes(role.id)).map((role) => role.value);
}

const mailRoles = ['IMAP.AccessAsApp', 'POP.AccessAsApp', 'SMTP.SendAsApp'];
