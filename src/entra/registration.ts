import { defined } from '../core/defined.ts';
import type { RegistrationPlan } from '../core/registration-plan.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { differences, type ExistingApplication, readApplication, switchedOffBy, withKeys } from './application.ts';
import { ensureSecret } from './ensure-secret.ts';
import { ensureAppRoles, ensureServicePrincipal } from './ensure-service-principal.ts';
import { findOwn, findTagged } from './find-own.ts';
import { ensureGrants, type GrantIds } from './grants.ts';
import { applicationBody } from './manifest.ts';
import {
  aboutNow,
  type Change,
  type KnownRegistration,
  type RegistrationDeps,
  type RegistrationProgress,
  type RegistrationRun,
  startRun,
} from './registration-run.ts';
import { fewTries } from './replication.ts';
import { askResources, judgeResources, type Resources } from './resources.ts';
import { checkRights } from './rights.ts';

export interface RegisteredApp {
  readonly appObjectId: string;
  /** the client id */
  readonly appId: string;
  readonly spObjectId?: string;
  readonly grantIds: GrantIds;
  /** the live one: made now, or recorded before */
  readonly secret?: { readonly keyId: string; readonly endDateTime?: string; readonly isUnsure?: boolean };
  /** what this run changed in the tenant; empty: all was as planned */
  readonly changed: readonly Change[];
  /** Exchange Online permissions whose id differs from our table's */
  readonly surprising: readonly string[];
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
  const by = own === undefined ? undefined : await switchedOffBy(deps.graph, own);
  if (own !== undefined && by !== undefined) throw problem('app-switched-off', { ...aboutNow(run), clientId: plain(own.appId, 64), by });
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
    ...defined({ spObjectId, secret }),
  };
}

async function create(run: RegistrationRun, resources: Resources): Promise<ExistingApplication> {
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

async function adjust(run: RegistrationRun, own: ExistingApplication, resources: Resources): Promise<ExistingApplication> {
  const patch = differences(await withKeys(run.deps.graph, own, run.plan), run.plan, resources.exchangeIds, resources.roleIds);
  if (patch !== undefined) {
    const answer = await run.untilReplicated(() => run.deps.graph.patch(`/applications/${encodeURIComponent(own.id)}`, patch));
    if (answer.kind === 'refused') throw run.fail(answer, 'change the application');
    run.changed.add('application-changed');
  }
  await run.record({ step: 'application', appObjectId: own.id, appId: own.appId });
  return own;
}
