import { defined } from '../../core/defined.ts';
import type { MailboxRecord, Registration } from '../../core/mailbox.ts';
import { authorityOf } from '../../core/sign-in-authority.ts';
import { isSameKey } from '../../secrets/app-users.ts';
import { secretFor } from '../../tokens/bound.ts';
import { wantsProof } from '../answers/fitting.ts';
import type { OpenSetup, SetupPlan } from '../journal/setup-deps.ts';
import type { Registered } from '../sign-in/registered-setup.ts';
import { bringsCredential, isAppDeleted } from './registered-before.ts';

/**
 * The shared app, where by the set-ups that use it this mailbox lacks nothing of it: no permission, no redirect URI, no consent. Then nothing is
 * changed in the tenant, and no administrator has to sign in. undefined: an administrator looks at it.
 */
export async function coveredBy(
  users: readonly MailboxRecord[],
  { deps, input, key, journal }: OpenSetup,
  { answers, existing, store, cloud, tenant }: SetupPlan,
): Promise<Registered | undefined> {
  const others = users.filter((user) => !isSameKey(user, key));
  const [first] = others;
  if (first === undefined || answers.register !== 'auto' || answers.openedBy === 'unsure') return undefined;
  if (wantsProof(answers) || bringsCredential(input) || existing?.refused !== undefined) return undefined;
  // An earlier run found something wrong with the app itself.
  const { done, app } = journal.now;
  if (done.includes('registration') && app === undefined) return undefined;
  if (!lacksNothing(answers, others, deps.ctx.clock.now())) return undefined;
  const { secretKeyId, secretExpiresAt, oldSecretKeyId, made, name, audience, ...theirs } = first.registration;
  const registration: Registration = {
    ...theirs,
    redirectUri: answers.redirectUri ?? '',
    ...defined({ secretKeyId, secretExpiresAt, oldSecretKeyId, made, name, audience }),
  };
  const isConfidential = registration.clientType === 'confidential';
  const clientSecret = isConfidential
    ? await secretFor(store, key, authorityOf(cloud, { tenantId: tenant.id, clientId: registration.clientId }), true)
    : undefined;
  if (isConfidential && clientSecret === undefined) return undefined;
  const covered: Registered = { answers, registration, ...defined({ clientSecret }) };
  if (await isAppDeleted(deps, first, cloud)) return undefined;
  deps.report.progress('registration', 'done', `Using app ${registration.clientId}, as it is`);
  await journal.answered(answers);
  return covered;
}

function lacksNothing(answers: SetupPlan['answers'], users: readonly MailboxRecord[], now: number): boolean {
  const all = users.map(({ registration }) => registration);
  const has = new Set(users.flatMap(({ protocols }) => protocols));
  // Sending through Microsoft Graph for somebody else is a permission of its own.
  const sendsAlike = users.filter(({ protocols }) => protocols.includes('graph-send'));
  const isDelegate = answers.signInAs !== undefined;
  if (!answers.protocols.every((one) => has.has(one))) return false;
  if (answers.protocols.includes('graph-send') && !sendsAlike.some(({ signInAs }) => (signInAs !== undefined) === isDelegate)) return false;
  if (answers.redirectUri !== undefined && !all.some(({ redirectUri }) => redirectUri === answers.redirectUri)) return false;
  if (!all.some(({ variant }) => variant === answers.variant)) return false;
  if (answers.signIn === 'device' && !all.some(({ publicClientFlows }) => publicClientFlows === true)) return false;
  if (all.some(({ secretExpiresAt }) => secretExpiresAt !== undefined && Date.parse(secretExpiresAt) <= now)) return false;
  if (answers.consent !== 'admin') return true;
  const isConsented = users.some(({ access, registration: { made }, account }) =>
    access === 'app-only' ? account !== undefined : (made?.grantIds ?? []).length > 0,
  );
  return isConsented;
}
