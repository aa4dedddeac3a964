import type { Context } from '../core/context.ts';
import { Exit, type ExitCode } from '../core/errors.ts';
import { globalValueFlags } from '../session/globals.ts';
import { unknownCommand } from './find-command.ts';
import { modules } from './modules.ts';
import { parse } from './parse.ts';
import { commands, groupHelp, rootHelp, topics } from './tree.ts';

/** What help and version say: the text for people, the same as data for programs. */
interface Told {
  readonly command: 'help' | 'version';
  readonly text: string;
  readonly data: object;
}

export async function tell({ command, text, data }: Told, json: boolean, ctx: Context): Promise<ExitCode> {
  const said = json ? `${JSON.stringify((await import('../session/envelope.ts')).envelope(command, { data }, ctx.surroundings))}\n` : text;
  ctx.out.write(said);
  return Exit.done;
}

export const helpOn = (text: string, topic?: string): Told => ({
  command: 'help',
  text,
  data: topic === undefined ? { text } : { topic, text },
});

/** Help and version need no command: `mailauth`, `mailauth help`, `mailauth token --help`, `mailauth --no-color --version`. */
export async function withoutCommand(
  words: readonly string[],
  rest: readonly string[],
  version: string,
  ctx: Context,
): Promise<Told | undefined> {
  const asked = (...flags: readonly string[]) => flags.some((flag) => rest.includes(flag));
  const further = rest.filter((word, i) => !word.startsWith('-') && !globalValueFlags.has(rest[i - 1] ?? ''));
  const [first] = words;
  if (first === 'version' && further.length === 0) return versionOf(version);
  if (first === 'help') return further.length === 0 ? helpOn(rootHelp(version)) : help(further.join(' '), ctx);
  if (first !== undefined) {
    const group = words.length === 1 && further.length === 0 && asked('--help', '-h') ? groupHelp(first) : undefined;
    return group === undefined ? undefined : helpOn(group, first);
  }
  if (rest.length === 0 || asked('--help', '-h')) return helpOn(rootHelp(version));
  return asked('--version', '-V', '-v') ? versionOf(version) : undefined;
}

const versionOf = (version: string): Told => ({ command: 'version', text: `${version}\n`, data: { version } });

/** `mailauth help NAME`: a topic, a command or a group of commands. */
async function help(name: string, ctx: Context): Promise<Told> {
  const topic = topics.find((t) => t === name);
  if (topic !== undefined) return helpOn((await import('./help-topics.ts')).topicText(topic), topic);
  const group = groupHelp(name);
  if (group !== undefined) return helpOn(group, name);
  const entry = commands.find((c) => c.name === name);
  if (entry === undefined) throw unknownCommand(name.split(' '));
  const text = await parse(entry, await modules[entry.name](), ['--help'], ctx);
  return helpOn(typeof text === 'string' ? text : '', entry.name);
}
