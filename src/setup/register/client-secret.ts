import type { Context } from '../../core/context.ts';
import { MailauthError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import { authorityOf } from '../../core/sign-in-authority.ts';
import { isGuid, looksLikePath } from '../../core/text.ts';
import { checkClient } from '../../entra/client-check.ts';
import { problem } from '../../errors/problem.ts';
import { credentialOf } from '../../oauth/client-certificate.ts';
import { appAt } from '../../oauth/oauth-app.ts';
import { encodeClientSecret } from '../../store/client-secret-entry.ts';
import { pendingSecretEntry } from '../../store/token-entry.ts';
import { secretFor } from '../../tokens/bound.ts';
import { missingSecret } from '../answers/missing.ts';
import type { RegistrationStep } from './registration-step.ts';

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
  const source = file === '-' ? 'standard input' : looksLikePath(file) ? file : 'the file of --client-secret-file';
  const text = file === '-' ? await ctx.readStdin() : await ctx.files.read(file);
  if (text === undefined) throw problem('secret-unusable', { source, why: 'There is no such file.' });
  // `echo` ends with a line break.
  const value = text.trim();
  if (isGuid(value)) throw problem('secret-is-id', {});
  const verdict = checkSecretValue(value);
  if (verdict !== true) throw problem('secret-unusable', { source, why: verdict });
  return new Secret(value);
}

/** A secret that Microsoft refuses is asked for again, and nothing else with it. Throws `Back`, and what tells against the app itself. */
async function secretFromPrompt(clientId: string, { deps, cloud, tenant, said }: RegistrationStep): Promise<Secret> {
  const { ctx, report } = deps;
  const place = { cloud, tenantId: tenant.id, endpoints: tenant.endpoints, registration: { clientId } };
  const ask = async (): Promise<Secret> =>
    new Secret(await ctx.prompts.secret({ message: 'Client secret (the "Value")?', check: checkSecretValue, back: true }));
  let secret = await ask();
  for (;;) {
    try {
      report.progress('secret', 'started', 'Trying the client secret');
      await checkClient({ ...(await appAt(place, deps)), ...credentialOf(secret) });
      return secret;
    } catch (error) {
      if (!(error instanceof MailauthError) || !['client-secret-wrong', 'client-secret-expired'].includes(error.code)) throw error;
      report.progress('secret', 'failed', error.title);
      const chosen = await ctx.prompts.select({ message: 'What now?', choices: afterRefusal, back: said.canGoBack });
      if (chosen === 'stop') throw error;
      if (chosen === 'mend') secret = await ask();
    }
  }
}

const afterRefusal = [
  { value: 'mend', name: 'Type the secret again' },
  { value: 'again', name: 'Ask Microsoft again', description: 'a secret that was made a moment ago can take a minute' },
  { value: 'stop', name: 'Stop' },
] as const;

/** The secret or certificate of an app that is there, in the store before anything else happens. Throws `answer-missing`, the file's problems. */
export async function obtainSecret(clientId: string, step: RegistrationStep): Promise<Secret> {
  const { deps, key, store } = step;
  const secret = await findSecret(clientId, step);
  await store.write(pendingSecretEntry(key), encodeClientSecret(secret, authorityOf(step.cloud, { tenantId: step.tenant.id, clientId })));
  const isSandboxes = secret === deps.knownSecret(clientId);
  const stored = isSandboxes ? "Client secret of the sandbox's own app stored, it need not be typed" : 'Client secret stored';
  deps.report.progress('secret', 'done', 'clientSecret' in credentialOf(secret) ? stored : 'Certificate and key stored');
  return secret;
}

/** File, earlier run, the place's own, prompt; in this order. Throws `answer-missing` naming --client-secret-file. */
async function findSecret(clientId: string, step: RegistrationStep): Promise<Secret> {
  const { deps, input, key, store, cloud, tenant, certificate } = step;
  if (certificate !== undefined) return certificate.pem;
  if (input.clientSecretFile !== undefined) return secretFromFile(deps.ctx, input.clientSecretFile);
  const kept = await secretFor(store, key, authorityOf(cloud, { tenantId: tenant.id, clientId }), step.isShared);
  const found = kept ?? deps.knownSecret(clientId);
  if (found !== undefined) return found;
  if (deps.canAsk) return secretFromPrompt(clientId, step);
  throw missingSecret(key.mailbox, clientId);
}
