import type { MailauthError } from '../core/errors.ts';
import { shellWord } from '../core/links.ts';

/** Where an error happened, as far as its commands depend on it. */
export interface Here {
  readonly sandbox: boolean;
  /** the command that does the same again */
  readonly again?: string;
  /** the set-up in hand, as far as it is known: a `mailauth setup` without it would begin another one */
  readonly setup?: { readonly mailbox?: string | undefined; readonly for?: string | undefined; readonly clientId?: string | undefined };
}

/**
 * The catalogue's commands, made to work where they were caused: in the sandbox they need its flag, and a mailbox that is still being
 * set up is not known to `mailauth login` yet.
 */
export function fromHere(error: MailauthError, here: Here): MailauthError {
  const { again } = here;
  const settingUp = again?.startsWith('mailauth setup') ? again : undefined;
  const lines = settingUp === undefined ? error.next : error.next.map((line) => line.replace(/mailauth login \S+(?: --force)?/, settingUp));
  const own = lines.map((line) => inSetup(line, here.setup ?? {}));
  const next = here.sandbox ? own.map(inSandbox) : own;
  return error.but({ next: [...new Set(next)] });
}

/** A command in a line of advice, also at the end of a sentence, and its comment. */
const commandLine = /^(|.*: |sleep \d+; )(mailauth (?!help |sandbox\b|--).*?)( {3}[(#].*)?$/;

/** `mailauth setup --tenant T` → `mailauth setup --mailbox a@b --for osticket --tenant T`: what the line leaves out. */
function inSetup(line: string, { mailbox, for: product, clientId }: NonNullable<Here['setup']>): string {
  const [, before = '', command = '', comment = ''] = commandLine.exec(line) ?? [];
  const flags = /^mailauth setup((?: .*)?)$/.exec(command)?.[1];
  const given = new Set(flags?.split(' '));
  if (flags === undefined || given.has('--help')) return line;
  const own = [
    ['--mailbox', mailbox],
    ['--for', product === 'this-computer' ? undefined : product],
    // Only an app that is there has a secret to bring.
    ['--client-id', given.has('--client-secret-file') ? clientId : undefined],
  ] as const;
  const added = own.map(([flag, value]) => (value === undefined || given.has(flag) ? '' : ` ${flag} ${shellWord(value)}`));
  return `${before}mailauth setup${added.join('')}${flags}${comment}`;
}

/** `mailauth login a@b   (comment)` → `mailauth login a@b --sandbox   (comment)`; the sandbox is a cloud of its own */
export function inSandbox(line: string): string {
  const [, before = '', command, comment = ''] = commandLine.exec(line) ?? [];
  if (command === undefined || line.includes('--sandbox')) return line;
  return `${before}${command.replace(/ --cloud(?:-file)? \S+/, '')} --sandbox${comment}`;
}

/** The same for the diagnoses in a test's results, which are data of their own. */
export function resultsFromHere<T extends { readonly diagnosis?: { readonly next: readonly string[] } }>(
  results: readonly T[],
  here: Here,
): readonly T[] {
  if (!here.sandbox) return results;
  return results.map((result) =>
    result.diagnosis === undefined ? result : { ...result, diagnosis: { ...result.diagnosis, next: result.diagnosis.next.map(inSandbox) } },
  );
}
