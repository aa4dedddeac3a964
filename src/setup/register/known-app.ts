import type { Cloud, Tenant } from '../../core/cloud.ts';
import { Back, MailauthError } from '../../core/errors.ts';
import { checkClient } from '../../entra/client-check.ts';
import { appAt } from '../../oauth/oauth-app.ts';
import type { Said } from '../answers/said.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';

/** Where an app is looked for. */
export interface AppPlace {
  readonly cloud: Cloud;
  readonly tenant: Tenant;
}

/**
 * Asks Microsoft, without a person, whether it knows this app. undefined: it does, or nothing tells against it. Throws what tells against the
 * app for another reason than that it is unknown.
 */
async function unknownApp(clientId: string, { cloud, tenant }: AppPlace, deps: SetupDeps): Promise<MailauthError | undefined> {
  const place = { cloud, tenantId: tenant.id, endpoints: tenant.endpoints, registration: { clientId } };
  try {
    deps.report.progress('registration', 'started', 'Asking Microsoft about the app');
    await checkClient(await appAt(place, deps));
    return undefined;
  } catch (error) {
    if (error instanceof MailauthError && error.code === 'client-unknown') return error;
    throw error;
  } finally {
    deps.report.settle();
  }
}

/** The ID of an app that exists is looked at as soon as it is there. A person mends one that Microsoft does not know. Throws `Back`. */
export async function requireKnownApp(clientId: string, place: AppPlace, deps: SetupDeps, said: Said): Promise<void> {
  const refusal = await unknownApp(clientId, place, deps);
  if (refusal === undefined) return;
  deps.report.progress('registration', 'failed', refusal.title);
  said.change('clientId', clientId);
  throw new Back();
}

/**
 * The ID that a person has just copied from the portal: asked for again until Microsoft knows it, or the person says that it is right.
 * Throws `Back`, `Interrupted`.
 */
export async function askForApp(ask: (earlier: string | undefined) => Promise<string>, place: AppPlace, deps: SetupDeps): Promise<string> {
  let clientId = await ask(undefined);
  for (;;) {
    const refusal = await unknownApp(clientId, place, deps);
    if (refusal === undefined) return clientId;
    deps.report.progress('registration', 'failed', refusal.title);
    const chosen = await deps.ctx.prompts.select({ message: 'What now?', choices: afterUnknown, back: true });
    if (chosen === 'keep') return clientId;
    if (chosen === 'mend') clientId = await ask(clientId);
  }
}

const afterUnknown = [
  { value: 'mend', name: 'Mend the ID' },
  { value: 'again', name: 'Ask Microsoft again', description: 'an app that was registered a moment ago can take a minute' },
  { value: 'keep', name: 'It is right: go on' },
] as const;
