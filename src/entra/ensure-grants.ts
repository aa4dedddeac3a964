import { ensureGrant, type Grant, grantsOf } from './grants.ts';
import type { Resource } from './manifest.ts';
import { rolesThat } from './refusals.ts';
import type { Run } from './registration.ts';
import type { Resources } from './resources.ts';

export type GrantIds = Partial<Record<Resource, string>>;

const names: Readonly<Record<Resource, string>> = { graph: 'Microsoft Graph', exchange: 'Exchange Online' };

/** Consent for the whole tenant on each resource of the plan, one after the other. `isNew`: there can be no grant yet. */
export async function ensureGrants(run: Run, clientSpId: string, resources: Resources, isNew: boolean): Promise<GrantIds> {
  const { plan, deps } = run;
  if (plan.consent !== 'admin') return {};
  const present = isNew ? [] : await presentGrants(run, clientSpId);
  const wanted = [
    { resource: 'graph', scopes: plan.graphPermissions },
    { resource: 'exchange', scopes: plan.exchangePermissions },
  ] as const;
  const ids: GrantIds = {};
  for (const { resource, scopes } of wanted) {
    const resourceSpId = resources.spIds[resource];
    if (resourceSpId === undefined || scopes.length === 0) continue;
    const outcome = await ensureGrant(deps.graph, run.patiently, { clientSpId, resourceSpId, scopes }, present);
    if (outcome.kind === 'refused') throw run.fail(outcome, `consent on ${names[resource]} for the whole tenant`, rolesThat.consent);
    if (outcome.change !== 'none') run.changed.add('grant');
    ids[resource] = outcome.grantId;
    run.exists.push(`the consent on ${names[resource]}`);
    await run.record({ step: 'grant', resource, grantId: outcome.grantId });
  }
  return ids;
}

async function presentGrants(run: Run, clientSpId: string): Promise<readonly Grant[]> {
  const grants = await grantsOf(run.deps.graph, clientSpId);
  if ('kind' in grants) throw run.fail(grants, 'read the consent of this tenant', rolesThat.consent);
  return grants;
}
