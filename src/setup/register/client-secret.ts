import type { Context } from '../../core/context.ts';
import type { MailboxKey } from '../../core/mailbox.ts';
import { Secret } from '../../core/secret.ts';
import { problem } from '../../errors/problem.ts';
import { clientSecretEntry } from '../../store/token-entry.ts';
import { isGuid } from '../answers/answers.ts';

/** Entry of a client secret whose sign-in has not worked yet: it must not push out the one that works. */
export const pendingSecretEntry = (key: MailboxKey): string => `${clientSecretEntry(key)}/new`;

/** True, or the complaint: the portal shows the ID beside the value, and nearly everybody copies it once. */
export function checkSecretValue(value: string): true | string {
  if (value === '') return 'nothing there';
  if (isGuid(value)) return 'this is the Secret ID (a GUID); copy the column "Value" instead';
  if (/\s/.test(value)) return 'a secret has no spaces or line breaks inside';
  return value.length <= 512 ? true : 'longer than any client secret';
}

/** Reads `--client-secret-file` (`-`: standard input). Throws `secret-is-id`, `secret-unusable`. */
export async function secretFromFile(ctx: Pick<Context, 'files' | 'readStdin'>, file: string): Promise<Secret> {
  // The value itself in place of a file's name must not be printed back.
  const source = file === '-' ? 'standard input' : /[/\\]|\.txt$/.test(file) ? file : 'the file of --client-secret-file';
  const text = file === '-' ? await ctx.readStdin() : await ctx.files.read(file);
  if (text === undefined) throw problem('secret-unusable', { source, why: 'There is no such file.' });
  // Notepad writes a byte order mark; `echo` ends with a line break.
  const value = text.replace(/^\uFEFF/, '').trim();
  if (isGuid(value)) throw problem('secret-is-id', {});
  const verdict = checkSecretValue(value);
  if (verdict !== true) throw problem('secret-unusable', { source, why: verdict });
  return new Secret(value);
}

export async function secretFromPrompt(ctx: Pick<Context, 'prompts'>): Promise<Secret> {
  return new Secret(await ctx.prompts.secret({ message: 'Client secret (the "Value")?', check: checkSecretValue }));
}

/** Reads `--password-file` (`-`: standard input). Only line breaks at the end are taken off. Throws `password-unusable`. */
export async function passwordFromFile(ctx: Pick<Context, 'files' | 'readStdin'>, file: string): Promise<Secret> {
  const source = file === '-' ? 'standard input' : 'the file of --password-file';
  const text = file === '-' ? await ctx.readStdin() : await ctx.files.read(file);
  if (text === undefined) throw problem('password-unusable', { source, why: 'There is no such file.' });
  const value = text.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '');
  if (value === '' || /[\r\n]/.test(value))
    throw problem('password-unusable', { source, why: 'It must hold the password on one line and nothing else.' });
  return new Secret(value);
}
