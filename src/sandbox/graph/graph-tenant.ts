import { defined } from '../../core/defined.ts';
import { domainIn, registrationOf } from '../tenant/app-objects.ts';
import { findUser, organizationOf, tenant, userNamed } from '../tenant/directory.ts';
import { notHere } from './graph-applications.ts';
import { badRequest, denied, type GraphAnswer, type GraphCall, manages, mayAsk, noContent, notFound, sameId } from './graph-call.ts';
import { answerList, answerOne, type Row } from './graph-query.ts';
import { longestSecretDays } from './graph-secrets.ts';
import { applicationEntity, applicationView, userView } from './graph-view.ts';

const metadata = 'https://graph.microsoft.com/v1.0/$metadata#';

/** `/organization`: the tenant, its domains and whether it has Exchange Online. */
export function organization(call: GraphCall, at: string): GraphAnswer {
  if (call.method !== 'GET' || call.rest !== '') return notHere(call);
  const plans = [{ service: 'exchange', capabilityStatus: 'Enabled', servicePlanId: 'efb87545-963c-4e0d-99df-69c6916d9eb0' }];
  const { tenantId } = call.caller;
  const domain = domainIn(call.state, tenantId);
  const domains = tenantId === tenant.id ? tenant.domains : [domain];
  const row: Row = {
    id: tenantId,
    displayName: organizationOf(domain),
    countryLetterCode: 'NL',
    tenantType: 'AAD',
    assignedPlans: call.fault === 'no-exchange' ? [] : plans,
    verifiedDomains: domains.map((name, index) => ({
      name,
      isDefault: index === 0,
      isInitial: index === 1,
      capabilities: call.fault === 'no-exchange' ? '' : 'Email, OfficeCommunicationsOnline',
      type: 'Managed',
    })),
  };
  const entity = { set: 'organization', type: 'organization', filterable: ['id'] };
  if (call.key === undefined) return answerList([row], entity, call, at);
  return sameId(call.key.value, tenantId) ? answerOne(row, entity, call) : notFound(call.key.value);
}

/** `/policies/…`: what users and applications may do in this tenant. A fault that forbids something can be read here first. */
export function policies(call: GraphCall): GraphAnswer {
  if (call.method !== 'GET') return notHere(call);
  if (!mayAsk(call.caller, 'policy')) return denied();
  switch (call.key?.value) {
    case 'authorizationPolicy':
      return policy('authorizationPolicy', {
        id: 'authorizationPolicy',
        displayName: 'Authorization Policy',
        allowedToSignUpEmailBasedSubscriptions: true,
        blockMsolPowerShell: false,
        defaultUserRolePermissions: {
          allowedToCreateApps: call.fault !== 'registration-forbidden',
          allowedToCreateSecurityGroups: true,
          allowedToReadOtherUsers: true,
          permissionGrantPoliciesAssigned: ['ManagePermissionGrantsForSelf.microsoft-user-default-recommended'],
        },
      });
    case 'defaultAppManagementPolicy':
      return policy('tenantAppManagementPolicy', managementPolicy(call));
    case 'identitySecurityDefaultsEnforcementPolicy':
      return policy('identitySecurityDefaultsEnforcementPolicy', { id: '00000000-0000-0000-0000-000000000005', isEnabled: false });
    default:
      return notHere(call);
  }
}

