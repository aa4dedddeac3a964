import type { RegistrationPlan } from '../../core/registration-plan.ts';
import { type Adoptable, findAdoptable } from '../../entra/adoptable.ts';
import { differences, withKeys } from '../../entra/application.ts';
import type { Graph } from '../../entra/graph.ts';
import type { GraphCommands } from '../../errors/catalogue/registration/graph-errors.ts';
import { problem } from '../../errors/problem.ts';
import type { RegistrationStep } from './registration-step.ts';

/**
 * An app of the same name from elsewhere is never taken silently: anybody in a tenant may register one and plant a name. undefined: a new
 * one is made. Throws `app-exists` (3) where there is no person to ask and the app is not exactly as planned, or not this administrator's own.
 */
export async function adopt(
  graph: Graph,
  plan: RegistrationPlan,
  commands: GraphCommands,
  step: RegistrationStep,
): Promise<Adoptable | undefined> {
  const { ctx, report, canAsk } = step.deps;
  const found = await findAdoptable({ graph, commands }, { displayName: plan.displayName, tag: plan.tag });
  const [first] = found;
  if (first === undefined) return undefined;
  report.show(`\n  There is an app of this name already:\n${found.map(describe).join('\n')}\n`);
  if (canAsk) {
    const choices = [
      { value: 'new', name: 'Make a new one beside it' },
      ...found.map((app) => ({
        value: app.appId,
        name: `Use ${app.appId}`,
        description: 'it is changed to what is needed, and never deleted by mailauth',
      })),
    ];
    const chosen = await ctx.prompts.select({ message: 'What should happen?', choices, default: 'new' });
    return found.find((app) => app.appId === chosen);
  }
  const exact =
    found.length === 1 &&
    first.ownedBySignedIn &&
    differences(await withKeys(graph, first.application, plan), { ...plan, tag: first.application.tags[0] ?? plan.tag }) === undefined;
  if (exact) return first;
  throw problem('app-exists', {
    name: plan.displayName,
    appIds: found.map((app) => app.appId),
    mailbox: step.key.mailbox,
    for: step.key.for,
  });
}

function describe(app: Adoptable): string {
  return [
    `    ${app.appId}  "${app.displayName}"`,
    `      owner          ${app.owners.length === 0 ? 'none, or it cannot be read' : app.owners.map((o) => o.shown).join(', ')}`,
    `      redirect URIs  ${app.redirectUris.length === 0 ? 'none' : app.redirectUris.join(', ')}`,
    `      credentials    ${app.credentialCount}`,
  ].join('\n');
}
