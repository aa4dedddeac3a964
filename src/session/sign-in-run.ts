import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { MailauthError } from '../core/errors.ts';
import { again } from '../core/next.ts';
import type { Run } from '../core/run-parts.ts';
import { problem } from '../errors/problem.ts';
import type { DeviceOptions } from '../oauth/device.ts';
import { entraProblem, readEntraError } from '../oauth/entra-error.ts';
import type { Sandbox } from '../sandbox/start-sandbox.ts';
import { canAsk } from './mailbox-argument.ts';
import type { Session } from './session.ts';

/**
 * What a command hands on when a person signs in: an administrator, or the person of the mailbox. `as`: whom the sandbox plays where the
 * page lets a person choose the account.
 */
export const signInRun = (session: Session, box: Sandbox | undefined, as?: string): Run => ({
  ctx: withApproval(session, box, as),
  report: session.report,
  canAsk: canAsk(session),
  stepTimeoutMs: session.stepTimeoutMs,
  browserTimeoutMs: session.browserTimeoutMs,
  network: () => session.network(),
});

/** Without `--timeout` a device code is waited for as long as it is valid. */
export const deviceOptions = (session: Session, box: Sandbox | undefined, qr: boolean): DeviceOptions => ({
  qr,
  waitMs: session.globals.timeoutMs,
  ...defined({ shown: deviceApproval(session, box) }),
});

/** Throws `usage` (exit 2) where `--qr` is given for a way to sign in that has no code. */
export function checkQr(qr: boolean, signIn: string | undefined): void {
  if (qr && signIn !== 'device')
    throw problem('usage', { message: '--qr goes with --sign-in device', help: again({ signIn: 'device', qr: true }) });
}

/** Where nobody can paste an address, nobody is told to, or waited for. Piped input is read with --json, but not with --no-input. */
export const canPaste = (session: Session): boolean => canAsk(session) || (!session.ctx.interactive && session.globals.inputOff !== true);

/** A launcher may show nothing (`BROWSER=/bin/true`, no screen behind it). A browser that is on its way has asked for the page by then. */
const patienceMs = 5_000;
/** Sandboxes whose page was not asked for in time: their launcher shows nothing, so the next sign-in does not wait again. */
const unseen = new WeakSet<Sandbox>();
/** Sandboxes of which it was said. */
const told = new WeakSet<Sandbox>();

function tellItself(box: Sandbox, report: Session['report']): void {
  if (!told.has(box)) report.note('No browser here: the sandbox approves each sign-in by itself (--yes).');
  told.add(box);
}

/**
 * `--sandbox --yes` must work on a machine without a browser: where none can be opened, does not start, or never asks for the page,
 * the sandbox plays the person and approves. With a real browser the person clicks. Outside the sandbox the context is left as it is.
 */
function withApproval({ ctx, globals, report }: Session, box: Sandbox | undefined, as: string | undefined): Context {
  if (box === undefined || !globals.yes) return ctx;
  const approve = async (url: string): Promise<void> => {
    tellItself(box, report);
    try {
      await box.approve(url, as);
    } catch (error) {
      throw error instanceof MailauthError ? asEntraWouldSay(error, url, box) : error;
    }
  };
  return {
    ...ctx,
    browser: {
      usable: true,
      get isStandIn() {
        return !ctx.browser.usable || unseen.has(box);
      },
      async open(url) {
        const shown = ctx.browser.usable && !unseen.has(box);
        const before = shown ? await box.pagesSeen() : 0;
        const outcome = shown ? await ctx.browser.open(url) : { kind: 'failed' as const, why: 'none here' };
        // Pages that Entra never sends back to the app (unknown app, approval needed) end the wait here instead of at the deadline.
        if (outcome.kind === 'failed') await approve(url);
        else approveUnseen(box, before, () => approve(url), ctx);
        return { kind: 'opened' };
      },
    },
  };
}

/** The same for a device code, which no browser of ours is opened for: a person with a browser has it first. */
function deviceApproval({ ctx, globals, report }: Session, box: Sandbox | undefined) {
  if (box === undefined || !globals.yes) return undefined;
  return async (verificationUri: string, userCode: string, as: string): Promise<void> => {
    const approve = async (): Promise<void> => {
      tellItself(box, report);
      await box.approveDevice(verificationUri, userCode, as);
    };
    if (ctx.browser.usable && !unseen.has(box)) approveUnseen(box, await box.pagesSeen(), approve, ctx);
    else await approve();
  };
}

/** Approves after a while, unless somebody has asked for a page since `before` was counted. It does not keep the command waiting. */
function approveUnseen(box: Sandbox, before: number, approve: () => Promise<void>, ctx: Context): void {
  const wait = async (): Promise<void> => {
    await ctx.clock.sleep(patienceMs, ctx.signal);
    if ((await box.pagesSeen()) > before) return;
    unseen.add(box);
    await approve();
  };
  wait().catch((error: unknown) => ctx.log(`sandbox approval: ${error instanceof Error ? error.message : 'failed'}`));
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
