import { join } from 'node:path';
import { Command } from 'commander';
import { cloudNames, protocols } from '../core/cloud.ts';
import type { CommandName } from '../core/command-name.ts';
import { again } from '../core/next.ts';
import { chosenStores } from '../core/stores.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { exportClients } from '../export/clients.ts';
import { productNames } from '../products/product.ts';
import { sandboxFaults } from '../sandbox/faults/faults.ts';
import { type CommandModule, examples } from '../session/command.ts';
import { addGlobalOptions } from '../session/globals.ts';
import type { Session } from '../session/session.ts';
import { firstQuestions, registrationQuestions } from '../setup/answers/questions.ts';
import { mailboxFiles } from '../store/mailbox-file.ts';
import { tokenFormats } from '../tokens/formats.ts';
import { type Candidate, type CommandSpec, complete, type FlagSpec, type Values } from './completion/candidates.ts';
import { scripts, shells } from './completion/completion-scripts.ts';
import { commands, topics } from './tree.ts';

/** The commands' files by name. They are a parameter because `completion` is one of them. */
type Modules = Readonly<Record<CommandName, () => Promise<CommandModule>>>;

export const completionOf = (modules: Modules): CommandModule => ({
  configure: (command) =>
    examples(command.argument('<shell>', shells.join(', ')).argument('[words...]', 'with "complete": the words typed so far'), [
      'mailauth completion fish > ~/.config/fish/completions/mailauth.fish',
      'eval "$(mailauth completion bash)"         in ~/.bashrc',
      'source <(mailauth completion zsh)          in ~/.zshrc, after compinit',
      'mailauth completion powershell | Out-String | Invoke-Expression      in $PROFILE',
    ]),

  async run({ args: [shell = '', ...words] }, session) {
    if (shell === 'complete') {
      const text = await answer(modules, words, session);
      return { text, unwrapped: true };
    }
    const known = shells.find((name) => name === shell);
    if (known === undefined) {
      throw problem('value-invalid', {
        what: 'shell',
        value: plain(shell, 40),
        why: `Shells are: ${shells.join(', ')}.`,
        next: again({}, ['bash']),
      });
    }
    return { data: { shell: known, script: scripts[known] }, text: scripts[known] };
  },
});

/** One candidate a line; `:files` at the end where file names fit. */
async function answer(modules: Modules, words: readonly string[], session: Session): Promise<string> {
  const { candidates, also, prefix } = complete([...(await specs(modules)), help], globalFlags(), words);
  const current = words.at(-1) ?? '';
  const all: readonly Candidate[] = [...candidates, ...(also === 'mailboxes' ? await mailboxes(session, words.includes('--sandbox')) : [])];
  const fitting = all.map((c) => ({ ...c, value: `${prefix}${c.value}` })).filter((c) => c.value.startsWith(current));
  return [...fitting.map((c) => `${c.value}\t${c.summary}`), ...(also === 'files' ? [':files'] : [])].map((line) => `${line}\n`).join('');
}

/**
 * Those of this computer: a key press must not wait for a database, nor read a hundred thousand mailboxes. `inSandbox`: the typed words contain
 * `--sandbox`; the completing command itself does not have that flag.
 */
async function mailboxes({ ctx, globals, home }: Session, inSandbox: boolean): Promise<Candidate[]> {
  const where = inSandbox && !globals.sandbox ? join(home, 'sandbox') : home;
  const { records } = await mailboxFiles({ files: ctx.files.own ?? ctx.files, home: where }).listMailboxes();
  return [...new Set(records.map((record) => record.mailbox))].map((value) => ({ value, summary: '' }));
}

const help: CommandSpec = { name: 'help', summary: 'topics', args: [topics], flags: [] };

async function specs(modules: Modules): Promise<CommandSpec[]> {
  return Promise.all(
    commands.map(async ({ name, summary }) => {
      const command = (await modules[name]()).configure(new Command());
      const args = command.registeredArguments.map((argument): Values => argumentValues[argument.name()] ?? 'free');
      return { name, summary, args: name === 'guide' ? [productNames] : args, flags: flagsOf(command, name) };
    }),
  );
}

const globalFlags = (): FlagSpec[] => flagsOf(addGlobalOptions(new Command()), '');

function flagsOf(command: Command, name: string): FlagSpec[] {
  return command.options.map((option) => {
    const flag = option.long ?? option.flags;
    const takesValue = option.required || option.optional;
    return { flag, summary: option.description, ...(takesValue ? { values: valuesOf(flag, name) } : {}) };
  });
}

const argumentValues: Readonly<Record<string, Values>> = {
  mailbox: 'mailboxes',
  protocol: [...protocols, 'all'],
  client: exportClients.map((client) => client.name),
  shell: shells,
  store: chosenStores,
  file: 'files',
};

const flagValues: Readonly<Record<string, Values>> = {
  '--for': productNames,
  '--mailbox': 'mailboxes',
  '--cloud': cloudNames,
  '--store': chosenStores,
  '--fault': sandboxFaults.map((fault) => fault.name),
};

/** The values of a flag; for a question of the wizard they are its choices. */
function valuesOf(flag: string, command: string): Values {
  if (flag === '--format')
    return { 'token get': tokenFormats, status: ['text', 'nagios', 'prometheus'], guide: ['text', 'markdown'] }[command] ?? 'free';
  const known = flagValues[flag];
  if (known !== undefined) return known;
  const asked = [...firstQuestions, ...registrationQuestions]
    .find((question) => question.flag === flag)
    ?.choices?.(flag === '--variant' ? {} : { for: 'custom' });
  if (asked !== undefined) return asked.map((choice) => choice.value);
  return /-file$|^--(?:handover|report|file|from|certificate)$/.test(flag) ? 'files' : 'free';
}
