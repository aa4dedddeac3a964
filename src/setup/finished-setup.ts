import type { Cloud, Tenant } from '../core/cloud.ts';
import { MailauthError } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { discoverTenant } from '../entra/discovery.ts';
import { storedToken } from '../tokens/current.ts';
import type { Answers } from './answers/answers.ts';
import { isSameSetup } from './answers/answers-record.ts';
import type { Already } from './ending.ts';
import type { OpenSetup, SetupDeps } from './journal/setup-deps.ts';
import { bringsCredential, isAppDeleted } from './register/registered-before.ts';

/** The finished set-up, where it is signed in, the answers are the same and its app is still there. */
export async function unchanged(
  { deps, input, journal }: OpenSetup,
  existing: MailboxRecord | undefined,
  answers: Answers,
  cloud: Cloud,
): Promise<MailboxRecord | undefined> {
  if (existing === undefined || journal.now.done.length > 0 || bringsCredential(input)) return undefined;
  const isSame = await isFinished({ deps, input, cloud }, existing, answers);
  return isSame && !(await isAppDeleted(deps, existing, cloud)) ? existing : undefined;
}

/** Would these answers find the set-up finished and signed in? Whether its app is still there, only Microsoft knows. */
export async function isFinished(
  { deps, input, cloud }: Pick<OpenSetup, 'deps' | 'input'> & { readonly cloud: Cloud },
  existing: MailboxRecord,
  answers: Answers,
): Promise<boolean> {
  // Microsoft refused the last renewal, and its error named this command.
  if (existing.refused !== undefined) return false;
  if (!isSameSetup(existing, await withTenantId(answers, existing, deps, cloud), cloud)) return false;
  const skips = answers.access === 'app-only' ? input.flags.signIn === 'skip' : answers.signIn === 'skip';
  return skips || isSignedIn(deps, existing);
}

/** A tenant may be named by any of its domains: one that leads to the tenant of the finished set-up is no other answer. */
async function withTenantId(answers: Answers, existing: MailboxRecord, deps: SetupDeps, cloud: Cloud): Promise<Answers> {
  const { tenant } = answers;
  if (tenant === undefined || isSameSetup(existing, answers, cloud)) return answers;
  const { tenant: _, ...others } = answers;
  if (!isSameSetup(existing, others, cloud)) return answers;
  const found = await discover(deps, cloud, tenant).catch(() => undefined);
  return found?.id === existing.tenantId ? others : answers;
}

/** A sign-in that belongs to another cloud, or of which nobody knows where it belongs, is made anew. */
async function isSignedIn(deps: SetupDeps, existing: MailboxRecord): Promise<boolean> {
  const set = await storedToken(await deps.store(existing), existing);
  if (set === undefined) return false;
  try {
    await deps.refuseForeign(existing, set);
    return true;
  } catch (error) {
    if (error instanceof MailauthError && /^(?:authority|account)-/.test(error.code)) return false;
    throw error;
  }
}

/** Another label of a set-up that is finished: it is written, and nobody signs in for it. */
export async function already({ mailboxes }: SetupDeps, existing: MailboxRecord, { label }: Answers): Promise<Already> {
  if (label === undefined || label === existing.label) return { kind: 'already', record: existing };
  const record = { ...existing, label };
  await mailboxes.writeMailbox(record);
  return { kind: 'already', record, isRelabelled: true };
}

/** The tenant behind a domain or an ID. Throws what discovery throws. */
export const discover = async (deps: SetupDeps, cloud: Cloud, domainOrId: string): Promise<Tenant> =>
  discoverTenant({ network: await deps.network(), cloud, domainOrId, timeoutMs: deps.stepTimeoutMs, signal: deps.ctx.signal });
