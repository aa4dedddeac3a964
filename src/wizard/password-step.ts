import type { Cloud } from '../core/cloud.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { Secret } from '../core/secret.ts';
import { problem } from '../diagnose/problem.ts';
import { guideNamed } from '../guides/guides.ts';
import { passwordSignIn } from '../oauth/password.ts';
import { passwordFromFile } from './client-secret.ts';
import type { SetupDeps, SetupInput } from './deps.ts';

/**
 * `--sign-in password`: signs in as the product will, so that a mailbox with MFA is found out now and not in the product. The password
 * is asked for or read, sent once, and forgotten; the tokens are used for the tests and not stored.
 */
export async function signInWithPassword(
  record: MailboxRecord,
  step: { readonly deps: SetupDeps; readonly input: SetupInput; readonly cloud: Cloud; readonly clientSecret?: Secret },
): Promise<TokenSet> {
  const { deps, input, cloud, clientSecret } = step;
  const { ctx, report } = deps;
  const product = guideNamed(record.for)?.title ?? record.for;
  report.note(
    'Microsoft advises against password sign-in; it works only for accounts without MFA, security defaults or Conditional Access.',
  );
  const password = await findPassword(record, deps, input);
  report.progress('sign-in', 'started', 'Signing in with the password');
  const set = await passwordSignIn({
    app: {
      cloud,
      tenantId: record.tenantId,
      endpoints: record.endpoints,
      clientId: record.registration.clientId,
      network: await deps.network(),
      clock: ctx.clock,
      timeoutMs: deps.stepTimeoutMs,
      signal: ctx.signal,
      ...(clientSecret === undefined ? {} : { clientSecret }),
    },
    mailbox: record.mailbox,
    ...(record.signInAs === undefined ? {} : { signInAs: record.signInAs }),
    product,
    scopes: record.scopes,
    password,
  });
  report.progress('sign-in', 'done', `Signed in with the password as ${set.account.username}; nothing of it is kept`);
  return set;
}

async function findPassword(record: MailboxRecord, { ctx, canAsk }: SetupDeps, { passwordFile }: SetupInput): Promise<Secret> {
  if (passwordFile !== undefined) return passwordFromFile(ctx, passwordFile);
  if (canAsk) return new Secret(await ctx.prompts.secret({ message: `Password of ${record.signInAs ?? record.mailbox}?` }));
  throw problem(
    'answer-missing',
    {
      flag: '--password-file',
      question: 'password?',
      example: `mailauth setup --mailbox ${record.mailbox} --for ${record.for} --sign-in password --password-file FILE`,
    },
    { detail: { flag: '--password-file' } },
  );
}
