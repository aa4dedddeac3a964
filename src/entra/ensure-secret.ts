import { problem } from '../errors/problem.ts';
import { addPassword, appShowing, endOf, removePassword, secretLimit } from './app-secret.ts';
import type { ExistingApplication, StoredCredential } from './application.ts';
import type { RegistrationRun } from './registration-run.ts';

/** Prefix of the names of this set-up's secrets. A secret with this prefix that is not recorded was lost in a crash. */
export const secretName = (tag: string): string => `mailauth ${tag.replace(/^mailauth:/, '')}`;

/**
 * Makes sure of one live client secret whose value the store holds. Orphans of this set-up (made by a run that stopped before it stored
 * them) are removed first. Secrets of others are never touched. Throws `secret-limit`, `secrets-forbidden`, `secret-lifetime-forbidden`
 * (6).
 */
export async function ensureSecret(run: RegistrationRun, found: ExistingApplication): Promise<LiveSecret | undefined> {
  const { plan, deps, known } = run;
  if (plan.secretMonths === undefined) return undefined;
  const app = await withHeldSecrets(run, found);
  const kept = await withoutOrphans(run, app, spared(run));
  const now = deps.clock.now();
  const live = kept.find((one) => known.keyIds?.includes(one.keyId) && Date.parse(one.endDateTime ?? '') > now);
  if (live !== undefined) return { keyId: live.keyId, ...(live.endDateTime ? { endDateTime: live.endDateTime } : {}) };

  const limit = secretLimit(app.signInAudience);
  if (limit !== undefined && kept.length >= limit) {
    throw problem('secret-limit', { ...deps.commands, exists: [...run.exists], has: kept.length });
  }
  return makeSecret(run, app, plan.secretMonths);
}

interface LiveSecret {
  readonly keyId: string;
  readonly endDateTime?: string;
  /** Graph did not show it for a while, so that one whose value was lost may live beside it */
  readonly isUnsure?: boolean;
}

/** The app with the secrets whose values the store holds. A read of a moment ago may leave them out; after a while they are gone. */
async function withHeldSecrets(run: RegistrationRun, app: ExistingApplication): Promise<ExistingApplication> {
  const shown = app.passwordCredentials.map(({ keyId }) => keyId);
  const held = run.known.keyIds ?? [];
  if (run.changed.has('application') || held.every((keyId) => shown.includes(keyId))) return app;
  return (await readShowing(run, app.id, held)).app;
}

const readShowing = (run: RegistrationRun, appObjectId: string, showing: readonly string[]) =>
  appShowing(
    () => run.deps.graph.get(`/applications/${encodeURIComponent(appObjectId)}?$select=id,appId,signInAudience,passwordCredentials`),
    run.untilReplicated,
    showing,
    (answer) => run.fail(answer, 'read the application'),
  );

async function makeSecret(run: RegistrationRun, app: ExistingApplication, months: number): Promise<LiveSecret> {
  const { plan, deps } = run;
  const wanted = { appObjectId: app.id, displayName: secretName(plan.tag), endDateTime: endOf(deps.clock.now(), months) };
  let unclear = false;
  const answer = await addPassword(deps.graph, run.untilReplicated, wanted, () => {
    unclear = true;
  });
  if (answer.kind === 'refused') throw run.fail(answer, 'make a client secret');
  const { secret, keyId, endDateTime } = answer.made;
  await deps.keepSecret(secret, { keyId, endDateTime });
  run.changed.add('secret');
  run.exists.push('a client secret');
  await run.record({ step: 'secret', keyId, endDateTime });
  // An earlier run may have been stopped before it stored a secret that a read of a moment ago did not show.
  const isResumed = !run.changed.has('application');
  if (!unclear && !isResumed) return { keyId, endDateTime };
  const isComplete = await sweep(run, app.id, keyId);
  return { keyId, endDateTime, ...(isComplete ? {} : { isUnsure: true }) };
}

const spared = ({ known }: RegistrationRun): readonly string[] => [...(known.keyIds ?? []), ...(known.keepKeyIds ?? [])];

/** A secret may exist whose value is lost: it is removed. `live` has taken the place of every other one. False: Graph does not show `live` yet. */
async function sweep(run: RegistrationRun, appObjectId: string, live: string): Promise<boolean> {
  const { app, isComplete } = await readShowing(run, appObjectId, [live]);
  await withoutOrphans(run, app, [...(run.known.keepKeyIds ?? []), live]);
  return isComplete;
}

async function withoutOrphans(
  run: RegistrationRun,
  app: ExistingApplication,
  keyIds: readonly string[],
): Promise<readonly StoredCredential[]> {
  const name = secretName(run.plan.tag);
  const kept: StoredCredential[] = [];
  for (const one of app.passwordCredentials) {
    if (keyIds.includes(one.keyId) || one.displayName?.startsWith(name) !== true) {
      kept.push(one);
      continue;
    }
    const answer = await removePassword(run.deps.graph, run.untilReplicated, app.id, one.keyId);
    if (answer !== 'removed' && answer !== 'already-gone') throw run.fail(answer, 'remove a client secret whose value was lost');
    run.changed.add('orphan-secret');
  }
  return kept;
}
