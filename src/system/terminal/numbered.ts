import { createInterface } from 'node:readline';
import { Back, Interrupted } from '../../core/errors.ts';
import { fold } from '../../core/fold.ts';
import type {
  Asked,
  Choice,
  ChoiceQuestion,
  SeveralQuestion,
  TextQuestion,
  TypedQuestion,
  YesOrNoQuestion,
} from '../../core/prompts-port.ts';

/** Where a question is written and answered. */
export interface QuestionPlace {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  /** the lines of the question are taken away when it ends */
  readonly clearPromptOnDone: boolean;
}

/** A pasted text comes in one burst. Its lines are one answer. */
const pasteGapMs = 120;

/**
 * The same questions for a terminal that cannot redraw and for screen readers: each is a line, choices have numbers, and Enter ends every
 * answer. The terminal itself edits the line.
 */
export async function askText(q: TextQuestion, at: QuestionPlace): Promise<string> {
  // A line of a plain terminal cannot be filled in: the text is what Enter takes.
  const usual = q.filledIn ?? q.default;
  for (;;) {
    at.output.write(
      `${q.message}${usual === undefined ? '' : ` [${usual}]`}${backHint(q)}${q.message.endsWith(':') && usual === undefined ? '' : ':'} `,
    );
    const typed = backOr(q, (await readLines(at, q.wrapped === true)).trim());
    const answer = typed === '' ? (usual ?? '') : typed;
    const verdict = q.check?.(answer) ?? true;
    if (verdict === true) return answer;
    complain(verdict, at);
  }
}

export async function askSecret(q: TypedQuestion, at: QuestionPlace): Promise<string> {
  for (;;) {
    at.output.write(`${q.message} (not shown)${backHint(q)}: `);
    const answer = backOr(q, (await readHidden(at)).trim());
    const verdict = q.check?.(answer) ?? true;
    if (verdict === true) return answer;
    complain(verdict, at);
  }
}

export async function askChoice<T extends string>(q: ChoiceQuestion<T>, at: QuestionPlace): Promise<T> {
  const usual = Math.max(
    0,
    q.choices.findIndex(({ value }) => value === q.default),
  );
  listChoices(q, at);
  for (;;) {
    at.output.write(`Number, 1 to ${q.choices.length} [${usual + 1}]${backHint(q)}: `);
    const typed = backOr(q, (await readLines(at)).trim());
    const chosen = typed === '' ? q.choices[usual] : chosenBy(typed, q.choices);
    if (chosen !== undefined) return chosen.value;
    complain(`there is no number ${typed}`, at);
  }
}

export async function askSeveral<T extends string>(q: SeveralQuestion<T>, at: QuestionPlace): Promise<readonly T[]> {
  listChoices(q, at);
  const usual = q.choices.flatMap(({ value }, i) => (q.default.includes(value) ? [i + 1] : [])).join(',');
  for (;;) {
    at.output.write(`Numbers, with commas between them [${usual}]${backHint(q)}: `);
    const typed = backOr(q, (await readLines(at)).trim()) || usual;
    const chosen = typed.split(',').map((word) => chosenBy(word.trim(), q.choices)?.value);
    const known = chosen.filter((value) => value !== undefined);
    if (known.length === chosen.length) return known;
    complain(`numbers from 1 to ${q.choices.length}, with commas between them`, at);
  }
}

export async function askYesOrNo(q: YesOrNoQuestion, at: QuestionPlace): Promise<boolean> {
  for (;;) {
    at.output.write(`${q.message} (${q.default ? 'Y/n' : 'y/N'})${backHint(q)} `);
    const typed = backOr(q, (await readLines(at)).trim().toLowerCase());
    if (typed === '') return q.default;
    if (/^y(es)?$/.test(typed)) return true;
    if (/^no?$/.test(typed)) return false;
    complain('y or n', at);
  }
}

const backHint = ({ back }: Asked): string => (back === true ? ' (< goes back)' : '');

/** The terminal hands over Esc as a character of the line. */
const escapeCode = 27;

function backOr({ back }: Asked, typed: string): string {
  if (back === true && (typed === '<' || (typed.length === 1 && typed.charCodeAt(0) === escapeCode))) throw new Back();
  return typed;
}

const complain = (verdict: string, { output }: QuestionPlace): void => void output.write(`  Not taken: ${verdict}\n`);

function listChoices({ message, choices }: Omit<ChoiceQuestion<string>, 'default'>, { output }: QuestionPlace): void {
  const digits = String(choices.length).length;
  const lines = choices.map(({ name, description }, i) => {
    const said = description === undefined ? name : `${name}: ${description}`;
    return `  ${String(i + 1).padStart(digits)}. ${fold(said, output.columns ?? 80, digits + 4)}`;
  });
  output.write(`${message}\n${lines.join('\n')}\n`);
}

/** By its number, its value or its name. */
const chosenBy = <T extends string>(typed: string, choices: readonly Choice<T>[]): Choice<T> | undefined =>
  /^\d+$/.test(typed)
    ? choices[Number(typed) - 1]
    : choices.find(({ value, name }) => [value, name.toLowerCase()].includes(typed.toLowerCase()));

/** One line, or with `whole` all that is pasted in one go. */
function readLines({ input, signal }: QuestionPlace, whole = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const reader = createInterface({ input, terminal: false });
    let quiet: NodeJS.Timeout | undefined;
    const end = (settle: () => void): void => {
      clearTimeout(quiet);
      signal.removeEventListener('abort', stopped);
      reader.removeAllListeners();
      reader.close();
      settle();
    };
    const stopped = (): void => end(() => reject(signal.reason));
    reader.on('line', (line) => {
      lines.push(line);
      clearTimeout(quiet);
      const done = (): void => end(() => resolve(lines.join('\n')));
      if (whole) quiet = setTimeout(done, pasteGapMs);
      else done();
    });
    reader.on('close', () => end(() => reject(new Interrupted())));
    signal.addEventListener('abort', stopped, { once: true });
    if (signal.aborted) stopped();
  });
}

/** Enter; Ctrl-C and Ctrl-D. */
const ends: ReadonlyMap<string, 'taken' | 'left'> = new Map([
  ['\r', 'taken'],
  ['\n', 'taken'],
  ['\u0003', 'left'],
  ['\u0004', 'left'],
]);
const withoutLast = (typed: string): string => typed.slice(0, -1);
/** Backspace in its two kinds, and Ctrl-U. */
const erases: ReadonlyMap<string, (typed: string) => string> = new Map([
  ['\u007f', withoutLast],
  ['\b', withoutLast],
  ['\u0015', () => ''],
]);

/** One line that the terminal does not show. */
function readHidden({ input, output, signal }: QuestionPlace): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = '';
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', stopped);
      input.off('data', read).pause();
      if (input.isTTY) input.setRawMode(false);
      output.write('\n');
      settle();
    };
    const stopped = (): void => end(() => reject(signal.reason));
    const read = (chunk: unknown): void => {
      for (const key of String(chunk)) {
        const over = ends.get(key);
        if (over !== undefined) {
          end(() => (over === 'taken' ? resolve(typed) : reject(new Interrupted())));
          return;
        }
        typed = erases.get(key)?.(typed) ?? typed + key;
      }
    };
    if (input.isTTY) input.setRawMode(true);
    input.on('data', read).resume();
    signal.addEventListener('abort', stopped, { once: true });
    if (signal.aborted) stopped();
  });
}
