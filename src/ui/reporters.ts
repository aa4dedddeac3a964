import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { fold } from '../core/fold.ts';
import { isPlain } from '../core/plain-terminal.ts';
import type { Reporter } from '../core/run-parts.ts';
import { plain } from '../core/text.ts';
import { rfc3339 } from '../core/time.ts';
import { ongoing } from './ongoing.ts';
import type { Theme } from './theme.ts';

const withCommand = (text: string, command?: string): string => (command === undefined ? text : `${text} ${command}`);

/** Progress as a person reads it, on stderr. */
export function textReporter(
  ctx: Pick<Context, 'err' | 'env' | 'interactive'>,
  globals: { readonly quiet: boolean; readonly verbose: boolean; readonly noInput: boolean },
  theme: Theme,
): Reporter {
  const { err } = ctx;
  const { signs } = theme;
  const ends = { done: theme.green(signs.ok), skipped: theme.dim(signs.skipped), failed: theme.red(signs.failed) };
  // Words are not torn at the edge of a screen; a pipe or a log gets whole lines.
  const folded = (text: string) => (err.isTerminal ? fold(text, err.columns, 2) : text);
  const work = ongoing(ctx, theme);
  const clear = () => work.end();
  return {
    takesKeys: err.isTerminal && ctx.interactive && !isPlain(ctx.env) && !globals.quiet && !globals.noInput,
    isForPeople: true,
    progress(step, state, text) {
      if (globals.quiet) return;
      if (state === 'started') return work.begin(step, text);
      // What is said in the middle of a step does not end it.
      if (state === 'waiting') {
        work.above(`${theme.dim(`${signs.busy} ${folded(text)}`)}\n`, step);
        work.silently('Waiting');
        return;
      }
      clear();
      err.write(`${ends[state]} ${folded(text)}\n`);
    },
    busy(step, text) {
      if (!globals.quiet) work.begin(step, text);
    },
    async meanwhile(text, doing) {
      const end = globals.quiet ? () => undefined : work.silently(text);
      try {
        return await doing;
      } finally {
        end();
      }
    },
    waiting(wait) {
      if (!globals.quiet) work.wait(wait);
    },
    authorizationRequired(url, _expiresAt, userCode) {
      // From the first column and unbroken, so that a copy of its lines is one address; the same for the code.
      work.above(`\n${theme.cyan(url)}\n\n${userCode === undefined ? '' : `${theme.bold(userCode)}\n\n`}`);
    },
    note(text, command) {
      if (globals.quiet) return;
      const said = err.isTerminal && command !== undefined ? `${folded(text)}\n  ${command}` : folded(withCommand(text, command));
      work.above(`${theme.yellow(signs.warning)} ${said}\n`);
    },
    detail(text) {
      if (globals.verbose && !globals.quiet) work.above(`${theme.dim(`  ${text}`)}\n`);
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
  let begun: string | undefined;
  const progress: Reporter['progress'] = (step, state, text) => {
    // How far a step is moves a line on a terminal; a program is told once that it began.
    if (state === 'started' && begun === step) return;
    begun = state === 'started' ? step : undefined;
    line({ type: 'progress', step, state, text: plain(text) });
  };
  return {
    takesKeys: false,
    isForPeople: false,
    progress,
    busy: () => undefined,
    meanwhile: (_text, doing) => doing,
    waiting: ({ step, text }) => progress(step, 'started', text),
    authorizationRequired: (url, expiresAt, userCode) =>
      line({
        type: 'authorization_required',
        url,
        ...defined({ user_code: userCode }),
        expires_at: rfc3339(expiresAt),
      }),
    note: (text, command) => line({ type: 'progress', step: 'note', state: 'done', text: plain(withCommand(text, command)) }),
    detail: () => undefined,
    show: () => undefined,
    settle: () => undefined,
  };
}

/** One-shot commands with `--json`: notes and an address that a person must open go to stderr, progress is dropped. */
export function quietReporter(ctx: Pick<Context, 'err'>, globals: { quiet: boolean }): Reporter {
  let lead = 'Sign in:';
  return {
    takesKeys: false,
    isForPeople: false,
    busy: () => undefined,
    meanwhile: (_text, doing) => doing,
    waiting: () => undefined,
    // What is waited for is said before its address; alone it is progress.
    progress(_step, state, text) {
      if (state === 'waiting') lead = plain(text);
    },
    authorizationRequired: (url, _expiresAt, userCode) =>
      ctx.err.write(`${lead} ${url}${userCode === undefined ? '' : ` (code ${userCode})`}\n`),
    note(text, command) {
      if (!globals.quiet) ctx.err.write(`! ${plain(withCommand(text, command))}\n`);
    },
    detail: () => undefined,
    show: () => undefined,
    settle: () => undefined,
  };
}
