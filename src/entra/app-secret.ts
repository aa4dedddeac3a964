import * as z from 'zod/mini';
import { defined } from '../core/defined.ts';
import { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { rfc3339 } from '../core/time.ts';
import { problem } from '../errors/problem.ts';
import { type ExistingApplication, readApplication, type StoredCredential } from './application.ts';
import type { Graph } from './graph.ts';
import { type GraphAnswer, type GraphRefusal, says } from './graph-answer.ts';
import { passwordBody } from './manifest.ts';
import { refusalProblem, rolesThat } from './refusals.ts';
import { type AppWork, notYet, secretTries, type UntilReplicated, untilReplicatedWith } from './replication.ts';

export interface NewSecret {
  readonly secret: Secret;
  readonly keyId: string;
  /** RFC 3339, UTC */
  readonly endDateTime: string;
}

/** A client secret as Entra lists it: never its value. */
interface ListedSecret {
  readonly keyId: string;
  readonly displayName: string;
  readonly endDateTime?: string;
}

const appPath = (appObjectId: string): string => `/applications/${encodeURIComponent(appObjectId)}`;

interface Secrets {
  readonly secrets: readonly ListedSecret[];
  /** Entra's limit, if there is one: two with personal accounts (supported-accounts-validation) */
  readonly limit?: number;
  /** false: some of those that were waited for are still not shown */
  readonly isComplete: boolean;
}

/** Every secret of the app, whoever made it. `showing`: the list is asked for again while it leaves out one of these. */
export async function listSecrets(
  deps: AppWork,
  { appObjectId, showing = [] }: { appObjectId: string; showing?: readonly string[] },
): Promise<Secrets> {
  const path = `${appPath(appObjectId)}?$select=id,appId,signInAudience,passwordCredentials`;
  const { app, isComplete } = await appShowing(
    () => deps.graph.get(path),
    untilReplicatedWith(deps),
    showing,
    (answer) => refused(answer, 'read the application', deps),
  );
  const limit = secretLimit(app.signInAudience);
  return { secrets: app.passwordCredentials.map(listed), isComplete, ...defined({ limit }) };
}

/**
 * Reads an application until it shows these secrets; after a while as it is then. A list that shows the newest secret shows the older ones as
 * well.
 */
export async function appShowing(
  read: () => Promise<GraphAnswer>,
  untilReplicated: UntilReplicated,
  showing: readonly string[],
  fail: (answer: GraphRefusal) => Error,
): Promise<{ readonly app: ExistingApplication; readonly isComplete: boolean }> {
  let last: ExistingApplication | undefined;
  const answer = await untilReplicated(
    async () => {
      const got = await read();
      if (got.kind === 'refused') return got;
      const app = readApplication(got.body);
      if (app === undefined) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'The answer is not an application.' });
      last = app;
      const shown = app.passwordCredentials.map(({ keyId }) => keyId);
      return showing.every((keyId) => shown.includes(keyId)) ? { kind: 'ok' as const } : notYet;
    },
    showing.length === 0 ? undefined : secretTries,
  );
  if (last === undefined) throw fail(answer.kind === 'refused' ? answer : notYet);
  return { app: last, isComplete: answer.kind === 'ok' };
}

export const secretLimit = (signInAudience: string): number | undefined => (/Personal/.test(signInAudience) ? 2 : undefined);

function listed({ keyId, displayName, endDateTime }: StoredCredential): ListedSecret {
  return { keyId, displayName: plain(displayName ?? '', 120), ...(endDateTime ? { endDateTime } : {}) };
}

/**
 * One more secret, for a rotation; `onUnclear` as `addPassword`. Throws `secret-limit` (6) before anything is changed, and the policies'
 * problems.
 */
export async function addSecret(
  deps: AppWork,
  wanted: { appObjectId: string; displayName: string; months: number },
  onUnclear?: () => void,
): Promise<NewSecret> {
  const { secrets, limit } = await listSecrets(deps, wanted);
  if (limit !== undefined && secrets.length >= limit) throw problem('secret-limit', { ...deps.commands, exists: [], has: secrets.length });
  const named = { ...wanted, endDateTime: endOf(deps.clock.now(), wanted.months) };
  const answer = await addPassword(deps.graph, untilReplicatedWith(deps), named, onUnclear);
  if (answer.kind === 'refused') throw refused(answer, 'make a client secret', deps, wanted.months);
  return answer.made;
}

/** Removes a secret; it is not an error when it was removed already. The caller has proved before that the new one works. */
export async function removeSecret(
  deps: AppWork,
  { appObjectId, keyId }: { appObjectId: string; keyId: string },
): Promise<'removed' | 'already-gone'> {
  const answer = await removePassword(deps.graph, untilReplicatedWith(deps), appObjectId, keyId);
  if (answer === 'removed' || answer === 'already-gone') return answer;
  throw refused(answer, 'remove a client secret', deps);
}

