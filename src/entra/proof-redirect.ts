import { problem } from '../errors/problem.ts';
import { type ExistingApplication, readApplication } from './application.ts';
import { refusalProblem, rolesThat } from './refusals.ts';
import { type AppWork, untilReplicatedWith } from './replication.ts';

const pathOf = (appObjectId: string): string => `/applications/${encodeURIComponent(appObjectId)}`;

/**
 * Adds one exact Web redirect to this computer, for a proof. The caller has recorded it before, so that a crash cannot leave it
 * unnoticed.
 */
export async function addProofRedirect(deps: AppWork, appObjectId: string, uri: string): Promise<void> {
  const app = await read(deps, appObjectId);
  if (!app.web.redirectUris.includes(uri)) await write(deps, appObjectId, [...app.web.redirectUris, uri]);
}

/** Removes it again. Redirects that others added stay, and it is not an error when it was removed already. */
export async function removeProofRedirect(deps: AppWork, appObjectId: string, uri: string): Promise<void> {
  const app = await read(deps, appObjectId);
  if (app.web.redirectUris.includes(uri)) {
    const others = app.web.redirectUris.filter((other) => other !== uri);
    await write(deps, appObjectId, others);
  }
}

async function read(deps: AppWork, appObjectId: string): Promise<ExistingApplication> {
  const answer = await untilReplicatedWith(deps)(() => deps.graph.get(`${pathOf(appObjectId)}?$select=id,appId,web`));
  if (answer.kind === 'refused') throw refused(deps, answer);
  const app = readApplication(answer.body);
  if (app === undefined) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'The answer is not an application.' });
  return app;
}

async function write(deps: AppWork, appObjectId: string, redirectUris: readonly string[]): Promise<void> {
  const answer = await untilReplicatedWith(deps)(() => deps.graph.patch(pathOf(appObjectId), { web: { redirectUris } }));
  if (answer.kind === 'refused') throw refused(deps, answer);
}

function refused({ commands }: AppWork, answer: Parameters<typeof refusalProblem>[0]) {
  return refusalProblem(answer, { ...commands, exists: ['the application'], what: 'change its redirect URIs', roles: rolesThat.register });
}
