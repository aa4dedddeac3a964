import * as z from 'zod/mini';
import type { Thumbprints } from '../../core/hashes.ts';
import { mailauth } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { storedThumbprints } from '../../oauth/client-certificate.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { mailboxArgument } from '../../session/mailbox-argument.ts';
import { decodeClientSecret } from '../../store/client-secret-entry.ts';
import { clientSecretEntry } from '../../store/token-entry.ts';
import { daysLeft } from '../../tokens/lifetimes.ts';
import { renderFacts } from '../../ui/tables.ts';

const schema = z.object({ reveal: z.optional(z.boolean()) });

export const secretShow: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth secret show helpdesk@contoso.com',
      'mailauth secret show helpdesk@contoso.com --for osticket --reveal',
    ])
      .option('--reveal', 'also print the value')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const reveal = schema.parse(flags).reveal === true;
    const record = await mailboxArgument(session, mailauth('secret show'), args[0], flags, { needs: 'secret' });
    const { registration: app } = record;
    if (app.clientType === 'public') throw problem('no-client-secret', { mailbox: record.mailbox });
    const isCertificate = app.certificateThumbprint !== undefined;
    const store = await session.store(record);
    const stored = await store.read(clientSecretEntry(record));
    const value = stored && decodeClientSecret(stored).secret;
    const { secretExpiresAt } = app;
    const fromStore = isCertificate ? storedThumbprints(value) : undefined;
    const left = daysLeft(session.ctx.clock.now(), secretExpiresAt === undefined ? undefined : Date.parse(secretExpiresAt));
    const data = {
      mailbox: record.mailbox,
      for: record.for,
      clientId: app.clientId,
      secretId: app.secretKeyId ?? null,
      secretExpiresAt: secretExpiresAt ?? null,
      daysLeft: left,
      certificateThumbprint: app.certificateThumbprint ?? null,
      certificateSha1: fromStore?.sha1 ?? null,
      stored: value !== undefined,
      store: record.store,
      rotationOpen: app.oldSecretKeyId !== undefined,
      ...(reveal && value !== undefined && !isCertificate ? { clientSecret: value.reveal() } : {}),
    };
    return {
      data,
      text: (theme) =>
        renderFacts(
          [
            ['Mailbox', `${data.mailbox} for ${data.for}`],
            ['App', data.clientId],
            isCertificate
              ? ['Certificate', certificateLines(app.certificateThumbprint, fromStore)]
              : ['Secret ID', data.secretId ?? 'unknown: mailauth did not make it'],
            [
              'Expires',
              secretExpiresAt === undefined ? 'unknown: see Certificates & secrets in the portal' : `${secretExpiresAt} (${left} days)`,
            ],
            [
              isCertificate ? 'Private key' : 'Value',
              value === undefined
                ? 'not in the store'
                : isCertificate
                  ? 'stored; never shown'
                  : reveal
                    ? value.reveal()
                    : `${'*'.repeat(8)}  (--reveal shows it)`,
            ],
            ['Stored in', store.describe()],
            ...(data.rotationOpen ? [['Rotation', 'open: the old secret still works, until --finish'] as const] : []),
          ],
          theme,
        ),
    };
  },
};

/** By the record, and where the certificate itself is in the store also as the portal names it. */
function certificateLines(recorded = '', stored?: Thumbprints): string {
  const sha256 = `SHA-256 ${Buffer.from(recorded, 'base64url').toString('hex').toUpperCase()}`;
  return stored === undefined ? sha256 : `SHA-1 ${stored.sha1} (the portal's "Thumbprint")\n${sha256}`;
}
