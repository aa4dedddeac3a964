import { join } from 'node:path';
import { namedCloud, type Protocol, protocols } from '../../src/core/cloud.ts';
import type { Context } from '../../src/core/context.ts';
import type { MailboxRecord } from '../../src/core/mailbox.ts';
import { Secret } from '../../src/core/secret.ts';
import { openKeyRing } from '../../src/sandbox/tenant/authority.ts';
import { readyApps, stableGuid, tenant } from '../../src/sandbox/tenant/directory.ts';
import { openFolder } from '../../src/sandbox/tenant/folder.ts';
import { openMint } from '../../src/sandbox/tenant/tokens.ts';
import { mailboxFiles } from '../../src/store/mailbox-file.ts';
import { sandboxFileStore } from '../../src/store/sandbox-file-store.ts';
import { encodeTokenSet, tokenEntry } from '../../src/store/token-entry.ts';

export interface WrittenMailbox {
  readonly mailbox: string;
  readonly for?: string;
  readonly protocols?: readonly Protocol[];
  readonly label?: string;
  readonly tenantId?: string;
  readonly signInAs?: string;
  /** false: set up, but nobody is signed in; `never`: and nobody ever was: the product signs in, and the redirect is its own */
  readonly signedIn?: boolean | 'never';
}

/** Set-ups of a sandbox's home (`<MAILAUTH_HOME>/sandbox`), written through the store: hundreds in the time of one set-up. */
export async function writeMailboxes(
  ctx: Pick<Context, 'files' | 'clock' | 'random'>,
  home: string,
  wanted: readonly WrittenMailbox[],
): Promise<readonly MailboxRecord[]> {
  const keys = await openKeyRing(ctx, openFolder(ctx, home));
  const mint = openMint(ctx, keys.signingKey);
  const files = mailboxFiles({ files: ctx.files, home });
  const store = sandboxFileStore({ files: ctx.files, path: join(home, 'secrets.json') });
  const written: MailboxRecord[] = [];
  for (const { mailbox, signInAs, signedIn = true, ...more } of wanted) {
    const address = signInAs ?? mailbox;
    const account = { username: address, tenantId: tenant.id };
    const redirectUri = signedIn === 'never' ? 'https://help.contoso.example/api/auth/oauth2' : 'http://localhost';
    const record: MailboxRecord = {
      mailbox,
      for: more.for ?? 'this-computer',
      ...(more.label === undefined ? {} : { label: more.label }),
      tenantId: more.tenantId ?? tenant.id,
      cloud: namedCloud('public'),
      endpoints: { issuer: 'https://localhost/v2.0', authorization: 'http://localhost/authorize', token: 'https://localhost/token' },
      registration: { clientId: readyApps.public.clientId, clientType: 'public', redirectUri, madeByMailauth: false },
      protocols: more.protocols ?? protocols,
      scopes: [],
      ...(signInAs === undefined ? {} : { signInAs }),
      ...(signedIn === 'never' ? {} : { account }),
      store: 'sandbox-file',
      createdAt: '2026-11-22T00:00:00Z',
      lastTests: [],
    };
    await files.writeMailbox(record);
    written.push(record);
    if (signedIn !== true) continue;
    const scopes = ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'];
    const token = mint.accessToken({
      user: { address, objectId: stableGuid(`user ${address}`), displayName: address },
      tenantId: tenant.id,
      clientId: readyApps.public.clientId,
      appName: readyApps.public.name,
      confidential: false,
      audience: 'https://outlook.office.com',
      scopes,
      expiresIn: 3600,
    });
    const issuedAt = ctx.clock.now();
    const set = { accessToken: new Secret(token), issuedAt, expiresAt: issuedAt + 3_600_000, scopes, account };
    await store.write(tokenEntry(record), encodeTokenSet(set));
  }
  return written;
}
