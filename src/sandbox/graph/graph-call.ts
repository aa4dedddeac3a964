import { defined } from '../../core/defined.ts';
import type { FaultName } from '../faults/faults.ts';
import { effectiveRoles, findUser, homeTenantOf, type Role } from '../tenant/directory.ts';
import type { App, State } from '../tenant/state-schema.ts';
import type { AccessClaims } from '../tenant/tokens.ts';

/** Who calls Graph, read from the access token. */
export interface Caller {
  readonly address: string;
  readonly objectId: string;
  readonly displayName: string;
  /** the one that the token is for */
  readonly tenantId: string;
  readonly roles: readonly Role[];
  readonly scopes: ReadonlySet<string>;
}

/** What the address names inside a collection: `/applications/{id}` or `/applications(appId='{appId}')`. */
export interface Key {
  readonly by: 'id' | 'appId';
  readonly value: string;
}

/** Everything that a handler needs of a call. Handlers compute an answer and edit the state. They know no lock and no socket. */
export interface GraphCall {
  readonly method: string;
  readonly collection: string;
  readonly key: Key | undefined;
  /** what follows the key: `addPassword`, `owners` … or nothing */
  readonly rest: string;
  readonly query: URLSearchParams;
  /** header `ConsistencyLevel: eventual`, which `$count` and other advanced queries need */
  readonly eventual: boolean;
  /** the JSON body, or undefined */
  readonly body: unknown;
  readonly caller: Caller;
  readonly state: State;
  readonly fault: FaultName | undefined;
  /** milliseconds since the epoch */
  readonly now: number;
  readonly uuid: () => string;
  readonly bytes: (count: number) => Buffer;
}

/** `innerError` is added on the way out. `text`: an answer that is not JSON. */
export interface GraphAnswer {
  readonly status: number;
  readonly body?: object;
  readonly text?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly details?: readonly object[] };
  readonly headers?: Readonly<Record<string, string>>;
}

/** Graph's error (learn.microsoft.com/graph/errors). */
export function graphError(status: number, code: string, message: string, details?: readonly object[]): GraphAnswer {
  return { status, error: { code, message, ...defined({ details }) } };
}

export const badRequest = (message: string): GraphAnswer => graphError(400, 'Request_BadRequest', message);
export const denied = (): GraphAnswer =>
  graphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
export const conflict = (message: string): GraphAnswer => graphError(409, 'Request_MultipleObjectsWithSameKeyValue', message);
export const noContent: GraphAnswer = { status: 204 };

export function notFound(id: string): GraphAnswer {
  const message = `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`;
  return graphError(404, 'Request_ResourceNotFound', message);
}

/** The caller of an access token that we signed; undefined for app-only tokens and unknown users. */
export function callerOf(claims: AccessClaims, fault: FaultName | undefined): Caller | undefined {
  const found = findUser(claims.upn ?? '');
  if (found.kind !== 'user') return undefined;
  const { address, objectId, displayName } = found.user;
  const scopes = new Set((claims.scp ?? '').split(' '));
  return { address, objectId, displayName, tenantId: claims.tid ?? homeTenantOf(address), roles: effectiveRoles(address, fault), scopes };
}

const everything = 'Directory.AccessAsUser.All';

/** Does the token carry a permission that allows this: reading, registering, or granting? */
export function mayAsk(caller: Caller, what: 'read' | 'register' | 'grant' | 'assign' | 'policy' | 'accounts'): boolean {
  const wanted = {
    read: ['Application.Read.All', 'Application.ReadWrite.All', 'Directory.Read.All'],
    register: ['Application.ReadWrite.All'],
    grant: ['DelegatedPermissionGrant.ReadWrite.All'],
    assign: ['AppRoleAssignment.ReadWrite.All'],
    policy: ['Policy.Read.All'],
    accounts: ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All'],
  }[what];
  return [everything, ...wanted].some((scope) => caller.scopes.has(scope));
}

/** Administrators manage every app, other users those that they own. */
export function manages(caller: Caller, app: App): boolean {
  return caller.roles.length > 0 || app.registration?.owner === caller.address;
}

/** An app's id as the address gives it: client id or object id, in any case. */
export function sameId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