/**
 * Display name of the secret that one rotation makes. Its random id tells it from every other secret, and its words tell it from the
 * secrets of a set-up, whose orphans are removed by another name (`secretName` in ensure-secret.ts). `startedAt`: RFC 3339.
 */
export const rotationName = ({ id, startedAt }: { readonly id: string; readonly startedAt: string }): string =>
  `${rotationWords} ${startedAt.slice(0, 10)} ${id}`;

const rotationWords = 'mailauth rotation';

/** The name of the rotation that made this secret; undefined: no rotation did, or it is not listed. */
export const rotationNameOf = (secrets: readonly ListedSecret[], keyId: string | undefined): string | undefined =>
  secrets.find((one) => one.keyId === keyId && one.displayName.startsWith(`${rotationWords} `))?.displayName;

interface Left {
  readonly left: readonly ListedSecret[];
  readonly removed: number;
  /** false: the list did not show all of `showing`, so that one more may live than it shows */
  readonly isComplete: boolean;
}

/**
 * Removes the secrets of this rotation whose value was lost: those with exactly its name, except `keep`. `name` undefined: the rotation that
 * made the first of `keep`. Other secrets of the app are never touched. Throws as `listSecrets` and `removeSecret`.
 */
export async function removeLost(
  deps: AppWork,
  { appObjectId, name, keep, showing }: { appObjectId: string; name?: string; keep: readonly string[]; showing: readonly string[] },
): Promise<Left> {
  const { secrets, isComplete } = await listSecrets(deps, { appObjectId, showing });
  const own = name ?? rotationNameOf(secrets, keep[0]);
  const lost = secrets.filter((one) => one.displayName === own && !keep.includes(one.keyId));
  for (const { keyId } of lost) await removeSecret(deps, { appObjectId, keyId });
  return { left: secrets.filter((one) => !lost.includes(one)), removed: lost.length, isComplete };
}

const refused = (answer: GraphRefusal, what: string, { commands, graph }: AppWork, secretMonths?: number) =>
  refusalProblem(answer, {
    ...commands,
    exists: [],
    what,
    roles: rolesThat.register.slice(1),
    who: graph.claims.opaque ? undefined : graph.claims.username,
    ...(secretMonths === undefined ? {} : { plan: { audience: 'single' as const, redirectUris: [], secretMonths } }),
  });

const added = z.object({
  secretText: z.string().check(z.minLength(1)),
  keyId: z.string().check(z.minLength(1)),
  endDateTime: z.catch(z.nullish(z.string()), undefined),
});

/**
 * `onUnclear`: called when an answer was lost, so the app may have one more secret than is known. The value is never in an error or a
 * log.
 */
export async function addPassword(
  graph: Graph,
  untilReplicated: UntilReplicated,
  wanted: { appObjectId: string; displayName: string; endDateTime: string },
  onUnclear?: () => void,
): Promise<{ readonly kind: 'ok'; readonly made: NewSecret } | GraphRefusal> {
  const lost = async () => onUnclear?.();
  const answer = await untilReplicated(() => graph.post(`${appPath(wanted.appObjectId)}/addPassword`, passwordBody(wanted), lost));
  if (answer.kind === 'refused') return answer;
  const read = added.safeParse(answer.body);
  if (!read.success) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'A client secret without a value.' });
  const { secretText, keyId, endDateTime } = read.data;
  return { kind: 'ok', made: { secret: new Secret(secretText), keyId, endDateTime: endDateTime ?? wanted.endDateTime } };
}

/** A secret that was made seconds ago is not found either: it is gone only when it is not found for a while. */
export async function removePassword(
  graph: Graph,
  untilReplicated: UntilReplicated,
  appObjectId: string,
  keyId: string,
): Promise<'removed' | 'already-gone' | GraphRefusal> {
  const answer = await untilReplicated(async () => {
    const got = await graph.post(`${appPath(appObjectId)}/removePassword`, { keyId });
    if (got.kind === 'refused' && got.status === 404) return { kind: 'ok' as const, isGone: true };
    return got.kind === 'refused' && says(got, 'No password credential found') ? notYet : got;
  }, secretTries);
  if (answer === notYet || (answer.kind === 'ok' && 'isGone' in answer)) return 'already-gone';
  return answer.kind === 'ok' ? 'removed' : answer;
}

/** `months` later, RFC 3339 in whole seconds; in a short month the 31st becomes the last day. `now`: milliseconds since the epoch. */
export function endOf(now: number, months: number): string {
  const start = new Date(now);
  const end = new Date(now);
  end.setUTCMonth(start.getUTCMonth() + months);
  if (end.getUTCDate() !== start.getUTCDate()) end.setUTCDate(0);
  return rfc3339(end.getTime());
}
