import type { Cloud } from '../../core/cloud.ts';
import { type MailboxRecord, signerOf, type TokenSet } from '../../core/mailbox.ts';
import type { Secret } from '../../core/secret.ts';
import { signIn } from '../../oauth/sign-in.ts';
import { resumeHere, type SetupDeps } from '../journal/setup-deps.ts';
import { type Proof, requestFor } from './registered-setup.ts';
import { untilRightAccount } from './wrong-account.ts';

interface ProofStep {
  readonly deps: SetupDeps;
  readonly cloud: Cloud;
  readonly proof: Proof;
  readonly method: 'browser' | 'paste';
  readonly clientSecret?: Secret;
}

/**
 * Proves the whole chain before the product gets it: signs in on this computer as the product would, for the tests that follow. The tokens
 * stay in memory.
 */
export async function signInForProof(record: MailboxRecord, step: ProofStep): Promise<TokenSet> {
  const { deps, cloud, proof, method } = step;
  const { ctx, report } = deps;
  const request = {
    ...(await requestFor(record, step)),
    redirectUri: proof.redirectUri,
    loopback: true,
    method,
    waitMs: deps.browserTimeoutMs,
    canAsk: deps.asksForAddress ?? deps.canAsk,
    again: resumeHere(record, cloud),
    kept: false,
  };
  const view = {
    ...{ report, step: 'sign-in' },
    atAddress: `Sign in as ${signerOf(record)}, for a proof before ${record.for} does, at this address:`,
    inBrowser: `Sign in there as ${signerOf(record)}, for a proof before ${record.for} does.`,
  };
  const set = await untilRightAccount(record, {
    deps,
    selectAccount: false,
    attempt: (selectAccount) => signIn(ctx, { ...request, selectAccount }, view, async () => undefined),
  });
  report.progress('sign-in', 'done', `Signed in as ${set.account.username} for the proof; no token is kept`);
  return set;
}
