import { belongsTo, registrationOf } from '../tenant/app-objects.ts';
import { findUser, isReady } from '../tenant/directory.ts';
import { servicePrincipalIdOf } from '../tenant/microsoft-resources.ts';
import type { App, Registration, State } from '../tenant/state-schema.ts';
import { type Edit, readApplicationBody } from './graph-application-body.ts';
import {
  badRequest,
  denied,
  type GraphAnswer,
  type GraphCall,
  graphError,
  manages,
  mayAsk,
  noContent,
  notFound,
  sameId,
} from './graph-call.ts';
import { answerCount, answerList, answerOne } from './graph-query.ts';
import { addPassword, isTooNew, removePassword } from './graph-secrets.ts';
import { applicationEntity, applicationView, userView } from './graph-view.ts';

/** How many calls do not find a new object, under the fault `graph-lag`. */
export const lagCalls = 2;

/** `/applications`, `/applications/{id}`, its actions and owners. `at`: the address of the collection, for next links. */
export function applications(call: GraphCall, at: string): GraphAnswer {
  const reading = call.method === 'GET';
  if (!mayAsk(call.caller, reading ? 'read' : 'register')) return denied();
  if (call.key === undefined) return collection(call, at);
  const { value } = call.key;
  const app = findByKey(call);
  if (app === undefined) return notFound(value);
  const { lag } = registrationOf(app);
  if (lag.application > 0 && !reading) {
    lag.application -= 1;
    return notFound(value);
  }
  if (reading) return readOne(call, app);
  if (!manages(call.caller, app)) return denied();
  switch (`${call.method} ${call.rest}`) {
    case 'PATCH ':
      return change(call, app);
    case 'DELETE ':
      return remove(call, app);
    case 'POST addPassword':
      return addPassword(call, app);
    case 'POST removePassword':
      return removePassword(call, app);
    default:
      return notHere(call);
  }
}

export function notHere(call: GraphCall): GraphAnswer {
  const what = [call.collection, call.rest].filter((part) => part !== '').join('/…/');
  return badRequest(
    `Resource not found for the segment '${what}' with ${call.method} (the sandbox has the part of Graph that registration needs).`,
  );
}

function collection(call: GraphCall, at: string): GraphAnswer {
  const rows = () =>
    call.state.apps.filter((app) => belongsTo(app, call.caller.tenantId)).map((app) => applicationView(settled(app, call)));
  switch (`${call.method} ${call.rest}`) {
    case 'GET ':
      return answerList(rows(), applicationEntity, call, at);
    case 'GET $count':
      return answerCount(rows(), applicationEntity, call);
    case 'POST ':
      return create(call);
    default:
      return notHere(call);
  }
}

/** The app as reads show it. */
const settled = (app: App, call: GraphCall): App => ({ ...app, secrets: app.secrets.filter((one) => !isTooNew(one, call)) });

function readOne(call: GraphCall, app: App): GraphAnswer {
  if (call.rest === '') {
    const withKeys = call.query.get('$select') === 'keyCredentials';
    return answerOne(applicationView(settled(app, call), undefined, withKeys), applicationEntity, call);
  }
  if (call.rest !== 'owners') return notHere(call);
  const { owner } = registrationOf(app);
  const found = owner === null ? undefined : findUser(owner);
  const value = found?.kind === 'user' ? [userView(found.user)] : [];
  return { status: 200, body: { '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#directoryObjects', value } };
}

function create(call: GraphCall): GraphAnswer {
  // By default every user may register apps. A tenant can restrict that to administrators (authorizationPolicy).
  if (call.fault === 'registration-forbidden' && call.caller.roles.length === 0) return denied();
  const edit = readApplicationBody(call.body, undefined);
  if ('status' in edit) return edit;
  const forbidden = audiencePolicy(call, edit.audience) ?? referencePolicy(call, edit) ?? certificatePolicy(call, edit);
  if (forbidden !== undefined) return forbidden;
  const behind = call.fault === 'graph-lag' ? lagCalls : 0;
  const app: App = {
    clientId: call.uuid(),
    name: edit.name,
    publicRedirects: edit.publicRedirects,
    webRedirects: edit.webRedirects,
    secrets: [],
    certificates: edit.certificates ?? [],
    registration: {
      ...registrationPart(edit),
      objectId: call.uuid(),
      createdAt: call.now,
      tenantId: call.caller.tenantId,
      owner: call.caller.address,
      lag: { application: behind, servicePrincipal: behind },
    },
  };
  call.state.apps.push(app);
  return answerOne(applicationView(app), applicationEntity, call, 201);
}

