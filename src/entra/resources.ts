import * as z from 'zod/mini';
import { defined } from '../core/defined.ts';
import type { RegistrationPlan } from '../core/registration-plan.ts';
import type { Exists } from '../errors/catalogue/registration/graph-errors.ts';
import { problem } from '../errors/problem.ts';
import type { Graph } from './graph.ts';
import type { GraphAnswer } from './graph-answer.ts';
import { appRoleIds, permissionIds, type Resource, resourceIds } from './manifest.ts';
import { refusalProblem, rolesThat } from './refusals.ts';

/** The services that consent is given on, as this tenant has them. */
export interface Resources {
  /** object ids of their service principals; only those that were needed */
  readonly spIds: Partial<Record<Resource, string>>;
  readonly exchangeIds: Readonly<Record<string, string>>;
  /** of application permissions, where the plan has any */
  readonly roleIds?: Readonly<Record<string, string>>;
  /** names whose id in this tenant is another than in our table: worth a line in the log */
  readonly surprising: readonly string[];
}

const principal = z.object({ id: z.string().check(z.minLength(1)) });
const named = z.object({ id: z.string(), value: z.catch(z.nullish(z.string()), undefined) });
const published = z.object({
  id: z.string().check(z.minLength(1)),
  oauth2PermissionScopes: z.catch(z.array(named), []),
  appRoles: z.catch(z.array(named), []),
});

interface ResourceAnswers {
  readonly graph?: GraphAnswer;
  readonly exchange?: GraphAnswer;
}

/** Asks only for what the plan needs; judged later, when it is known what to say about the rest. */
export async function askResources(graph: Graph, plan: RegistrationPlan): Promise<ResourceAnswers> {
  const path = (resource: Resource, fields: string) => `/servicePrincipals(appId='${resourceIds[resource]}')?$select=${fields}`;
  const [ownGraph, exchange] = await Promise.all([
    plan.consent === 'admin' && plan.graphPermissions.length > 0 ? graph.get(path('graph', 'id,appId')) : undefined,
    exchangeFields(plan) === undefined ? undefined : graph.get(path('exchange', `id,appId,${exchangeFields(plan)}`)),
  ]);
  return { ...defined({ graph: ownGraph, exchange }) };
}

const exchangeFields = (plan: RegistrationPlan): string | undefined =>
  plan.appRoles !== undefined ? 'appRoles' : plan.exchangePermissions.length > 0 ? 'oauth2PermissionScopes' : undefined;

/** Throws `tenant-without-exchange`, `permission-unpublished` (6), or Graph's refusal. */
export function judgeResources(answers: ResourceAnswers, plan: RegistrationPlan, about: Exists & { who?: string | undefined }): Resources {
  const spIds: Partial<Record<Resource, string>> = {};
  if (answers.graph !== undefined) spIds.graph = read(principal, answers.graph, 'look up Microsoft Graph', about).id;
  if (answers.exchange === undefined) return { spIds, exchangeIds: permissionIds.exchange, surprising: [] };
  if (answers.exchange.kind === 'refused' && answers.exchange.status === 404) throw problem('tenant-without-exchange', about);
  const exchange = read(published, answers.exchange, 'look up Exchange Online', about);
  spIds.exchange = exchange.id;
  const wanted = plan.appRoles ?? plan.exchangePermissions;
  const ids: Record<string, string> = {};
  const list = plan.appRoles === undefined ? exchange.oauth2PermissionScopes : exchange.appRoles;
  for (const { id, value } of list) if (value) ids[value] = id;
  const names = wanted.filter((name) => ids[name] === undefined);
  if (names.length > 0) throw problem('permission-unpublished', { ...about, names });
  const ours = plan.appRoles === undefined ? permissionIds.exchange : appRoleIds;
  const surprising = wanted.filter((name) => ours[name] !== ids[name]);
  if (plan.appRoles !== undefined) return { spIds, exchangeIds: permissionIds.exchange, roleIds: ids, surprising };
  return { spIds, exchangeIds: ids, surprising };
}

function read<T>(schema: z.ZodMiniType<T>, answer: GraphAnswer, what: string, about: Exists & { who?: string | undefined }): T {
  if (answer.kind === 'refused') throw refusalProblem(answer, { ...about, what, roles: rolesThat.register });
  const parsed = schema.safeParse(answer.body);
  if (!parsed.success) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'A service principal without an id.' });
  return parsed.data;
}
