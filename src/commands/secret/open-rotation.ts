import * as z from 'zod/mini';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { mailauth } from '../../core/next.ts';
import type { SecretDeps } from '../../entra/app-secret.ts';
import { getRecordedApplication } from '../../entra/application.ts';
import { refusalProblem, rolesThat } from '../../entra/refusals.ts';
import { untilReplicatedWith } from '../../entra/replication.ts';
import { problem } from '../../errors/problem.ts';
import { Rotation } from '../../secrets/rotation.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { signInRun } from '../../session/sign-in-run.ts';
import { adminGraph, waitWords } from '../../setup/sign-in/admin-graph.ts';

/** Signs an administrator in and finds the app. Throws the sign-in's problems, `stored-secret-missing` (4), `app-gone` (1). */
export async function openRotation(session: Session, record: MailboxRecord): Promise<Rotation> {
  const { ctx, report } = session;
  const [box, cloud, store, { appOf }] = await Promise.all([
    session.sandbox(),
    session.cloud(record),
    session.store(record),
    import('../../tokens/refresh.ts'),
  ]);
  const run = signInRun(session, box);
  const app = await appOf(record, { ...run, cloud, store });
  const tenant = { id: record.tenantId, foundBy: record.tenantId, endpoints: app.endpoints };
  const again = mailauth('secret rotate', record.mailbox, { for: record.for });
  const deps: SecretDeps = {
    graph: await adminGraph(run, tenant, cloud, again, 'browser'),
    commands: { resume: again, undo: mailauth('logout', record.mailbox, { for: record.for, deleteApp: true }) },
    clock: ctx.clock,
    signal: ctx.signal,
    onWait: (reason, ms) => report.progress('secret', 'waiting', waitWords(reason, ms)),
  };
  const appObjectId = await objectIdOf(record, deps);
  return new Rotation(record, { ...deps, ctx, report, home: session.home, mailboxes: mailboxesOf(session), store, appObjectId, app });
}

async function objectIdOf({ mailbox, for: product, registration }: MailboxRecord, deps: SecretDeps): Promise<string> {
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
