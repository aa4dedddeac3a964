import type { Cloud, Tenant } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxKey, MailboxRecord, Registration } from '../../core/mailbox.ts';
import { authorityOf, differenceOf } from '../../core/sign-in-authority.ts';
import type { StoreName } from '../../core/stores.ts';
import { appOnlyScope } from '../../oauth/client-credentials.ts';
import { scopesFor } from '../../oauth/scopes.ts';
import { needsClientFlows } from '../../products/plan.ts';
import type { Answers, Known } from './answers.ts';
import { allQuestions } from './questions.ts';

interface RecordParts {
  readonly key: MailboxKey;
  readonly answers: Answers;
  readonly registration: Registration;
  readonly tenant: Tenant;
  readonly cloud: Cloud;
  readonly store: StoreName;
  readonly createdAt: string;
}

/** The mailbox file of a set-up before the first sign-in. */
export function recordOf({ key, answers, registration, tenant, cloud, store, createdAt }: RecordParts): MailboxRecord {
  const signInAs = answers.signInAs !== undefined && answers.signInAs !== answers.mailbox ? answers.signInAs : undefined;
  return {
    ...key,
    ...(answers.access === 'app-only' ? { access: 'app-only' as const } : {}),
    tenantId: tenant.id,
    cloud,
    endpoints: tenant.endpoints,
    registration,
    protocols: answers.protocols,
    scopes: answers.access === 'app-only' ? [appOnlyScope(cloud)] : scopesFor(cloud, answers.protocols, answers),
    store,
    createdAt,
    lastTests: [],
    ...defined({ signInAs, label: answers.label }),
  };
}

/** A cloud file may have kept its name and named other hosts. */
export const isSameCloud = (a: Cloud, b: Cloud): boolean =>
  a.name === b.name && differenceOf(authorityOf(a, { tenantId: '' }), authorityOf(b, { tenantId: '' })) === undefined;

/** Would these answers make the same set-up again? Then there is nothing to do. */
export const isSameSetup = (existing: MailboxRecord, answers: Answers, cloud: Cloud): boolean =>
  isSameCloud(existing.cloud, cloud) && allQuestions.every(({ isKept }) => isKept(existing, answers));

/**
 * A finished set-up answers its own questions again, so that running it again changes nothing. An app that Microsoft does not know any more is
 * asked for again.
 */
export function answersOf(record: MailboxRecord): Known {
  const known: Record<string, unknown> = {};
  for (const { id, recorded } of allQuestions) known[id] = recorded?.(record);
  if (record.refused?.code === 'client-unknown') delete known.clientId;
  return defined(known);
}

/** Do these answers still mean the app that is registered? */
export const isSameApp = (saved: Known, answers: Answers): boolean =>
  allQuestions.every(({ id, decidesApp }) => !decidesApp || String(saved[id]) === String(answers[id])) &&
  (answers.register !== 'auto' || !needsClientFlows(answers.signIn) || needsClientFlows(saved.signIn));
