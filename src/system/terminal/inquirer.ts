import { createPrompt, isEnterKey, makeTheme, useEffect, useKeypress, usePrefix, useRef, useState } from '@inquirer/core';

// The build makes this file, with Inquirer in it, a chunk of its own that is loaded with the first question (build.mjs).
export { checkbox, confirm, select } from '@inquirer/prompts';

interface LiveInput {
  readonly message: string;
  readonly default?: string;
  /** hides what is typed behind stars */
  readonly masked?: boolean;
  /** one answer may be pasted with line breaks in it, and comes with them */
  readonly wrapped?: boolean;
  /** true, or the complaint that is shown below the line while typing */
  readonly check: (value: string) => true | string;
}

/** A paste comes in one burst, also over a slow line; a person's next key takes longer. */
const pasteGapMs = 120;

/** Inquirer's own text and password prompts check on Enter only; this one says while typing what is still wrong, and takes no wrong answer. */
export const liveInput = createPrompt<string, LiveInput>((config, done) => {
  const theme = makeTheme();
  const [status, setStatus] = useState<'idle' | 'done'>('idle');
  const [value, setValue] = useState('');
  const [tried, setTried] = useState(false);
  const prefix = usePrefix({ status, theme });
  const answer = (value || (config.default ?? '')).trim();
  const lines = useRef<string[]>([]);
  const pause = useRef<NodeJS.Timeout>();
  useEffect(() => () => clearTimeout(pause.current), []);

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
  return [first, tried ? theme.style.error(below) : theme.style.help(below)];
});
