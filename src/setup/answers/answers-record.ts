import type { Cloud, Tenant } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxKey, MailboxRecord, Registration, StoreName } from '../../core/mailbox.ts';
import { appOnlyScope } from '../../oauth/client-credentials.ts';
import { scopesFor } from '../../oauth/scopes.ts';
import { needsClientFlows } from '../../products/plan.ts';
import type { Answers } from './answers.ts';
import type { Known } from './question.ts';

export interface RecordParts {
  readonly key: MailboxKey;
  readonly answers: Answers;
  readonly registration: Registration;
  readonly tenant: Tenant;
  readonly cloud: Cloud;
  readonly store: StoreName;
  readonly createdAt: string;
}

/** The mailbox file of a set-up nobody has signed in to yet. */
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
    scopes: answers.access === 'app-only' ? [appOnlyScope(cloud)] : scopesFor(cloud, answers.protocols),
    store,
    createdAt,
    lastTests: [],
    ...defined({ signInAs }),
  };
}

/** A device code is wanted, and mailauth registered the app without what it needs. */
export const lacksPublicFlows = ({ publicClientFlows }: Registration, { signIn }: Pick<Answers, 'signIn'>): boolean =>
  signIn === 'device' && publicClientFlows === false;

/** Would these answers make the same set-up again? Then there is nothing to do. */
export function isSameSetup(existing: MailboxRecord, answers: Answers, cloud: Cloud): boolean {
  const { registration: app } = existing;
  const tenants = [existing.tenantId, existing.mailbox.split('@')[1]];
  return (
    existing.cloud.name === cloud.name &&
    (answers.clientId === undefined || app.clientId === answers.clientId.toLowerCase()) &&
    (existing.access ?? 'delegated') === (answers.access ?? 'delegated') &&
    app.clientType === answers.clientType &&
    app.redirectUri === answers.redirectUri &&
    !lacksPublicFlows(app, answers) &&
    (app.made === undefined || (app.name === answers.name && app.audience === answers.audience && app.variant === answers.variant)) &&
    (existing.signInAs ?? existing.mailbox) === (answers.signInAs ?? existing.mailbox) &&
    (answers.tenant === undefined || tenants.includes(answers.tenant.toLowerCase())) &&
    [...existing.protocols].sort().join() === [...answers.protocols].sort().join()
  );
}

/** A finished set-up answers its own questions again, so that running it again changes nothing. */
export function answersOf(record: MailboxRecord): Known {
  const { registration: app } = record;
  return {
    access: record.access ?? 'delegated',
    register: app.made === undefined ? 'existing' : 'auto',
    clientId: app.clientId,
    clientType: app.clientType,
    redirectUri: app.redirectUri,
    ...defined({ name: app.name, audience: app.audience, variant: app.variant }),
    protocols: record.protocols,
    ...defined({ signInAs: record.signInAs }),
    // It was finished without a sign-in here, and stays so until one is asked for.
    ...(record.account === undefined ? { signIn: 'skip' as const } : {}),
  };
}

/** Answers that, given differently, make another app than the one that stands. */
const decidesTheApp = [
  'access',
  'register',
  'tenant',
  'clientId',
  'clientType',
  'redirectUri',
  'audience',
  'variant',
  'protocols',
  'name',
  'secretMonths',
  'consent',
] as const;

/** Do these answers still mean the app that stands? */
export const isSameApp = (saved: Known, answers: Answers): boolean =>
  decidesTheApp.every((id) => String(saved[id]) === String(answers[id])) &&
  (answers.register !== 'auto' || !needsClientFlows(answers.signIn) || needsClientFlows(saved.signIn));
