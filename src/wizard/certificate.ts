import type { Context } from '../core/context.ts';
import type { MailboxKey } from '../core/mailbox.ts';
import type { PlannedCertificate } from '../core/registration-plan.ts';
import { problem } from '../diagnose/problem.ts';
import { type ClientCertificate, credentialOf, readClientCertificate } from '../oauth/client-certificate.ts';
import type { SecretStore } from '../store/store.ts';
import { clientSecretEntry } from '../store/token-entry.ts';
import { pendingSecretEntry } from './client-secret.ts';
import type { SetupInput } from './deps.ts';

/** `--certificate` and `--certificate-key-file`: PEM, together or apart. undefined without the flag. Throws `certificate-unusable` (2). */
export async function certificateFromFiles(
  ctx: Pick<Context, 'files' | 'clock'>,
  { certificateFile, certificateKeyFile }: SetupInput,
  mailbox: string,
): Promise<ClientCertificate | undefined> {
  if (certificateFile === undefined) return undefined;
  const texts: string[] = [];
  for (const file of [certificateFile, ...(certificateKeyFile === undefined ? [] : [certificateKeyFile])]) {
    const text = await ctx.files.read(file);
    if (text === undefined) throw problem('certificate-unusable', { source: file, why: 'There is no such file.', mailbox });
    texts.push(text);
  }
  const read = readClientCertificate(texts.join('\n'), ctx.clock.now());
  if (typeof read !== 'string') return read;
  throw problem('certificate-unusable', {
    source: certificateKeyFile === undefined ? certificateFile : `${certificateFile} and its key`,
    why: read,
    mailbox,
  });
}

/** The certificate that an earlier run left in the store in place of a client secret. Throws the store's problems. */
export async function heldCertificate(
  ctx: Pick<Context, 'clock'>,
  store: SecretStore,
  key: MailboxKey,
): Promise<ClientCertificate | undefined> {
  const held = (await store.read(pendingSecretEntry(key))) ?? (await store.read(clientSecretEntry(key)));
  if (held === undefined || !('clientCertificate' in credentialOf(held))) return undefined;
  const read = readClientCertificate(held.reveal(), ctx.clock.now());
  if (typeof read === 'string') throw problem('certificate-ended', { why: read, mailbox: key.mailbox });
  return read;
}

/** What may leave this computer: never the key. */
export const publicPart = ({ der, thumbprint, startsAt, expiresAt }: ClientCertificate): PlannedCertificate => ({
  der,
  thumbprint,
  startsAt,
  expiresAt,
});
