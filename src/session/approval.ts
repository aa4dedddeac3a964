import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import { entraProblem, readEntraError } from '../oauth/entra-error.ts';
import type { Sandbox } from '../sandbox/start-sandbox.ts';
import type { Session } from './session.ts';

/** With a browser that shows nothing (a launcher without a screen behind it) the sandbox waits this long for a person. */
const patienceMs = 10_000;
const byItself = 'No browser here: the sandbox approves the sign-in by itself (--yes).';

/**
 * `--sandbox --yes` must work on a machine without a browser: where none can be opened, does not start, or never asks for the page,
 * the sandbox plays the person and approves. With a real browser the person clicks. Outside the sandbox the context is left as it is.
 */
export function withApproval({ ctx, globals, report }: Session, box: Sandbox | undefined): Context {
  if (box === undefined || !globals.yes) return ctx;
  const approve = async (url: string): Promise<void> => {
    report.note(byItself);
    try {
      await box.approve(url);
    } catch (error) {
      throw error instanceof MailauthError ? asEntraWouldSay(error, url, box) : error;
    }
  };
  return {
    ...ctx,
    browser: {
      usable: true,
      async open(url) {
        const outcome = ctx.browser.usable ? await ctx.browser.open(url) : { kind: 'failed' as const, why: 'none here' };
        // Pages that Entra never sends back to the app (unknown app, approval needed) end the wait here instead of at the deadline.
        if (outcome.kind === 'failed') await approve(url);
        else approveLater(() => box.pageSeen() || approve(url), ctx);
        return { kind: 'opened' };
      },
    },
  };
}

/** The same for a device code, which no browser of ours is opened for: a person with a browser has it first. */
export function deviceApproval({ ctx, globals, report }: Session, box: Sandbox | undefined) {
  if (box === undefined || !globals.yes) return undefined;
  return async (verificationUri: string, userCode: string, as: string): Promise<void> => {
    const approve = async (): Promise<void> => {
      report.note(byItself);
      await box.approveDevice(verificationUri, userCode, as);
    };
    if (ctx.browser.usable) approveLater(() => box.pageSeen() || approve(), ctx);
    else await approve();
  };
}

function approveLater(approve: () => unknown, ctx: Context): void {
  const timer = setTimeout(() => {
    Promise.resolve(approve()).catch((error: unknown) => ctx.log(`sandbox approval: ${error instanceof Error ? error.message : 'failed'}`));
  }, patienceMs);
  timer.unref();
}

/** The page the sandbox stopped at, as the diagnosis of a real sign-in. */
function asEntraWouldSay(stopped: MailauthError, url: string, box: Sandbox): MailauthError {
  const said = readEntraError({ error: 'server_error', error_description: stopped.detail.reply ?? '' });
  if (stopped.detail.aadsts === undefined || said === undefined) return stopped;
  const { searchParams } = new URL(url);
  return entraProblem(said, {
    cloud: box.cloud,
    tenant: box.tenant.id,
    clientId: searchParams.get('client_id') ?? '',
    scopes: (searchParams.get('scope') ?? '').split(' '),
    mailbox: searchParams.get('login_hint') ?? undefined,
  });
}
