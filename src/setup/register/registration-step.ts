import type { Cloud, Tenant } from '../../core/cloud.ts';
import type { MadeRegistration } from '../../core/mailbox.ts';
import type { RegistrationPlan } from '../../core/registration-plan.ts';
import type { Secret } from '../../core/secret.ts';
import type { SecretStore } from '../../core/stores.ts';
import type { Graph } from '../../entra/graph.ts';
import type { ClientCertificate } from '../../oauth/client-certificate.ts';
import { type PlanAnswers, planRegistration } from '../../products/plan.ts';
import { productNamed } from '../../products/products.ts';
import type { Answers } from '../answers/answers.ts';
import { isShared } from '../answers/question.ts';
import type { JournaledRegistration } from '../journal/journal-file.ts';
import type { OpenSetup } from '../journal/setup-deps.ts';
import type { Proof } from '../sign-in/registered-setup.ts';
import { publicPart } from './app-certificate.ts';

/** What every way to register works with. */
export interface RegistrationStep extends OpenSetup {
  readonly tenant: Tenant;
  readonly cloud: Cloud;
  readonly store: SecretStore;
  /** app-only access by certificate, in place of a client secret */
  readonly certificate?: ClientCertificate;
  /** the app is for all mailboxes of the tenant and product */
  readonly isShared: boolean;
  /** of a shared app: no other set-up changes it meanwhile */
  readonly alone?: <T>(work: () => Promise<T>) => Promise<T>;
  /** what an earlier run made through Graph */
  readonly madeBefore: JournaledRegistration | undefined;
  /** with an administrator's token, where mailauth registers the app */
  readonly graph?: Graph;
}

/** What each way to register comes to. */
export interface RegistrationResult {
  readonly clientId: string;
  readonly clientSecret?: Secret;
  /** just made: Microsoft may need a minute until every data centre knows it */
  readonly fresh?: boolean;
  readonly secretExpiresAt?: string;
  readonly secretKeyId?: string;
  readonly oldSecretKeyId?: string;
  readonly made?: MadeRegistration;
  readonly madeByMailauth?: boolean;
  readonly publicClientFlows?: boolean;
  readonly proof?: Proof;
  /** with what the tenant asked for meanwhile */
  readonly answers?: Answers;
  readonly graph?: Graph;
}

/**
 * The answers that a registration is planned from. These questions apply to every way that registers an app; `secretMonths` only to
 * a confidential client, and nothing reads it of another.
 */
export function planAnswers(answers: Answers): Answers & PlanAnswers {
  const { name, audience, redirectUri = '', secretMonths = 12 } = answers;
  if (name === undefined || audience === undefined) throw new Error(`no name or audience for --register ${answers.register}`);
  return { ...answers, name, audience, redirectUri, secretMonths };
}

/** What is to be registered by these answers. */
export function planOf(answers: Answers, { certificate }: RegistrationStep, { setupId }: JournaledRegistration): RegistrationPlan {
  const guide = productNamed(answers.for);
  if (guide === undefined) throw new Error(`no guide ${answers.for}`);
  const plan = planRegistration(guide, { ...planAnswers(answers), ...(certificate && { certificate: publicPart(certificate) }) }, setupId);
  return isShared(answers) ? { ...plan, isShared: true } : plan;
}
