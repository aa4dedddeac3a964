import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { fold } from '../core/fold.ts';
import type { Reporter } from '../core/run-parts.ts';
import { plain } from '../core/text.ts';
import { rfc3339 } from '../core/time.ts';
import { eraseLine, type Theme } from './theme.ts';

/** On a terminal a step in progress is one grey line that its end replaces; elsewhere only ends are printed. */
export function textReporter(ctx: Pick<Context, 'err' | 'env'>, globals: { quiet: boolean; verbose: boolean }, theme: Theme): Reporter {
  const { err } = ctx;
  const { signs } = theme;
  const ends = { done: theme.green(signs.ok), skipped: theme.dim(signs.skipped), failed: theme.red(signs.failed) };
  // Words are not torn at the edge of a screen; a pipe or a log gets whole lines.
  const folded = (text: string) => (err.isTerminal ? fold(text, err.columns, 2) : text);
  const animated = err.isTerminal && ctx.env.TERM !== 'dumb';
  let pending = false;
  const clear = () => {
    if (pending) err.write(eraseLine);
    pending = false;
  };
  return {
    progress(_step, state, text) {
      if (globals.quiet) return;
      clear();
      if (state === 'waiting') err.write(`${theme.dim(`${signs.busy} ${folded(text)}`)}\n`);
      else if (state !== 'started') err.write(`${ends[state]} ${folded(text)}\n`);
      else if (animated) {
        err.write(theme.dim(`${signs.busy} ${text}`.slice(0, err.columns - 1)));
        pending = true;
      }
    },
    authorizationRequired(url, _expiresAt, userCode) {
      clear();
      // From the first column and unbroken, so that a copy of its lines is one address; the same for the code.
      err.write(`\n${theme.cyan(url)}\n\n${userCode === undefined ? '' : `${theme.bold(userCode)}\n\n`}`);
    },
    note(text) {
      if (globals.quiet) return;
      clear();
      err.write(`${theme.yellow(signs.warning)} ${folded(text)}\n`);
    },
    detail(text) {
      if (!globals.verbose || globals.quiet) return;
      clear();
      err.write(`${theme.dim(`  ${text}`)}\n`);
    },
    show(text) {
      clear();
      err.write(text.endsWith('\n') ? text : `${text}\n`);
    },
    settle: clear,
  };
}

/** `setup --json` and `login --json`: one object a line on stdout. */
export function jsonLinesReporter(ctx: Pick<Context, 'out'>): Reporter {
  const line = (value: unknown) => ctx.out.write(`${JSON.stringify(value)}\n`);
  return {
    progress: (step, state, text) => line({ type: 'progress', step, state, text: plain(text) }),
    authorizationRequired: (url, expiresAt, userCode) =>
      line({
        type: 'authorization_required',
        url,
        ...defined({ user_code: userCode }),
        expires_at: rfc3339(expiresAt),
      }),
    note: (text) => line({ type: 'progress', step: 'note', state: 'done', text: plain(text) }),
    detail: () => undefined,
    show: () => undefined,
    settle: () => undefined,
  };
}

/** One-shot commands with `--json`: notes and an address that a person must open go to stderr, progress is dropped. */
export function quietReporter(ctx: Pick<Context, 'err'>, globals: { quiet: boolean }): Reporter {
  let lead = 'Sign in:';
  return {
    // What is waited for is said before its address; alone it is progress.
    progress(_step, state, text) {
      if (state === 'waiting') lead = plain(text);
    },
    authorizationRequired: (url, _expiresAt, userCode) =>
      ctx.err.write(`${lead} ${url}${userCode === undefined ? '' : ` (code ${userCode})`}\n`),
    note(text) {
      if (!globals.quiet) ctx.err.write(`! ${plain(text)}\n`);
    },
    detail: () => undefined,
    show: () => undefined,
    settle: () => undefined,
  };
}
