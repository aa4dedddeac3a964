import { type Cloud, exchangeAdminOf, type Tenant } from '../core/cloud.ts';
import { MailauthError } from '../core/errors.ts';
import { plus } from '../core/next.ts';
import type { Run } from '../core/run-parts.ts';
import { Secret } from '../core/secret.ts';
import type { ExchangeSpot } from '../errors/catalogue/registration/exchange-errors.ts';
import { problem } from '../errors/problem.ts';
import { signInAdministrator } from '../oauth/admin-sign-in.ts';
import { readAccessToken } from '../oauth/claims.ts';
import { type ExchangeCalls, exchangeCalls } from './exchange-calls.ts';
import { invokeCommand } from './invoke-command.ts';
import { openPowerShell } from './through-powershell.ts';
import type { Through } from './way.ts';

/** The module reconnects by itself, which takes longer than a call of the web. */
const slowestCmdletMs = 120_000;

interface OpenWay {
  readonly through: Exclude<Through, 'print'>;
  readonly tenant: Tenant;
  readonly cloud: Cloud;
  readonly spot: Omit<ExchangeSpot, 'changed'>;
}

/** A session with Exchange Online. Throws the problems of the administrator's sign-in, and `powershell-module-missing`. */
export async function openWay(run: Run, work: OpenWay): Promise<ExchangeCalls> {
  const { ctx, report } = run;
  const { tenant, cloud, spot } = work;
  if (work.through === 'pwsh') {
    const { powershell, clock } = ctx;
    const waits = { signInMs: run.browserTimeoutMs, timeoutMs: Math.max(run.stepTimeoutMs, slowestCmdletMs) };
    const opened = await openPowerShell({ powershell, clock, report, cloud, tenantId: tenant.id, ...waits }).catch((error: unknown) => {
      if (!(error instanceof MailauthError) || error.code !== 'powershell-module-missing') throw error;
      const others = [plus(spot.again, { through: 'api' }), plus(spot.again, { through: 'print' })];
      const title = powershell.program === undefined ? 'PowerShell 7 (pwsh) is not in the PATH' : error.title;
      throw error.but({ title, next: [...error.next, ...others] });
    });
    if (opened.kind === 'refused') throw problem('exchange-token-refused', { ...spot, reason: opened.said, changed: [] });
    return exchangeCalls(opened.way, { ...spot, host: 'PowerShell', administrator: opened.administrator });
  }
  const base = exchangeAdminOf(cloud);
  const { token, account } = await tokenFor(run, work);
  const way = invokeCommand({
    ...{ network: await run.network(), base, tenantId: tenant.id, token, report },
    ...{ clock: ctx.clock, random: ctx.random, signal: ctx.signal, timeoutMs: run.stepTimeoutMs },
    administrator: account ?? spot.mailbox,
  });
  return exchangeCalls(way, { ...spot, host: new URL(base).host, administrator: account });
}

/** MAILAUTH_EXCHANGE_TOKEN, else a sign-in. It stays in memory, for this one run. */
async function tokenFor(
  run: Run,
  { tenant, cloud, spot }: OpenWay,
): Promise<{ readonly token: Secret; readonly account: string | undefined }> {
  const { MAILAUTH_EXCHANGE_TOKEN: given } = run.ctx.env;
  if (!given) {
    const otherWays = [`Without this sign-in, run the same command with --through pwsh or --through print.`];
    return signInAdministrator(run, { service: 'exchange', tenant, cloud, method: 'browser', again: spot.again, otherWays });
  }
  run.report.detail('Exchange token taken from MAILAUTH_EXCHANGE_TOKEN');
  const token = new Secret(given.trim());
  if (!/^[\x21-\x7e]+$/.test(token.reveal())) {
    const reason = 'MAILAUTH_EXCHANGE_TOKEN holds a blank, a line break or another character that no token has.';
    throw problem('exchange-token-refused', { ...spot, reason, changed: [] });
  }
  const claims = readAccessToken(token);
  return { token, account: claims.opaque ? undefined : claims.username };
}
