import type { Secret } from '../../core/secret.ts';
import { credentialOf } from '../../oauth/client-certificate.ts';
import { clientSecretEntry } from '../../store/token-entry.ts';
import { missingSecret } from '../answers/missing.ts';
import { pendingSecretEntry, secretFromFile, secretFromPrompt } from './client-secret.ts';
import type { RegistrationStep } from './register-step.ts';

/** The secret or certificate of an app that is there, in the store before anything else happens. Throws `answer-missing`, the file's problems. */
export async function obtainSecret(clientId: string, step: RegistrationStep): Promise<Secret> {
  const { deps, key, store } = step;
  const secret = await findSecret(clientId, step);
  await store.write(pendingSecretEntry(key), secret);
  deps.report.progress('secret', 'done', 'clientSecret' in credentialOf(secret) ? 'Client secret stored' : 'Certificate and key stored');
  return secret;
}

/** File, earlier run, the place's own, prompt; in this order. Throws `answer-missing` naming --client-secret-file. */
async function findSecret(clientId: string, { deps, input, key, store, waitingFor, certificate }: RegistrationStep): Promise<Secret> {
  if (certificate !== undefined) return certificate.pem;
  if (input.clientSecretFile !== undefined) return secretFromFile(deps.ctx, input.clientSecretFile);
  const waiting = waitingFor?.toLowerCase() === clientId.toLowerCase() ? await store.read(pendingSecretEntry(key)) : undefined;
  if (waiting !== undefined) return waiting;
  const record = await deps.mailboxes.readMailbox(key);
  const kept = record?.registration.clientId === clientId.toLowerCase() ? await store.read(clientSecretEntry(key)) : undefined;
  const found = kept ?? deps.knownSecret(clientId);
  if (found !== undefined) return found;
  if (deps.canAsk) return secretFromPrompt(deps.ctx);
  throw missingSecret(key.mailbox, clientId);
}
