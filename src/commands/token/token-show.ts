import * as z from 'zod/mini';
import { defined } from '../../core/defined.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import { mailauth } from '../../core/next.ts';
import { inWords, rfc3339 } from '../../core/time.ts';
import { readAccessToken } from '../../oauth/claims.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { mailboxArgument, withoutToken } from '../../session/mailbox-argument.ts';
import { storedToken } from '../../tokens/current.ts';
import { saslUser } from '../../tokens/formats.ts';
import { refreshIdleDeadline } from '../../tokens/lifetimes.ts';
import { renderFacts } from '../../ui/tables.ts';

const schema = z.object({ reveal: z.optional(z.boolean()) });

/** `data` of `token show --json` (docs/contract.md, "JSON"). */
function describe(record: MailboxRecord, set: TokenSet, now: number) {
  const claims = readAccessToken(set.accessToken);
  const deadline = refreshIdleDeadline(set);
  return {
    mailbox: record.mailbox,
    username: saslUser(record),
    account: set.account.username,
    ...defined({ access: record.access }),
    tenantId: record.tenantId,
    clientId: record.registration.clientId,
    audience: claims.opaque ? null : (claims.audience ?? null),
    scopes: set.scopes,
    issuedAt: rfc3339(set.issuedAt),
    expiresAt: rfc3339(set.expiresAt),
    expiresInSeconds: Math.floor((set.expiresAt - now) / 1000),
    refreshable: record.access === 'app-only' || set.refreshToken !== undefined,
    refreshTokenIdleDeadline: deadline === undefined ? null : rfc3339(deadline),
    store: record.store,
    opaque: claims.opaque,
  };
}

export const tokenShow: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth token show helpdesk@contoso.com',
      'mailauth token show --json',
    ])
      .option('--reveal', 'also print the access token itself')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const { reveal } = schema.parse(flags);
    const record = await mailboxArgument(session, mailauth('token show'), args[0], flags, { needs: 'token' });
    const store = await session.store(record);
    const set = await storedToken(store, record);
    if (set === undefined) throw withoutToken([record]);
    const now = session.ctx.clock.now();
    const data = { ...describe(record, set, now), ...(reveal === true ? { accessToken: set.accessToken.reveal() } : {}) };
    return {
      data,
      text: (theme) =>
        renderFacts(
          [
            ['Mailbox', data.mailbox],
            data.access === 'app-only' ? ['Access', 'app-only: the app on its own'] : ['Signed in as', data.account],
            ['Tenant', data.tenantId],
            ['App', data.clientId],
            ['Audience', data.audience ?? 'opaque token: only Microsoft can read it'],
            [data.access === 'app-only' ? 'Roles' : 'Scopes', data.scopes.join('\n')],
            ['Issued', data.issuedAt],
            ['Expires', `${data.expiresAt} (${inWords(set.expiresAt - now)})`],
            [
              'Refresh',
              data.refreshTokenIdleDeadline === null
                ? data.refreshable
                  ? 'by itself, with the secret or certificate of the app'
                  : 'not possible: no refresh token'
                : `by itself; sign-in needed if unused until ${data.refreshTokenIdleDeadline}`,
            ],
            ['Stored in', store.describe()],
            ['Token', reveal === true ? set.accessToken.reveal() : `${'*'.repeat(8)}  (--reveal shows it)`],
          ],
          theme,
        ),
    };
  },
};