function change(call: GraphCall, app: App): GraphAnswer {
  const registration = registrationOf(app);
  const before: Edit = {
    ...registration,
    name: app.name,
    publicRedirects: app.publicRedirects,
    webRedirects: app.webRedirects,
    certificates: app.certificates,
  };
  const edit = readApplicationBody(call.body, before);
  if ('status' in edit) return edit;
  const forbidden = edit.audience === registration.audience ? undefined : audiencePolicy(call, edit.audience);
  if (forbidden !== undefined) return forbidden;
  app.name = edit.name;
  app.publicRedirects = edit.publicRedirects;
  app.webRedirects = edit.webRedirects;
  app.certificates = edit.certificates ?? [];
  app.registration = { ...registration, ...registrationPart(edit) };
  return noContent;
}

/** Moves an app to the deleted items, where it can be restored. Its service principal, grants and consents are deleted for good. */
function remove(call: GraphCall, app: App): GraphAnswer {
  const { state } = call;
  if (isReady(app.clientId)) return badRequest('The sandbox keeps its two ready applications.');
  forgetPrincipal(state, app);
  state.apps = state.apps.filter((one) => one !== app);
  state.deletedApps.push({ app, deletedAt: call.now });
  return noContent;
}

/** Deletes an app's service principal, with everything that was granted to it. */
export function forgetPrincipal(state: State, app: App): void {
  const principal = servicePrincipalIdOf(state, app.clientId);
  state.grants = state.grants.filter((one) => one.clientId !== principal);
  state.roleAssignments = state.roleAssignments.filter((one) => one.principalId !== principal);
  state.consents = state.consents.filter((one) => one.clientId !== app.clientId);
  state.servicePrincipals = state.servicePrincipals.filter((one) => one.appId !== app.clientId);
}

function audiencePolicy(call: GraphCall, audience: Registration['audience']): GraphAnswer | undefined {
  if (call.fault !== 'audience-forbidden' || audience === 'AzureADMyOrg') return undefined;
  const message = `The sign-in audience '${audience}' is not allowed as per assigned policy. Ask an administrator, or use 'AzureADMyOrg'.`;
  return graphError(400, 'SignInAudienceNotAllowedAsPerAppPolicy', message);
}

/** Recorded: Azure/azure-cli#30717. */
function referencePolicy(call: GraphCall, { others }: Edit): GraphAnswer | undefined {
  if (call.fault !== 'service-reference' || others.serviceManagementReference) return undefined;
  const message = 'ServiceManagementReference field is required for Create, but is missing in the request.';
  return graphError(400, 'ServiceTreeValueMissing', message);
}

const longestCertificateDays = 7;

function certificatePolicy(call: GraphCall, { certificates = [] }: Edit): GraphAnswer | undefined {
  const latest = call.now + longestCertificateDays * 86_400_000;
  if (call.fault !== 'certificate-lifetime-policy' || certificates.every((one) => one.expiresAt <= latest)) return undefined;
  return graphError(
    400,
    'CredentialInvalidLifetimeAsPerAppPolicy',
    'Credential lifetime exceeds the max value allowed as per assigned policy.',
  );
}

function findByKey({ key, state, caller }: GraphCall): App | undefined {
  if (key === undefined) return undefined;
  const own = state.apps.filter((app) => belongsTo(app, caller.tenantId));
  return own.find((app) => sameId(key.by === 'appId' ? app.clientId : registrationOf(app).objectId, key.value));
}

function registrationPart(edit: Edit): Omit<Registration, 'objectId' | 'createdAt' | 'tenantId' | 'owner' | 'lag'> {
  const { audience, publicFallback, tags, spaRedirects, implicit, permissions, tokenVersion, others } = edit;
  return { audience, publicFallback, tags, spaRedirects, implicit, permissions, tokenVersion, others };
}
