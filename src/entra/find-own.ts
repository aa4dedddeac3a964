import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { applicationFields, type ExistingApplication, getRecordedApplication, readApplication } from './application.ts';
import { quoted } from './graph.ts';
import type { RegistrationRun } from './registration-run.ts';
import { type AppWork, fewTries, notYet, untilReplicatedWith } from './replication.ts';
import { refused } from './undo.ts';

/**
 * The app that an earlier run of this set-up made, found by its recorded object id, else by the set-up's tag. When an earlier run recorded
 * that the app should exist, it is asked for again and again: that run may have been stopped a second ago. Throws
 * `registration-ambiguous` when the tag was copied.
 */
export async function findOwn(run: RegistrationRun): Promise<ExistingApplication | undefined> {
  const { appObjectId, creating } = run.known;
  if (appObjectId !== undefined) {
    const answer = await getRecordedApplication(run.deps.graph, run.untilReplicated, appObjectId);
    if (answer.kind === 'ok') return readApplication(answer.body) ?? unreadable();
    if (answer.status !== 404) throw run.fail(answer, 'read the application');
    // The app was deleted in the meantime: begin again.
    run.exists.length = 0;
    return findTagged(run, 0);
  }
  return findTagged(run, creating === true ? fewTries : 0);
}

/**
 * Found by the exact tag and nothing else, because a name proves nothing. `$filter` on tags is answered by the directory itself, not by
 * its index.
 */
export async function findTagged(run: RegistrationRun, tries: number): Promise<ExistingApplication | undefined> {
  const path = `/applications?$filter=tags/any(t:t%20eq%20${quoted(run.plan.tag)})&$select=${applicationFields}`;
  const answer = await run.untilReplicated(async () => {
    const listed = await run.deps.graph.list(path);
    if (listed.kind === 'refused') return listed;
    const apps = listed.items.map((item) => readApplication(item) ?? unreadable()).filter((app) => app.tags.includes(run.plan.tag));
    return apps.length === 0 ? notYet : { kind: 'ok' as const, apps };
  }, tries);
  if (answer === notYet) return undefined;
  if (answer.kind === 'refused') throw run.fail(answer, 'list applications');
  const [app, ...more] = answer.apps;
  if (more.length > 0) {
    throw problem('registration-ambiguous', { ...run.deps.commands, appIds: answer.apps.map((one) => plain(one.appId, 64)) });
  }
  return app;
}

function unreadable(): never {
  throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'The answer is not an application.' });
}

/**
 * Object id of the app that carries this tag, to take back what was made; undefined: no app carries it. `tries`: how often to ask again,
 * for an app that a run may have made a second ago. Throws the refusal's problem, and `registration-ambiguous` when the tag was copied.
 */
export async function appWithTag(deps: AppWork, tag: string, tries: number): Promise<string | undefined> {
  const { graph } = deps;
  const path = `/applications?$filter=tags/any(t:t%20eq%20${quoted(tag)})&$select=id,appId,tags`;
  const answer = await untilReplicatedWith(deps)(async () => {
    const listed = await graph.list(path);
    if (listed.kind === 'refused') return listed;
    const apps = listed.items.flatMap((item) => readApplication(item) ?? []).filter((app) => app.tags.includes(tag));
    return apps.length === 0 ? notYet : { kind: 'ok' as const, apps };
  }, tries);
  if (answer === notYet) return undefined;
  if (answer.kind === 'refused') throw refused(answer, 'list applications', deps, []);
  const [app, ...more] = answer.apps;
  if (more.length > 0)
    throw problem('registration-ambiguous', {
      ...deps.commands,
      resume: deps.commands.undo,
      appIds: answer.apps.map((one) => plain(one.appId, 64)),
    });
  return app?.id;
}
