import type { MailauthError } from '../core/errors.ts';

/** Where an error happened, as far as its commands depend on it. */
export interface Here {
  readonly sandbox: boolean;
  /** the command that does the same again */
  readonly again?: string;
}

/**
 * The catalogue's commands, made to work where they were caused: in the sandbox they need its flag, and a mailbox that is still being
 * set up is not known to `mailauth login` yet.
 */
export function fromHere(error: MailauthError, here: Here): MailauthError {
  const { again } = here;
  const settingUp = again?.startsWith('mailauth setup') ? again : undefined;
  const lines = settingUp === undefined ? error.next : error.next.map((line) => line.replace(/mailauth login \S+(?: --force)?/, settingUp));
  const next = here.sandbox ? lines.map(inSandbox) : lines;
  return error.but({ next: [...new Set(next)] });
}

/** `mailauth login a@b   (comment)` → `mailauth login a@b --sandbox   (comment)`; also a command at the end of a sentence */
export function inSandbox(line: string): string {
  const [, before = '', command, comment = ''] = /^(|.*: |sleep \d+; )(mailauth (?!help |sandbox\b|--).*?)( {3}[(#].*)?$/.exec(line) ?? [];
  return command === undefined || line.includes('--sandbox') ? line : `${before}${command} --sandbox${comment}`;
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
