import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { fold } from '../core/fold.ts';
import { isPlain } from '../core/plain-terminal.ts';
import type { Reporter } from '../core/run-parts.ts';
import { plain } from '../core/text.ts';
import { rfc3339 } from '../core/time.ts';
import { eraseLine, eraseRest, type Theme } from './theme.ts';

const secondMs = 1000;
const frameMs = 200;
const frames = { unicode: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'], ascii: [...'|/-\\'] };

/**
 * What is under way. On a terminal it is one grey line, from its second second on with a spinner and the seconds; its end replaces it.
 * A pipe or a log gets one line for each step that takes longer than a second.
 */
function ongoing({ err, env }: Pick<Context, 'err' | 'env'>, theme: Theme) {
  const animated = err.isTerminal && !isPlain(env);
  const wheel = theme.signs.busy === '…' ? frames.unicode : frames.ascii;
  let now: { readonly step: string; text: string; readonly began: number; drawn: boolean; readonly timer: NodeJS.Timeout } | undefined;
  const line = (sign: string, text: string, after: string) => theme.dim(`${sign} ${cut(text, err.columns - 3 - after.length)}${after}`);
  const draw = () => {
    if (now === undefined) return;
    const ms = performance.now() - now.began;
    const seconds = Math.floor(ms / secondMs);
    if (animated) {
      const sign = seconds < 1 ? theme.signs.busy : (wheel[Math.floor(ms / frameMs) % wheel.length] ?? '');
      const text = line(sign, now.text, seconds < 1 ? '' : `  ${seconds} s`);
      err.write(now.drawn ? `\r${text}${eraseRest}` : text);
      now.drawn = true;
    } else if (seconds >= 1 && !now.drawn) {
      now.drawn = true;
      err.write(`${theme.dim(`${theme.signs.busy} ${now.text}`)}\n`);
    }
  };
  const spin = () => {
    if (now !== undefined && performance.now() - now.began >= secondMs) draw();
  };
  return {
    /** The same step keeps its clock when its text changes. */
    begin(step: string, text: string): void {
      if (now?.step === step) now.text = text;
      else {
        this.end();
        // The process may end while this waits: the timer does not keep it.
        now = { step, text, began: performance.now(), drawn: false, timer: setInterval(spin, frameMs).unref() };
      }
      if (animated) draw();
    },
    end(): void {
      if (now === undefined) return;
      clearInterval(now.timer);
      if (animated) err.write(eraseLine);
      now = undefined;
    },
  };
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, Math.max(length - 1, 0))}…` : text);

/** Progress as a person reads it, on stderr. */
export function textReporter(ctx: Pick<Context, 'err' | 'env'>, globals: { quiet: boolean; verbose: boolean }, theme: Theme): Reporter {
  const { err } = ctx;
  const { signs } = theme;
  const ends = { done: theme.green(signs.ok), skipped: theme.dim(signs.skipped), failed: theme.red(signs.failed) };
  // Words are not torn at the edge of a screen; a pipe or a log gets whole lines.
  const folded = (text: string) => (err.isTerminal ? fold(text, err.columns, 2) : text);
  const work = ongoing(ctx, theme);
  const clear = () => work.end();
  return {
    progress(step, state, text) {
      if (globals.quiet) return;
      if (state === 'started') return work.begin(step, text);
      clear();
      if (state === 'waiting') err.write(`${theme.dim(`${signs.busy} ${folded(text)}`)}\n`);
      else err.write(`${ends[state]} ${folded(text)}\n`);
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
  let begun: string | undefined;
  return {
    progress(step, state, text) {
      // How far a step is moves a line on a terminal; a program is told once that it began.
      if (state === 'started' && begun === step) return;
      begun = state === 'started' ? step : undefined;
      line({ type: 'progress', step, state, text: plain(text) });
    },
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
