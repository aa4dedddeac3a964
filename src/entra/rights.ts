import type { RegistrationPlan } from '../core/registration-plan.ts';
import type { Exists } from '../errors/catalogue/registration/graph-errors.ts';
import { problem } from '../errors/problem.ts';
import type { AccessClaims } from '../oauth/claims.ts';
import { rolesThat } from './refusals.ts';

/** Any one of each line is enough (learn.microsoft.com/graph/permissions-reference). */
const toRegister = ['Application.ReadWrite.All', 'Directory.AccessAsUser.All', 'Directory.ReadWrite.All'];
const toConsent = ['DelegatedPermissionGrant.ReadWrite.All', 'Directory.AccessAsUser.All', 'Directory.ReadWrite.All'];
const toAssign = ['AppRoleAssignment.ReadWrite.All', 'Directory.AccessAsUser.All'];

/** Template ids of roles, the same in every tenant (permissions-reference of Entra's built-in roles). */
const mayConsent = new Set([
  '62e90394-69f5-4237-9190-012177145e10', // Global Administrator
  '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3', // Application Administrator
  '158c047a-c907-4556-b7ef-446551a6b5f7', // Cloud Application Administrator
  'e8611ab8-c189-46e8-94e1-60213ab1f814', // Privileged Role Administrator
]);

/**
 * Roles that helpdesk people often have and that certainly do not allow it. Any other role, such as a custom role, may allow it: it is
 * tried.
 */
const mayNot = new Set([
  'b79fbf4d-3ef9-4689-8143-76b194e85509', // stands in every member's token
  '10dae51f-b6af-4016-8d66-8c2a99b929b3', // Guest User
  '2af84b1e-32c8-42b7-82bc-daa82404023b', // Restricted Guest User
  'cf1c38e5-3621-4004-a7cb-879624dced7c', // Application Developer
  '29232cdf-9323-42fd-ade2-1d097af3e4de', // Exchange Administrator
  '729827e3-9c14-49f7-bb1b-9608f156bbb8', // Helpdesk Administrator
  'fe930be7-5e62-47db-91af-98c3a49a38b1', // User Administrator
  'f2ef992c-3afb-46b9-b7cf-a126ee74c451', // Global Reader
]);

/**
 * Checks the rights that the administrator's token shows, before anything is made. An opaque token shows nothing: then it is tried.
 * Throws `graph-permission-missing` and `graph-role-missing` (both 6).
 */
export function checkRights(claims: AccessClaims, plan: Pick<RegistrationPlan, 'consent' | 'appRoles'>, exists: Exists): void {
  if (claims.opaque) return;
  const { scopes, directoryRoles = [], username } = claims;
  const lacks = (any: readonly string[]) => scopes.length > 0 && !any.some((name) => scopes.includes(name));
  const consents = plan.consent === 'admin';
  const permissions = [toRegister, ...(consents ? [plan.appRoles === undefined ? toConsent : toAssign] : [])]
    .filter(lacks)
    .flatMap((names) => names.slice(0, 1));
  if (permissions.length > 0) throw problem('graph-permission-missing', { ...exists, permissions });
  if (!consents || directoryRoles.length === 0 || directoryRoles.some((id) => mayConsent.has(id) || !mayNot.has(id))) return;
  throw problem('graph-role-missing', { ...exists, what: 'consent for the whole tenant', roles: rolesThat.consent, who: username });
}
