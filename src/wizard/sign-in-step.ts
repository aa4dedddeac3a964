import type { Cloud } from '../core/cloud.ts';
import type { Context, Network } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import type { Reporter } from '../core/report.ts';
import type { Secret } from '../core/secret.ts';
import { signIn } from '../oauth/sign-in.ts';
import type { MailboxFiles } from '../store/mailbox-file.ts';
import type { SecretStore } from '../store/store.ts';
import { encodeTokenSet, tokenEntry } from '../store/token-entry.ts';
import { isLoopback } from './answers.ts';

export interface SignInStep {
  readonly deps: {
    readonly ctx: Context;
    readonly report: Reporter;
    readonly mailboxes: MailboxFiles;
    readonly canAsk: boolean;
    readonly stepTimeoutMs: number;
    readonly browserTimeoutMs: number;
    network(): Promise<Network>;
  };
  readonly store: SecretStore;
  readonly cloud: Cloud;
  readonly method: 'browser' | 'paste';
  readonly selectAccount: boolean;
  readonly clientSecret?: Secret;
  /** the command that does it again */
  readonly again: string;
  /** done after the tokens are stored and before the record is written */
  keepFirst?(record: MailboxRecord): Promise<void>;
  onWrongAccount?(): Promise<void>;
}

/** Signs in for a record, stores the tokens, writes the mailbox file, in this order. A person may try again after a wrong account. */
export async function signInAndStore(record: MailboxRecord, step: SignInStep): Promise<{ record: MailboxRecord; set: TokenSet }> {
  const { deps } = step;
  const network = await deps.network();
  let selectAccount = step.selectAccount;
  for (;;) {
    try {
      return await once(record, step, network, selectAccount);
    } catch (error) {
      if (!(error instanceof MailauthError) || error.code !== 'wrong-account') throw error;
      await step.onWrongAccount?.();
      if (!deps.canAsk) throw error;
      deps.report.progress('sign-in', 'failed', error.title);
      const again = await deps.ctx.prompts.confirm({ message: `Sign in again as ${record.signInAs ?? record.mailbox}?`, default: true });
      if (!again) throw error;
      selectAccount = true;
    }
  }
}

async function once(
  record: MailboxRecord,
  step: SignInStep,
  network: Network,
  selectAccount: boolean,
): Promise<{ record: MailboxRecord; set: TokenSet }> {
  const { deps, store } = step;
  const { ctx, report } = deps;
  let written = record;
  const set = await signIn(
    ctx,
    {
      app: {
        cloud: step.cloud,
        tenantId: record.tenantId,
        endpoints: record.endpoints,
        clientId: record.registration.clientId,
        network,
        clock: ctx.clock,
        timeoutMs: deps.stepTimeoutMs,
        signal: ctx.signal,
        ...(step.clientSecret === undefined ? {} : { clientSecret: step.clientSecret }),
      },
      mailbox: record.mailbox,
      ...(record.signInAs === undefined ? {} : { signInAs: record.signInAs }),
      redirectUri: record.registration.redirectUri,
      loopback: isLoopback(record.registration.redirectUri),
      scopes: record.scopes,
      method: step.method,
      selectAccount,
      waitMs: deps.browserTimeoutMs,
      canAsk: deps.canAsk,
      again: step.again,
    },
    {
      authorizationRequired: (url, expiresAt) => {
        report.progress('sign-in', 'waiting', `Sign in as ${record.signInAs ?? record.mailbox}, in a browser, at this address:`);
        report.authorizationRequired(url, expiresAt);
      },
      note: (text) => report.note(text),
      waiting: (text) => report.progress('sign-in', 'started', text),
    },
    async (tokens) => {
      await store.write(tokenEntry(record), encodeTokenSet(tokens));
      await step.keepFirst?.(record);
      written = { ...record, account: tokens.account };
      await deps.mailboxes.writeMailbox(written);
      report.progress('sign-in', 'done', `Signed in as ${tokens.account.username}; tokens stored: ${store.describe()}`);
    },
  );
  if (set.refreshToken === undefined) {
    report.note('Microsoft gave no refresh token (offline_access is missing): somebody must sign in again when this token expires.');
  }
  return { record: written, set };
}
