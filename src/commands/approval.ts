import type { Context } from '../core/context.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Session } from './session.ts';

/** With a browser that shows nothing (a launcher without a screen behind it) the sandbox waits this long for a person. */
const patienceMs = 10_000;

/**
 * `--sandbox --yes` must work on a machine without a browser: where none can be opened, does not start, or never asks for the page,
 * the sandbox plays the person and approves. With a real browser the person clicks. Outside the sandbox the context is left as it is.
 */
export function withApproval({ ctx, globals, report }: Session, box: Sandbox | undefined): Context {
  if (box === undefined || !globals.yes) return ctx;
  const approve = (url: string) => {
    report.note('No browser here: the sandbox approves the sign-in by itself (--yes).');
    // Its failure reaches the operator as what the listener was told, or as the deadline.
    box.approve(url).catch((error: unknown) => ctx.log(`sandbox approval failed: ${error instanceof Error ? error.message : 'unknown'}`));
  };
  return {
    ...ctx,
    browser: {
      usable: true,
      async open(url) {
        const outcome = ctx.browser.usable ? await ctx.browser.open(url) : { kind: 'failed' as const, why: 'none here' };
        if (outcome.kind === 'failed') approve(url);
        else {
          const timer = setTimeout(() => {
            if (!box.pageSeen()) approve(url);
          }, patienceMs);
          timer.unref();
        }
        return { kind: 'opened' };
      },
    },
  };
}
