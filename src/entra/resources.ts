import * as z from 'zod/mini';
import type { RegistrationPlan } from '../core/registration-plan.ts';
import type { Exists } from '../diagnose/catalogue/graph.ts';
import { problem } from '../diagnose/problem.ts';
import type { Graph, GraphAnswer } from './graph.ts';
import { permissionIds, type Resource, resourceIds } from './manifest.ts';
import { refusalProblem, rolesThat } from './refusals.ts';

/** The services that consent is given on, as this tenant has them. */
export interface Resources {
  /** object ids of their service principals; only those that were needed */
  readonly spIds: Partial<Record<Resource, string>>;
  readonly exchangeIds: Readonly<Record<string, string>>;
  /** names whose id in this tenant is another than in our table: worth a line in the log */
  readonly surprising: readonly string[];
}

const principal = z.object({ id: z.string().check(z.minLength(1)) });
const published = z.object({
  id: z.string().check(z.minLength(1)),
  oauth2PermissionScopes: z.array(z.object({ id: z.string(), value: z.catch(z.nullish(z.string()), undefined) })),
});

export interface ResourceAnswers {
  readonly graph?: GraphAnswer;
  readonly exchange?: GraphAnswer;
}

/** Asks only for what the plan needs; judged later, when it is known what to say about the rest. */
export async function askResources(graph: Graph, plan: RegistrationPlan): Promise<ResourceAnswers> {
  const path = (resource: Resource, fields: string) => `/servicePrincipals(appId='${resourceIds[resource]}')?$select=${fields}`;
  const [ownGraph, exchange] = await Promise.all([
    plan.consent === 'admin' && plan.graphPermissions.length > 0 ? graph.get(path('graph', 'id,appId')) : undefined,
    plan.exchangePermissions.length > 0 ? graph.get(path('exchange', 'id,appId,oauth2PermissionScopes')) : undefined,
  ]);
  return { ...(ownGraph === undefined ? {} : { graph: ownGraph }), ...(exchange === undefined ? {} : { exchange }) };
}

/** Throws `tenant-without-exchange`, `permission-unpublished` (6), or Graph's refusal. */
export function judgeResources(answers: ResourceAnswers, plan: RegistrationPlan, about: Exists & { who?: string | undefined }): Resources {
  const spIds: Partial<Record<Resource, string>> = {};
  if (answers.graph !== undefined) spIds.graph = read(principal, answers.graph, 'look up Microsoft Graph', about).id;
  if (answers.exchange === undefined) return { spIds, exchangeIds: permissionIds.exchange, surprising: [] };
  if (answers.exchange.kind === 'refused' && answers.exchange.status === 404) throw problem('tenant-without-exchange', about);
  const exchange = read(published, answers.exchange, 'look up Exchange Online', about);
  spIds.exchange = exchange.id;
  const exchangeIds: Record<string, string> = {};
  for (const { id, value } of exchange.oauth2PermissionScopes) if (value) exchangeIds[value] = id;
  const names = plan.exchangePermissions.filter((name) => exchangeIds[name] === undefined);
  if (names.length > 0) throw problem('permission-unpublished', { ...about, names });
  const surprising = plan.exchangePermissions.filter((name) => permissionIds.exchange[name] !== exchangeIds[name]);
  return { spIds, exchangeIds, surprising };
}

function read<T>(schema: z.ZodMiniType<T>, answer: GraphAnswer, what: string, about: Exists & { who?: string | undefined }): T {
  if (answer.kind === 'refused') throw refusalProblem(answer, { ...about, what, roles: rolesThat.register });
  const parsed = schema.safeParse(answer.body);
  if (!parsed.success) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'A service principal without an id.' });
  return parsed.data;
}
