import type { Context } from '../core/context.ts';
import { fold } from '../core/fold.ts';
import { isPlain } from '../core/plain-terminal.ts';
import type { Wait } from '../core/run-parts.ts';
import { stopwatch } from '../core/time.ts';
import { eraseBelow, eraseRest, lineUp, type Theme } from './theme.ts';

const secondMs = 1000;
const frameMs = 200;
/** How long a screen may stand still where nothing says what is under way. */
const silentMs = 600;
/** How often a plain terminal is told again that something goes on. */
const plainMs = 30_000;
const frames = { unicode: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'], ascii: [...'|/-\\'] };

interface Work {
  readonly step: string;
  text: string;
  /** where somebody is waited for */
  readonly wait?: Wait;
  readonly began: number;
  readonly timer: NodeJS.Timeout;
  /** how often a terminal that is not redrawn was told */
  told: number;
  /** nothing says that it begins, so it is shown only once it takes long, and in no log */
  readonly isSilent?: boolean;
}

export interface Ongoing {
  /** The same step keeps its clock when its text changes. */
  begin(step: string, text: string): void;
  wait(wait: Wait): void;
  /** What is under way where nothing else is, until the end that it answers is called. */
  silently(text: string): () => void;
  /** Writes lines above what is under way. Another step than `step` ends; without a step nothing ends. */
  above(text: string, step?: string): void;
  end(): void;
}

/**
 * What is under way. On a terminal it is one grey line, from its second second on with a wheel and the seconds; where somebody is waited
 * for, a line with time and limit, and one of keys. Its end takes it away. A pipe or a log gets one line for each step that takes longer
 * than a second, a terminal that is not to be redrawn one more every half a minute.
 */
export function ongoing({ err, env }: Pick<Context, 'err' | 'env'>, theme: Theme): Ongoing {
  const isAnimated = err.isTerminal && !isPlain(env);
  const wheel = theme.signs.busy === '…' ? frames.unicode : frames.ascii;
  let work: Work | undefined;
  let drawn: readonly string[] = [];
  let drawnColumns = err.columns;

  const erase = (): void => {
    if (drawn.length > 0) err.write(eraseAll(drawn, err.columns));
    drawn = [];
  };
  const draw = (now: Work): void => {
    // Terminals keep in mind which rows were wrapped until these are erased.
    if (err.columns !== drawnColumns) erase();
    drawnColumns = err.columns;
    const lines = linesOf(now, performance.now() - now.began, { wheel, busy: theme.signs.busy, columns: err.columns });
    const painted = lines.map((line, i) => `${now.wait !== undefined && i === 0 ? line : theme.dim(line)}${eraseRest}`);
    err.write(`${toTop(drawn, err.columns)}${painted.join('\n')}${drawn.length > lines.length ? eraseBelow : ''}`);
    drawn = lines;
  };
  const tell = (now: Work): void => {
    const ms = performance.now() - now.began;
    const times = ms < secondMs ? 0 : 1 + (err.isTerminal ? Math.floor(ms / plainMs) : 0);
    if (times <= now.told) return;
    now.told = times;
    const passed = err.isTerminal && now.wait !== undefined ? ` (${timeOf(now.wait, ms)})` : '';
    const line = `${theme.signs.busy} ${now.text}${passed}`;
    err.write(`${theme.dim(err.isTerminal ? fold(line, err.columns, 2) : line)}\n`);
  };
  const tick = (): void => {
    if (work === undefined) return;
    if (!isAnimated) tell(work);
    else if (work.wait !== undefined || performance.now() - work.began >= (work.isSilent === true ? silentMs : secondMs)) draw(work);
  };
  const start = (step: string, text: string, more: Pick<Work, 'wait' | 'isSilent'> = {}): void => {
    end();
    // The process may end while this waits: the timer does not keep it.
    work = { step, text, began: performance.now(), told: 0, timer: setInterval(tick, frameMs).unref(), ...more };
    if (isAnimated && more.isSilent !== true) draw(work);
  };
  const end = (): void => {
    clearInterval(work?.timer);
    work = undefined;
    erase();
  };
  return {
    begin(step, text) {
      if (work?.step !== step || work.wait !== undefined) return start(step, text);
      work.text = text;
      if (isAnimated) draw(work);
    },
    wait: (wait) => start(wait.step, wait.text, { wait }),
    silently(text) {
      if (work !== undefined || !err.isTerminal) return () => undefined;
      start('', text, { isSilent: true });
      const mine = work;
      return () => {
        if (work === mine) end();
      };
    },
    above(text, step) {
      if (step !== undefined && work?.step !== step) end();
      erase();
      err.write(text);
      if (work !== undefined && isAnimated && work.isSilent !== true) draw(work);
    },
    end,
  };
}

/** `0:14 of 10:00` */
const timeOf = ({ limitMs, leftMs }: Wait, ms: number): string =>
  `${stopwatch(Math.min(limitMs - leftMs + ms, limitMs))} of ${stopwatch(limitMs)}`;

interface Look {
  readonly wheel: readonly string[];
  readonly busy: string;
  readonly columns: number;
}

/** Each line is narrower than the terminal: one that fills it may be wrapped. */
function linesOf({ text, wait }: Work, ms: number, { wheel, busy, columns }: Look): readonly string[] {
  const sign = wheel[Math.floor(ms / frameMs) % wheel.length] ?? busy;
  const room = columns - 3;
  if (wait === undefined) {
    const after = ms < secondMs ? '' : `  ${Math.floor(ms / secondMs)} s`;
    return [`${ms < secondMs ? busy : sign} ${cut(text, room - after.length)}${after}`];
  }
  const time = ` · ${timeOf(wait, ms)}`;
  return [`${sign} ${cut(wait.live, room - time.length)}${time}`, ...inRows(wait.keys ?? [], room).map((row) => `  ${row}`)];
}

/** As many of `parts` in a row as it has room for; one that is longer than a row goes on in the next. */
function inRows(parts: readonly string[], room: number): readonly string[] {
  const rows: string[] = [];
  for (const part of parts) {
    const joined = rows.length === 0 ? part : `${rows.at(-1)} · ${part}`;
    if (rows.length > 0 && joined.length <= room) rows[rows.length - 1] = joined;
    else rows.push(part);
  }
  return rows.flatMap((row) => fold(row, room).split('\n'));
}

/** Cut between words. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const part = text.slice(0, Math.max(length - 1, 0));
  return `${part.replace(/\s+\S*$/, '')}…`;
}

/**
 * From the end of these lines to the beginning of the first. A terminal that became narrower since they were drawn has wrapped them, as the
 * usual ones do.
 */
function toTop(lines: readonly string[], columns: number): string {
  return `${lineUp.repeat(Math.max(rowsOf(lines, columns) - 1, 0))}\r`;
}

const rowsOf = (lines: readonly string[], columns: number): number =>
  lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0);

/** One row alone: tmux takes what is erased from the top of the screen on for a page that was left, and keeps it in its history. */
const eraseAll = (lines: readonly string[], columns: number): string =>
  rowsOf(lines, columns) === 1 ? `\r${eraseRest}` : `${toTop(lines, columns)}${eraseBelow}`;
