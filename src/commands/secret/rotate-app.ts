import * as z from 'zod/mini';
import type { MailauthError } from '../../core/errors.ts';
import type { MailboxKey, MailboxRecord } from '../../core/mailbox.ts';
import { type Command, led, mailauth, type NextStep } from '../../core/next.ts';
import { getRecordedApplication } from '../../entra/application.ts';
import type { Graph } from '../../entra/graph.ts';
import { refusalProblem, rolesThat } from '../../entra/refusals.ts';
import { type AppWork, untilReplicatedWith } from '../../entra/replication.ts';
import { problem } from '../../errors/problem.ts';
import { isSameKey, usersOf, withAppLocked } from '../../secrets/app-users.ts';
import type { RedMailbox } from '../../secrets/rotating-users.ts';
import { Rotation } from '../../secrets/rotation.ts';
import { alone, rotationNotes } from '../../secrets/rotation-notes.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { signInRun } from '../../session/sign-in-run.ts';
import { tokenOf } from '../../session/token-for.ts';
import { journals } from '../../setup/journal/journal-file.ts';
import { adminGraph, waitWords } from '../../setup/sign-in/admin-graph.ts';

/** Has this set-up a client secret that can be rotated? A certificate is renewed by whoever made it. */
export const isRotatable = ({ registration }: MailboxRecord): boolean =>
  registration.clientType === 'confidential' && registration.certificateThumbprint === undefined;

/** Every set-up that has the client secret of this one's app, in the order of their files. */
export const rotatedWith = (records: readonly MailboxRecord[], named: MailboxRecord): readonly MailboxRecord[] =>
  usersOf(records, named).filter(isRotatable);

/**
 * Works on one app while no set-up and no other rotation changes it, with its set-ups as they are then. Throws `rotation-busy`, `app-busy` (5).
 */
export async function onApp<T>(session: Session, named: MailboxRecord, work: (users: readonly MailboxRecord[]) => Promise<T>): Promise<T> {
  const files = mailboxesOf(session);
  const { clientId, shared } = named.registration;
  const run = async (): Promise<T> => {
    const users = rotatedWith((await files.listMailboxes()).records, named);
    const waiting = shared === true ? await setUpsWith(session, clientId) : [];
    const keys = [...users, ...waiting.filter((key) => !users.some((user) => isSameKey(user, key)))];
    return alone(session, keys, async () => {
      // Read again under the locks: another process may have changed them.
      const now = await Promise.all(users.map(async (user) => (await files.readMailbox(user)) ?? user));
      return work(now);
    });
  };
  return shared === true ? withAppLocked(session, named, 0, run) : run();
}

/** Set-ups that are not finished and will sign in with this app: one that is under way knows the client secret that is in force now. */
async function setUpsWith({ ctx, home }: Session, clientId: string): Promise<readonly MailboxKey[]> {
  return (await journals(ctx, home).all()).flatMap(({ answers: { mailbox, for: product }, app, registration }) =>
    mailbox !== undefined && product !== undefined && (app?.clientId ?? registration?.appId)?.toLowerCase() === clientId.toLowerCase()
      ? [{ mailbox, for: product }]
      : [],
  );
}

/** How a rotation is opened: which command it belongs to, and whose sign-in as administrator it uses. */
export interface Opening {
  /** the command that is running */
  readonly again: Command;
  /** an administrator of the tenant who has signed in already, where one has */
  readonly graphOf?: (tenantId: string, signIn: () => Promise<Graph>) => Promise<Graph>;
  /** each mailbox gets a token with the new secret before the old one goes */
  readonly provesMailboxes: boolean;
}

