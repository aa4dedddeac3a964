import { defined } from '../core/defined.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { type ExistingApplication, getRecordedApplication, readApplication } from './application.ts';
import type { GraphAnswer, GraphRefusal } from './graph-answer.ts';
import { refusalProblem, rolesThat } from './refusals.ts';
import { type AppWork, fewTries, untilReplicatedWith } from './replication.ts';

interface Made {
  readonly appObjectId: string;
  readonly spObjectId?: string;
  readonly grantIds: readonly string[];
  /** `mailauth:<setup id>`: without it on the app nothing is deleted */
  readonly tag: string;
}

type Deletion = 'removed' | 'already-gone';
interface Deleted {
  readonly grants: readonly Deletion[];
  readonly servicePrincipal?: Deletion;
  readonly application: Deletion;
}

/** The app as it is now, so that the question can name it; undefined: it was deleted already. Its texts are as Graph sent them. */
export async function lookAtApp(deps: AppWork, appObjectId: string): Promise<ExistingApplication | undefined> {
  const answer = await getRecordedApplication(deps.graph, untilReplicatedWith(deps), appObjectId, 'id,appId,displayName,tags');
  if (answer.kind === 'refused' && answer.status === 404) return undefined;
  if (answer.kind === 'refused') throw refused(answer, 'read the application', deps, []);
  const app = readApplication(answer.body);
  if (app === undefined) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'The answer is not an application.' });
  return app;
}

/**
 * Takes back what mailauth made: grants, service principal, application, in this order, so that a stop in the middle never leaves a
 * grant without its app. It is not an error when a part was removed already. Throws `delete-not-ours` (1) before anything is removed,
 * `graph-role-missing` (6).
 * Entra keeps a deleted app restorable for 30 days.
 */
export async function deleteApp(deps: AppWork, made: Made): Promise<Deleted> {
  const app = await lookAtApp(deps, made.appObjectId);
  if (app !== undefined && !app.tags.includes(made.tag)) {
    throw problem('delete-not-ours', { clientId: plain(app.appId, 64), name: plain(app.displayName, 120) });
  }
  const left = [`the application ${made.appObjectId}`];
  const grants: Deletion[] = [];
  for (const id of made.grantIds)
    grants.push(await remove(deps, `/oauth2PermissionGrants/${encodeURIComponent(id)}`, 'withdraw the consent', left));
  const { spObjectId } = made;
  const servicePrincipal =
    spObjectId === undefined
      ? undefined
      : await remove(deps, `/servicePrincipals/${encodeURIComponent(spObjectId)}`, 'delete the service principal', left);
  const application =
    app === undefined
      ? 'already-gone'
      : // It was just read: a replica that does not find it has not seen it yet.
        await remove(deps, `/applications/${encodeURIComponent(made.appObjectId)}`, 'delete the application', left, fewTries);
  return { grants, application, ...defined({ servicePrincipal }) };
}

async function remove(deps: AppWork, path: string, what: string, left: readonly string[], tries = 0): Promise<Deletion> {
  const answer: GraphAnswer = await untilReplicatedWith(deps)(() => deps.graph.delete(path), tries);
  if (answer.kind === 'ok') return 'removed';
  if (answer.status === 404) return 'already-gone';
  throw refused(answer, what, deps, left);
}

/** A refusal, as a problem whose next step is the same command again. */
export function refused(answer: GraphRefusal, what: string, { commands, graph }: AppWork, exists: readonly string[]) {
  const about = {
    ...commands,
    exists,
    what,
    roles: rolesThat.register.slice(1),
    who: graph.claims.opaque ? undefined : graph.claims.username,
  };
  // The next step is the same command again, not a set-up.
  const again = { ...about, resume: commands.undo };
  return refusalProblem(answer, again);
}