function managementPolicy({ fault }: GraphCall): Row {
  const since = { restrictForAppsCreatedAfterDateTime: '2026-01-01T00:00:00Z' };
  const passwords = [
    ...(fault === 'secrets-forbidden' ? [{ restrictionType: 'passwordAddition', state: 'enabled', maxLifetime: null, ...since }] : []),
    ...(fault === 'secret-lifetime-policy'
      ? [{ restrictionType: 'passwordLifetime', state: 'enabled', maxLifetime: `P${longestSecretDays}D`, ...since }]
      : []),
  ];
  const audiences = {
    azureAdMultipleOrgs: { state: 'enabled', ...since },
    personalMicrosoftAccount: { state: 'enabled', ...since },
  };
  return {
    id: '00000000-0000-0000-0000-000000000000',
    displayName: 'Default app management tenant policy',
    description: 'Default tenant policy that enforces app management restrictions on applications and service principals.',
    isEnabled: passwords.length > 0 || fault === 'audience-forbidden',
    applicationRestrictions: {
      passwordCredentials: passwords,
      keyCredentials: [],
      ...defined({ audiences: fault === 'audience-forbidden' ? audiences : undefined }),
    },
    servicePrincipalRestrictions: { passwordCredentials: [], keyCredentials: [] },
  };
}

function policy(name: string, row: Row): GraphAnswer {
  return { status: 200, body: { '@odata.context': `${metadata}policies/${name}/$entity`, ...row } };
}

/** `/me` and its directory roles. */
export function me(call: GraphCall): GraphAnswer {
  if (call.method !== 'GET') return notHere(call);
  // The address has no key, so the part after `/me/` was read as one.
  const rest = [call.key?.value, call.rest].filter((part) => part !== undefined && part !== '').join('/');
  if (rest === '') return { status: 200, body: { '@odata.context': `${metadata}users/$entity`, ...userView(call.caller) } };
  if (!/^(?:memberOf|transitiveMemberOf)(?:\/microsoft\.graph\.directoryRole)?$/.test(rest)) return notHere(call);
  const value = call.caller.roles.map((role) => ({
    '@odata.type': '#microsoft.graph.directoryRole',
    id: role.id,
    displayName: role.name,
    roleTemplateId: role.id,
  }));
  return { status: 200, body: { '@odata.context': `${metadata}directoryObjects`, value } };
}

/** `/users/{userPrincipalName or id}`: the account of a shared mailbox or a room is there and blocked; an alias is no user's name. */
export function users(call: GraphCall): GraphAnswer {
  if (call.method !== 'GET' || call.key === undefined || call.rest !== '') return notHere(call);
  if (!mayAsk(call.caller, 'accounts')) return denied();
  const { value } = call.key;
  const found = findUser(value);
  if (found.kind !== 'user' && found.kind !== 'disabled') return notFound(value);
  const user = found.kind === 'user' ? found.user : userNamed(found.address);
  return answerOne({ ...userView(user), accountEnabled: found.kind === 'user' }, { set: 'users', type: 'user', filterable: ['id'] }, call);
}

/** `/directory/deletedItems`: apps that were deleted. They can be restored, and a second DELETE removes them for good. */
export function deletedItems(call: GraphCall, at: string): GraphAnswer {
  const reading = call.method === 'GET';
  if (!mayAsk(call.caller, reading ? 'read' : 'register')) return denied();
  if (call.key?.value !== 'deletedItems') return notHere(call);
  const [id = '', action = ''] = call.rest.split('/');
  const { state } = call;
  if (id === '' || id.toLowerCase() === 'microsoft.graph.application') {
    const rows = state.deletedApps.map((one) => applicationView(one.app, one.deletedAt));
    return reading ? answerList(rows, applicationEntity, call, at) : notHere(call);
  }
  const found = state.deletedApps.find((one) => sameId(registrationOf(one.app).objectId, id));
  if (found === undefined) return notFound(id);
  if (reading && action === '') return answerOne(applicationView(found.app, found.deletedAt), applicationEntity, call);
  if (!manages(call.caller, found.app)) return denied();
  state.deletedApps = state.deletedApps.filter((one) => one !== found);
  if (call.method === 'DELETE' && action === '') return noContent;
  if (call.method !== 'POST' || action !== 'restore') return badRequest(`There is no '${action}' of a deleted item.`);
  state.apps.push(found.app);
  return answerOne(applicationView(found.app), applicationEntity, call);
}
