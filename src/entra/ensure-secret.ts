import { problem } from '../errors/problem.ts';
import { addPassword, endOf, removePassword, secretLimit } from './app-secret.ts';
import type { ExistingApplication, StoredCredential } from './application.ts';
import { readApplication } from './application.ts';
import type { RegistrationRun } from './registration-run.ts';

/** Prefix of the names of this set-up's secrets. A secret with this prefix that is not recorded was lost in a crash. */
export const secretName = (tag: string): string => `mailauth ${tag.replace(/^mailauth:/, '')}`;

/**
 * Makes sure of one live client secret whose value the store holds. Orphans of this set-up (made by a run that stopped before it stored
 * them) are removed first. Secrets of others are never touched. Throws `secret-limit`, `secrets-forbidden`, `secret-lifetime-forbidden`
 * (6).
 */
export async function ensureSecret(
  run: RegistrationRun,
  app: ExistingApplication,
): Promise<{ readonly keyId: string; readonly endDateTime?: string } | undefined> {
  const { plan, deps, known } = run;
  if (plan.secretMonths === undefined) return undefined;
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

async function makeSecret(run: RegistrationRun, app: ExistingApplication, months: number): Promise<{ keyId: string; endDateTime: string }> {
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
  if (unclear) await sweep(run, app.id, [...spared(run), keyId]);
  return { keyId, endDateTime };
}

const spared = ({ known }: RegistrationRun): readonly string[] => [...(known.keyIds ?? []), ...(known.keepKeyIds ?? [])];

/** After a lost answer the secret may exist although its value is lost: such a secret is removed. */
async function sweep(run: RegistrationRun, appObjectId: string, keyIds: readonly string[]): Promise<void> {
  const answer = await run.deps.graph.get(`/applications/${encodeURIComponent(appObjectId)}?$select=id,appId,passwordCredentials`);
  const app = answer.kind === 'ok' ? readApplication(answer.body) : undefined;
  if (app !== undefined) await withoutOrphans(run, app, keyIds);
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
    const answer = await removePassword(run.deps.graph, app.id, one.keyId);
    if (answer !== 'removed' && answer !== 'already-gone') throw run.fail(answer, 'remove a client secret whose value was lost');
    run.changed.add('orphan-secret');
  }
  return kept;
}
