import { createPrompt, isEnterKey, makeTheme, useEffect, useKeypress, usePrefix, useRef, useState } from '@inquirer/core';
import { checkbox, confirm, select } from '@inquirer/prompts';
import { fold } from '../../core/fold.ts';
import type { Asked, ChoiceQuestion, SeveralQuestion, TextQuestion, TypedQuestion, YesOrNoQuestion } from '../../core/prompts-port.ts';
import type { QuestionPlace } from './numbered.ts';

// The build makes this file, with Inquirer in it, a chunk of its own that is loaded with the first question (build.mjs).

export const askText = (
  { message, default: usual, filledIn, wrapped = false, check = anything }: TextQuestion,
  at: QuestionPlace,
): Promise<string> => liveInput({ message, default: usual, filledIn, wrapped, check, columns: at.output.columns }, at);

export const askSecret = (q: TypedQuestion, at: QuestionPlace): Promise<string> =>
  liveInput({ message: q.message, masked: true, check: q.check ?? anything, columns: at.output.columns }, at);

export const askChoice = <T extends string>(q: ChoiceQuestion<T>, at: QuestionPlace): Promise<T> =>
  select(
    {
      message: q.message,
      choices: q.choices.map(({ value, name, description }) => ({ value, name, ...(description === undefined ? {} : { description }) })),
      ...(q.default === undefined ? {} : { default: q.default }),
      theme: keysOf(q),
    },
    at,
  );

/** Inquirer's line of keys, with Esc where it means something. */
const keysOf = ({ back }: Asked) => ({
  style: {
    keysHelpTip: (keys: [key: string, action: string][]) =>
      [...keys, ...(back === true ? [['esc', 'back']] : [])].map(([key, action]) => `${key} ${action}`).join(' • '),
  },
});

export const askSeveral = <T extends string>(q: SeveralQuestion<T>, at: QuestionPlace): Promise<readonly T[]> =>
  checkbox(
    {
      message: q.message,
      required: true,
      choices: q.choices.map((c) => ({ value: c.value, name: c.name, checked: q.default.includes(c.value) })),
    },
    at,
  );

export const askYesOrNo = ({ message, default: usual }: YesOrNoQuestion, at: QuestionPlace): Promise<boolean> =>
  confirm({ message, default: usual }, at);

const anything = (): true => true;

interface LiveInput {
  readonly message: string;
  readonly default?: string | undefined;
  /** stands in the line already, to be mended */
  readonly filledIn?: string | undefined;
  /** hides what is typed behind stars */
  readonly masked?: boolean;
  /** one answer may be pasted with line breaks in it, and comes with them */
  readonly wrapped?: boolean;
  /** of the terminal */
  readonly columns: number;
  /** true, or the complaint that is shown below the line while typing */
  readonly check: (value: string) => true | string;
}

/** A paste comes in one burst, also over a slow line; a person's next key takes longer. */
const pasteGapMs = 120;

/** Inquirer's own text and password prompts check on Enter only; this one says while typing what is still wrong, and takes no wrong answer. */
const liveInput = createPrompt<string, LiveInput>((config, done) => {
  const theme = makeTheme();
  const [status, setStatus] = useState<'idle' | 'done'>('idle');
  const [value, setValue] = useState('');
  const [tried, setTried] = useState(false);
  const prefix = usePrefix({ status, theme });
  const answer = (value || (config.default ?? '')).trim();
  const lines = useRef<string[]>([]);
  const pause = useRef<NodeJS.Timeout>();
  useEffect((rl) => {
    rl.write(config.filledIn ?? '');
    setValue(config.filledIn ?? '');
    return () => clearTimeout(pause.current);
  }, []);

  useKeypress((key, rl) => {
    if (status === 'done') return;
    clearTimeout(pause.current);
    if (config.wrapped === true && isEnterKey(key)) {
      lines.current.push(answer);
      setValue('');
      pause.current = setTimeout(() => {
        setStatus('done');
        done(lines.current.join('\n'));
      }, pasteGapMs);
      return;
    }
    if (!isEnterKey(key)) {
      setValue(rl.line);
      setTried(false);
      return;
    }
    if (config.check(answer) === true) {
      setStatus('done');
      done(answer);
      return;
    }
    rl.write(value); // Enter emptied readline's line: give the answer back to be mended
    setTried(true);
  });

  const shown = config.masked ? '*'.repeat(status === 'done' ? 8 : value.length) : value;
  const line = [
    prefix,
    theme.style.message(config.message, status),
    config.default !== undefined && value === '' && status !== 'done' ? theme.style.defaultAnswer(config.default) : undefined,
    status === 'done' ? theme.style.answer(config.masked ? shown : [...lines.current, answer].join('')) : shown,
  ];
  const complaint = config.check(answer);
  const below = status === 'done' || complaint === true || (value === '' && !tried) ? '' : complaint;
  const first = line.filter((part) => part !== undefined).join(' ');
  // A styled nothing would still take a line of the screen.
  if (below === '') return first;
  // Inquirer itself would tear words.
  return [first, tried ? theme.style.error(fold(below, config.columns - 2)) : theme.style.help(fold(below, config.columns))];
});
