import type { RegistrationPlan } from '../core/registration-plan.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import type { GraphCommands } from '../errors/catalogue/registration/graph-errors.ts';
import { problem } from '../errors/problem.ts';
import { differences, type ExistingApplication, readApplication } from './application.ts';
import { ensureAppRoles } from './ensure-app-roles.ts';
import { ensureGrants, type GrantIds } from './ensure-grants.ts';
import { ensureSecret } from './ensure-secret.ts';
import { ensureServicePrincipal } from './ensure-service-principal.ts';
import { findOwn, findTagged } from './find-own.ts';
import type { Graph, GraphRefusal } from './graph.ts';
import { applicationBody, type Resource } from './manifest.ts';
import { createPatience, fewTries, type PatienceDeps, type Patiently } from './patience.ts';
import { refusalProblem, rolesThat } from './refusals.ts';
import { askResources, judgeResources, type Resources } from './resources.ts';
import { checkRights } from './rights.ts';

export interface RegistrationDeps extends PatienceDeps {
  readonly graph: Graph;
  readonly commands: GraphCommands;
  /** into the store, together with its id: awaited before anything else happens, Microsoft shows the value only once */
  readonly keepSecret: (secret: Secret, about: { readonly keyId: string; readonly endDateTime: string }) => Promise<void>;
}

/** What earlier runs of this set-up recorded. */
export interface KnownRegistration {
  /** `creating` was recorded: the app may exist although its ids were never written down */
  readonly creating?: boolean;
  readonly appObjectId?: string;
  readonly appId?: string;
  readonly spObjectId?: string;
  /** of every secret of this app whose value we hold; all others of this set-up are orphans */
  readonly keyIds?: readonly string[];
  /** of an open rotation: still in a product, so neither an orphan nor ours to use */
  readonly keepKeyIds?: readonly string[];
}

/** A finished step; recorded before the next begins. */
export type RegistrationProgress =
  | { readonly step: 'creating' }
  | { readonly step: 'application'; readonly appObjectId: string; readonly appId: string }
  | { readonly step: 'service-principal'; readonly spObjectId: string }
  | { readonly step: 'grant'; readonly resource: Resource; readonly grantId: string }
  | { readonly step: 'secret'; readonly keyId: string; readonly endDateTime: string };

export interface RegisteredApp {
  readonly appObjectId: string;
  /** the client id */
  readonly appId: string;
  readonly spObjectId?: string;
  readonly grantIds: GrantIds;
  /** the live one: made now, or recorded before */
  readonly secret?: { readonly keyId: string; readonly endDateTime?: string };
  /** what this run changed in the tenant; empty: all was as planned */
  readonly changed: readonly Change[];
  /** Exchange Online permissions whose id differs from our table's */
  readonly surprising: readonly string[];
}

/** `application`: made; `application-changed`: it was there */
export type Change = 'application' | 'application-changed' | 'service-principal' | 'grant' | 'app-role' | 'secret' | 'orphan-secret';

/** One run of a registration: what its steps share. */
export interface Run {
  readonly deps: RegistrationDeps;
  readonly plan: RegistrationPlan;
  readonly known: KnownRegistration;
  readonly patiently: Patiently;
  readonly record: (progress: RegistrationProgress) => Promise<void>;
  /** what stands in the tenant, in words, for errors */
  readonly exists: string[];
  readonly changed: Set<Change>;
  fail(refusal: GraphRefusal, what: string, roles?: readonly string[]): Error;
}

/**
 * Makes the tenant as planned, or finds it so: application, service principal, tenant-wide grants, client secret. Safe to repeat after a
 * crash at any point: it finds its own app by recorded id, else by the plan's random tag (never by name), and completes it.
 * Throws the problems of `errors/catalogue/registration/graph-errors.ts`; what exists by then, and how to take it back, is in them.
 */
export async function registerApp(
  deps: RegistrationDeps,
  plan: RegistrationPlan,
  known: KnownRegistration,
  record: (progress: RegistrationProgress) => Promise<void>,
): Promise<RegisteredApp> {
  const run = startRun(deps, plan, known, record);
  checkRights(deps.graph.claims, plan, aboutNow(run));
  const [own, answers] = await Promise.all([findOwn(run), askResources(deps.graph, plan)]);
  if (own !== undefined && run.exists.length === 0) run.exists.push(`the application ${plain(own.appId, 64)}`);
  const resources = judgeResources(answers, plan, aboutNow(run));

  const app = own === undefined ? await create(run, resources) : await adjust(run, own, resources);
  const spObjectId = plan.audience === 'personal' ? undefined : await ensureServicePrincipal(run, app, own === undefined);
  const isNew = own === undefined || run.changed.has('service-principal');
  const grantIds = spObjectId === undefined ? {} : await ensureGrants(run, spObjectId, resources, isNew);
  if (spObjectId !== undefined) await ensureAppRoles(run, spObjectId, resources, isNew);
  const secret = await ensureSecret(run, app);
  return {
    appObjectId: app.id,
    appId: app.appId,
    grantIds,
    changed: [...run.changed],
    surprising: resources.surprising,
    ...(spObjectId === undefined ? {} : { spObjectId }),
    ...(secret === undefined ? {} : { secret }),
  };
}

function startRun(deps: RegistrationDeps, plan: RegistrationPlan, known: KnownRegistration, record: Run['record']): Run {
  const exists = known.appId === undefined ? [] : [`the application ${known.appId}`];
  const run: Run = {
    deps,
    plan,
    known,
    record,
    exists,
    patiently: createPatience(deps),
    changed: new Set(),
    fail: (refusal, what, roles = rolesThat.register) => refusalProblem(refusal, { ...aboutNow(run), what, roles, plan }),
  };
  return run;
}

function aboutNow({ deps, exists }: Pick<Run, 'deps' | 'exists'>) {
  const { claims } = deps.graph;
  return { ...deps.commands, exists: [...exists], who: claims.opaque ? undefined : claims.username };
}

async function create(run: Run, resources: Resources): Promise<ExistingApplication> {
  const { deps, plan } = run;
  await run.record({ step: 'creating' });
  // A lost answer is looked for by the tag before a second app could be made.
  const answer = await deps.graph.post('/applications', applicationBody(plan, resources.exchangeIds, resources.roleIds), () =>
    findTagged(run, fewTries),
  );
  if (answer.kind === 'refused') throw run.fail(answer, 'make the application');
  const app = readApplication(answer.body);
  if (app === undefined) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'A new application without an id.' });
  run.exists.push(`the application ${plain(app.appId, 64)}`);
  run.changed.add('application');
  await run.record({ step: 'application', appObjectId: app.id, appId: app.appId });
  return app;
}

async function adjust(run: Run, own: ExistingApplication, resources: Resources): Promise<ExistingApplication> {
  const patch = differences(own, run.plan, resources.exchangeIds, resources.roleIds);
  if (patch !== undefined) {
    const answer = await run.patiently(() => run.deps.graph.patch(`/applications/${encodeURIComponent(own.id)}`, patch));
    if (answer.kind === 'refused') throw run.fail(answer, 'change the application');
    run.changed.add('application-changed');
  }
  await run.record({ step: 'application', appObjectId: own.id, appId: own.appId });
  return own;
}
