import { resolve } from 'node:path';
import type { Context, GuardedFile } from '../../core/context.ts';
import { MailauthError } from '../../core/errors.ts';
import type { MailboxKey } from '../../core/mailbox.ts';
import type { PlannedCertificate } from '../../core/registration-plan.ts';
import { allShown } from '../../core/shown.ts';
import type { Authority } from '../../core/sign-in-authority.ts';
import type { SecretStore } from '../../core/stores.ts';
import { decodeText } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { type ClientCertificate, credentialOf, readClientCertificate } from '../../oauth/client-certificate.ts';
import { refuseExposed } from '../../store/key-source.ts';
import { secretFor } from '../../tokens/bound.ts';
import type { SetupDeps, SetupOptions } from '../journal/setup-deps.ts';

interface Needs extends Pick<SetupDeps, 'ctx'> {
  readonly report: Pick<SetupDeps['report'], 'note'>;
}

/** `--certificate` and `--certificate-key-file`: PEM, together or apart. undefined without the flag. Throws `certificate-unusable` (2). */
export async function certificateFromFiles(
  { ctx, report }: Needs,
  { certificateFile, certificateKeyFile }: Pick<SetupOptions, 'certificateFile' | 'certificateKeyFile'>,
  mailbox: string,
): Promise<ClientCertificate | undefined> {
  if (certificateFile === undefined) return undefined;
  const texts: string[] = [];
  for (const file of [certificateFile, ...(certificateKeyFile === undefined ? [] : [certificateKeyFile])]) {
    const read = await ctx.files.readGuarded(file);
    if (read === undefined) throw problem('certificate-unusable', { source: file, why: 'There is no such file.', mailbox });
    const text = decodeText(read.bytes);
    if (/PRIVATE KEY/.test(text)) noteExposed(read, resolve(file), { ctx, report });
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

/** From now on the secret store has the key. The operator's own file stays as it is, and everybody who can read it can act as the app. */
function noteExposed(file: GuardedFile, path: string, { ctx, report }: Needs): void {
  try {
    refuseExposed(file, path, ctx);
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
    if (error.code === 'file-exposed') report.note(`${error.title}: ${allShown(error.next, ctx.surroundings)[0]}`);
  }
}

/** The certificate that an earlier run left in the store in place of a client secret. Throws the store's problems. */
export async function heldCertificate(
  ctx: Pick<Context, 'clock'>,
  store: SecretStore,
  key: MailboxKey,
  authority: Authority,
): Promise<ClientCertificate | undefined> {
  const held = await secretFor(store, key, authority);
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
