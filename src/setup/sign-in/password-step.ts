import type { Cloud } from '../../core/cloud.ts';
import type { Context } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import { inPlaceOfLogin, type NextStep } from '../../core/next.ts';
import { Secret } from '../../core/secret.ts';
import { problem } from '../../errors/problem.ts';
import { passwordSignIn } from '../../oauth/password.ts';
import { productNamed } from '../../products/products.ts';
import { missingPassword, passwordCommand } from '../answers/missing.ts';
import type { SetupDeps, SetupOptions } from '../journal/setup-deps.ts';
import { requestFor } from './registered-setup.ts';

/**
 * `--sign-in password`: signs in as the product will, so that a mailbox with MFA is found out now and not in the product. The password
 * is asked for or read, sent once, and forgotten; the tokens are used for the tests and not stored.
 */
export async function signInWithPassword(
  record: MailboxRecord,
  step: { readonly deps: SetupDeps; readonly input: SetupOptions; readonly cloud: Cloud; readonly clientSecret?: Secret },
): Promise<TokenSet> {
  const { deps, input } = step;
  const { report } = deps;
  const product = productNamed(record.for)?.title ?? record.for;
  report.note(
    'Microsoft advises against password sign-in; it works only for accounts without MFA, security defaults or Conditional Access.',
  );
  const password = await findPassword(deps, input, record);
  report.progress('sign-in', 'started', 'Signing in with the password');
  const request = { ...(await requestFor(record, step)), product, password };
  const set = await passwordSignIn(request).catch((error: unknown) => {
    // `mailauth login` cannot renew a sign-in that was never finished.
    throw error instanceof MailauthError
      ? error.but({ next: error.next.map((step) => inPlaceOfLogin(step, passwordCommand(record))) })
      : error;
  });
  report.progress('sign-in', 'done', `Signed in with the password as ${set.account.username}; no token is kept`);
  return set;
}

async function findPassword({ ctx, canAsk }: SetupDeps, { passwordFile }: SetupOptions, record: MailboxRecord): Promise<Secret> {
  if (passwordFile !== undefined) return passwordFromFile(ctx, passwordFile);
  if (canAsk) return new Secret(await ctx.prompts.secret({ message: `Password of ${record.signInAs ?? record.mailbox}?` }));
  throw missingPassword(record);
}

/** Reads `--password-file` (`-`: standard input). Only line breaks at the end are taken off. Throws `password-unusable`. */
export async function passwordFromFile(ctx: Pick<Context, 'files' | 'readStdin'>, file: string, next?: NextStep): Promise<Secret> {
  const source = file === '-' ? 'standard input' : 'the file of --password-file';
  const text = file === '-' ? await ctx.readStdin() : await ctx.files.read(file);
  if (text === undefined) throw problem('password-unusable', { source, why: 'There is no such file.', ...defined({ next }) });
  const value = text.replace(/[\r\n]+$/, '');
  if (value === '' || /[\r\n]/.test(value))
    throw problem('password-unusable', { source, why: 'It must hold the password on one line and nothing else.', ...defined({ next }) });
  return new Secret(value);
}
