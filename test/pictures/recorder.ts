import type { Terminal } from '../real/rigs/tmux.ts';
import { escaped } from '../real/rigs/typist.ts';
import { steady } from './steady.ts';

/** One screen of a recording, with the colours of its text, and how long it stays. */
export interface Frame {
  readonly lines: readonly string[];
  readonly seconds: number;
}

/** Looks at a terminal whenever it is told to. The times are made up, so that the same run gives the same recording. */
export interface Recorder {
  readonly frames: readonly Frame[];
  readonly columns: number;
  /** waits for a question, types letter by letter, and presses Enter */
  answer(question: string, typed?: string): Promise<void>;
  /** waits for the last words, and shows each line that came since as if it came by itself */
  end(words: string): Promise<Frame>;
}

/** `command`: what a person typed at the prompt of the shell to get here. */
export function recorder(terminal: Terminal, command: string, columns: number): Recorder {
  const frames: Frame[] = [];
  const screen = async (): Promise<readonly string[]> => [
    `\u001b[2m$\u001b[0m ${command}`,
    // What the rig's own bus says stands before the first line of mailauth.
    ...steady((await terminal.coloured()).replace(/^[\s\S]*?(?=Set up a mailbox:)/, '')).split('\n'),
  ];
  const add = (lines: readonly string[], seconds: number): void => {
    if (lines.join('\n') !== frames.at(-1)?.lines.join('\n')) frames.push({ lines, seconds });
  };
  return {
    frames,
    columns,
    async answer(question, typed = '') {
      await terminal.until(`? ${question}`);
      add(await screen(), 1.2);
      for (const [i] of [...typed].entries()) {
        await terminal.type(typed.charAt(i));
        // The line may be folded.
        await terminal.until(new RegExp([...typed.slice(0, i + 1)].map(escaped).join('\\s*')));
      }
      if (typed !== '') add(await screen(), 0.8);
      await terminal.press('Enter');
      await terminal.until(`✔ ${question}`);
    },
    async end(words) {
      await terminal.until(words);
      const lines = await screen();
      const asked = lines.findLastIndex((line) => line.includes('Create it?'));
      for (let i = asked + 1; i < lines.length; i += 1) if (lines[i]?.includes('✔')) add(lines.slice(0, i), 0.4);
      add(lines, 5);
      return { lines, seconds: 5 };
    },
  };
}
