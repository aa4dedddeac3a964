import { type Cloud, mailOf } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { appPage } from '../../core/links.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import type { Command } from '../../core/next.ts';
import type { Run } from '../../core/run-parts.ts';
import { publishingPausesMs } from '../../core/time.ts';
import { exchangeLines, sendingOnly } from '../../errors/catalogue/mail/app-lines.ts';
import { problem } from '../../errors/problem.ts';
import type { ProtocolResult } from '../../mail/result.ts';
import { missingRoles } from '../../oauth/client-credentials.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';
import { testMailbox } from './kept-tokens.ts';

interface AppOnlyStep {
  readonly deps: Pick<Run, 'ctx' | 'report'>;
  readonly cloud: Cloud;
  /** asks the token endpoint as the app */
  fetch(): Promise<TokenSet>;
  /** the roles were given a moment ago */
  readonly patient: boolean;
  /** the command that does it again */
  readonly again: Command;
}

/**
 * The app's own token, once it carries the roles that the protocols need. Throws `app-role-missing` (6) and what the token endpoint says.
 * Sending alone may go without `SMTP.SendAsApp`: RBAC for Applications gives that right in Exchange, and then Entra must not.
 */
export async function appTokenWithRoles(record: MailboxRecord, step: AppOnlyStep): Promise<TokenSet> {
  const { deps, cloud } = step;
  const set = await fetchUntilRoles(record, step);
  const missing = missingRoles(set, record.protocols);
  const vital = missing.filter((role) => role !== 'SMTP.SendAsApp');
  if (vital.length > 0) {
    const { clientId } = record.registration;
    const link = appPage({ cloud, clientId }, 'CallAnAPI');
    throw problem('app-role-missing', { mailbox: record.mailbox, roles: vital, again: step.again, link, clientId });
  }
  if (missing.length > 0)
    deps.report.note(
      `The token does not carry ${missing.join()}: right where sending is allowed in Exchange alone (RBAC for Applications).`,
    );
  return set;
}

async function fetchUntilRoles(record: MailboxRecord, { deps, fetch, patient }: AppOnlyStep): Promise<TokenSet> {
  deps.report.progress('token', 'started', 'Asking for a token as the app itself');
  let set = await fetch();
  for (const waitMs of patient ? publishingPausesMs : []) {
    if (missingRoles(set, record.protocols).length === 0) break;
    deps.report.progress('token', 'waiting', `Microsoft is still publishing the app's roles; waiting ${waitMs / 1000} s`);
    await deps.ctx.clock.sleep(waitMs, deps.ctx.signal);
    set = await fetch();
  }
  return set;
}

/** What an Exchange administrator runs before the app gets into the mailbox. */
interface ExchangeWork {
  readonly lines: readonly string[];
  /** where the set-up only sends: the newer way in place of those lines, by a role */
  readonly instead?: readonly string[];
}

export function exchangeWork(record: MailboxRecord): ExchangeWork {
  const servicePrincipalId = record.account?.objectId ?? record.registration.made?.servicePrincipalId;
  const app = {
    clientId: record.registration.clientId,
    mailbox: record.mailbox,
    ...defined({ servicePrincipalId }),
  };
  const used = mailOf(record.protocols);
  const onlySends = used.every((protocol) => protocol === 'smtp');
  return { lines: exchangeLines(app, used), ...(onlySends ? { instead: sendingOnly(app) } : {}) };
}

/** The lines as a person reads them: whole, so that they can be copied. */
export function renderExchangeWork({ lines, instead }: ExchangeWork): string {
  return [
    '  In Exchange Online PowerShell (Connect-ExchangeOnline), as an Exchange administrator:',
    ...lines.map((line) => `    ${line}`),
    ...(instead === undefined
      ? []
      : [
          '  Or by a role for this mailbox alone (then take SMTP.SendAsApp away from the app in Entra):',
          ...instead.map((line) => `    ${line}`),
        ]),
    "  -ObjectId is that of the Enterprise application, not the one on the app registration's page.",
    '',
  ].join('\n');
}

/** The tests of a new set-up. A person is shown the lines first: without them every test is red. */
export async function testApp(deps: SetupDeps, record: MailboxRecord, cloud: Cloud, set: TokenSet): Promise<readonly ProtocolResult[]> {
  if (deps.canAsk) {
    deps.report.show(`\n${renderExchangeWork(exchangeWork(record))}\n`);
    const done = await deps.ctx.prompts.confirm({ message: 'Were these lines run? (No leaves the tests out)', default: true });
    if (!done) return [];
  }
  return testMailbox(deps, record, cloud, async () => set);
}