/** Signs an administrator in and finds the app. Throws the sign-in's problems, `stored-secret-missing` (4), `app-gone` (1). */
export async function openRotation(session: Session, users: readonly MailboxRecord[], opening: Opening): Promise<Rotation> {
  const [record] = users;
  if (record === undefined) throw new Error('an app that no mailbox uses');
  const { ctx, report } = session;
  const [box, inForce, store, { appOf }] = await Promise.all([
    session.sandbox(),
    session.inForce(record),
    session.store(record),
    import('../../tokens/refresh.ts'),
  ]);
  const run = signInRun(session, box);
  const { cloud } = inForce;
  report.busy('secret', 'Asking Microsoft about the tenant');
  const app = await appOf(record, { ...run, ...inForce, store });
  const tenant = { id: record.tenantId, foundBy: record.tenantId, endpoints: app.endpoints };
  const { again, graphOf = (_, signIn) => signIn() } = opening;
  const signIn = () => adminGraph(run, { tenant, cloud, again, otherWays: byHand(record), method: 'browser' });
  const deps: AppWork = {
    graph: await graphOf(record.tenantId, signIn),
    commands: { resume: again, undo: mailauth('logout', record.mailbox, { for: record.for, deleteApp: true }) },
    clock: ctx.clock,
    signal: ctx.signal,
    onWait: (reason, ms) => report.progress('secret', 'waiting', waitWords(reason, ms)),
  };
  const appObjectId = await objectIdOf(record, deps);
  return new Rotation(users, {
    ...deps,
    ...{ ctx, report, home: session.home, mailboxes: mailboxesOf(session), store, appObjectId, app },
    storeOf: (user) => session.store(user),
    ...(opening.provesMailboxes && { proveMailbox: (user: MailboxRecord) => prove(session, user) }),
  });
}

async function prove(session: Session, user: MailboxRecord): Promise<void> {
  const now = (await mailboxesOf(session).readMailbox(user)) ?? user;
  await tokenOf(session, now, { minValidityMs: 0, force: true });
}

/** The mailboxes that are red, as one error: with the exit code that all of them share, else 1. */
export function redError(clientId: string, red: readonly RedMailbox[]): MailauthError | undefined {
  const [first] = red;
  if (first === undefined) return undefined;
  const { mailbox, for: product } = first.record;
  const lines = red.map(({ record, error }) => `${record.mailbox} (${error.title})`);
  const exits = new Set(red.map(({ error }) => error.exit));
  const words = problem('rotation-red', { clientId, lines, mailbox, for: product });
  return exits.size === 1 ? words.but({ exit: first.error.exit }) : words;
}

/** The rotation without mailauth's own access to the tenant: by a person in the portal, who need not be the operator. */
const byHand = ({ mailbox, for: product, registration: { clientId } }: MailboxRecord): readonly NextStep[] => [
  `Somebody else can make the new client secret by hand: Entra > App registrations > ${clientId} > Certificates & secrets.`,
  led('Its value then goes in with', mailauth('setup', { mailbox, for: product, clientId, clientSecretFile: '-' })),
];

async function objectIdOf({ mailbox, for: product, registration }: MailboxRecord, deps: AppWork): Promise<string> {
  const { made, clientId } = registration;
  const { graph } = deps;
  const known = made?.applicationObjectId;
  const answer =
    known === undefined
      ? await graph.get(`/applications(appId='${encodeURIComponent(clientId)}')?$select=id,appId`)
      : await getRecordedApplication(graph, untilReplicatedWith(deps), known, 'id,appId');
  const read = answer.kind === 'ok' ? z.object({ id: z.string() }).safeParse(answer.body) : undefined;
  if (read?.success === true) return read.data.id;
  if (answer.kind === 'ok' || answer.status === 404) throw problem('app-gone', { mailbox, for: product, clientId });
  const who = graph.claims.opaque ? undefined : graph.claims.username;
  throw refusalProblem(answer, { ...deps.commands, exists: [], what: 'read the application', roles: rolesThat.register.slice(1), who });
}

/** A rotation that was not finished: the old secret is still there, or a run was stopped in the middle. */
export async function isOpen({ ctx, home }: Session, users: readonly MailboxRecord[]): Promise<boolean> {
  if (users.some(({ registration }) => registration.oldSecretKeyId !== undefined)) return true;
  const [first] = users;
  return first !== undefined && (await rotationNotes(ctx, home).read(first)) !== undefined;
}
