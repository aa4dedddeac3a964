import type { Cloud } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { led, mailauth, plus } from '../../core/next.ts';
import { discoverTenant } from '../../entra/discovery.ts';
import { appWithTag } from '../../entra/find-own.ts';
import { type AppWork, fewTries } from '../../entra/replication.ts';
import { deleteApp, lookAtApp } from '../../entra/undo.ts';
import { problem } from '../../errors/problem.ts';
import { canAsk } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { signInRun } from '../../session/sign-in-run.ts';
import { adminGraph, waitWords } from '../../setup/sign-in/admin-graph.ts';

/** What mailauth made for one mailbox, from its record or from the notes of an interrupted set-up. */
export interface MadeApp {
  readonly mailbox: string;
  readonly for: string;
  readonly tenant: string;
  readonly cloud: Cloud;
  readonly tag: string;
  /** it may exist although its ids were never written down */
  readonly creating?: boolean;
  readonly appObjectId?: string;
  readonly spObjectId?: string;
  readonly grantIds: readonly string[];
}

/**
 * Removes a registration that mailauth made: asks for the app's name (`--yes` answers), signs an administrator in, takes back grants,
 * service principal and application. The files of this computer are not touched: `logout` removes them afterwards.
 */
export async function deleteRegistration(session: Session, made: MadeApp): Promise<'removed' | 'already-gone'> {
  const { ctx, globals, report } = session;
  const undo = mailauth('logout', made.mailbox, { for: made.for, deleteApp: true });
  if (!globals.yes && !canAsk(session)) {
    throw problem('needs-yes', { what: 'Deleting the app in the tenant', command: plus(undo, { yes: true }) });
  }
  report.busy('delete-app', 'Asking Microsoft about the tenant');
  const [box, network, cloud] = await Promise.all([session.sandbox(), session.network(), session.cloud(made)]);
  const tenant = await discoverTenant({ network, cloud, domainOrId: made.tenant, timeoutMs: session.stepTimeoutMs, signal: ctx.signal });
  const byHand = [
    'Somebody else can delete the app by hand: Entra > App registrations > All applications.',
    led('Without deleting it, forget it on this computer', mailauth('logout', made.mailbox, { for: made.for })),
  ];
  const graph = await adminGraph(signInRun(session, box), { tenant, cloud, again: undo, otherWays: byHand, method: 'browser' });
  const commands = { resume: mailauth('setup', { resume: true, mailbox: made.mailbox, for: made.for }), undo };
  const undoing: AppWork = {
    graph,
    commands,
    clock: ctx.clock,
    signal: ctx.signal,
    onWait: (reason, ms) => report.progress('delete-app', 'waiting', waitWords(reason, ms)),
  };
  const appObjectId = made.appObjectId ?? (await appWithTag(undoing, made.tag, made.creating === true ? fewTries : 0));
  const app = appObjectId === undefined ? undefined : await lookAtApp(undoing, appObjectId);
  if (appObjectId === undefined || app === undefined) {
    report.progress('delete-app', 'skipped', 'The app is gone already');
    return 'already-gone';
  }
  if (!globals.yes) {
    const name = app.displayName;
    await ctx.prompts.text({
      message: `Type the app's name to delete it (${name}):`,
      check: (value) => value === name || `type ${name}, or press Ctrl-C to keep it`,
    });
  }
  const { spObjectId, grantIds, tag } = made;
  const deleted = await deleteApp(undoing, { appObjectId, grantIds, tag, ...defined({ spObjectId }) });
  report.progress('delete-app', 'done', `App ${app.appId} removed from the tenant (restorable there for 30 days)`);
  return deleted.application;
}
