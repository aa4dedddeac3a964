import { Exit, type MailauthError } from '../core/errors.ts';
import type { RegistrationPlan } from '../core/registration-plan.ts';
import type { Exists } from '../errors/catalogue/registration/graph-errors.ts';
import { problem } from '../errors/problem.ts';
import { type GraphRefusal, graphDetail, means } from './graph-answer.ts';
import { signInAudiences } from './manifest.ts';
import { isLag } from './replication.ts';

/** Directory roles by what they allow (learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference). */
export const rolesThat = {
  register: ['Application Developer', 'Cloud Application Administrator', 'Application Administrator'],
  consent: ['Cloud Application Administrator', 'Application Administrator', 'Privileged Role Administrator', 'Global Administrator'],
} as const;

interface About extends Exists {
  /** completes "may not …" and "refuses to …": `make the application` */
  readonly what: string;
  readonly roles: readonly string[];
  readonly who?: string | undefined;
  readonly plan?: Pick<RegistrationPlan, 'audience' | 'redirectUris' | 'secretMonths' | 'certificate'>;
}

/**
 * A refusal of Graph as a problem: first the tenant's policies, each by name, then lag, quota and missing roles, then every other
 * refusal.
 */
export function refusalProblem(refusal: GraphRefusal, about: About): MailauthError {
  const more = { detail: graphDetail(refusal) };
  const policy = policyProblem(refusal, about, more);
  if (policy !== undefined) return policy;
  if (isLag(refusal)) return problem('graph-lag', about, more);
  if (means(refusal, 'graph-quota')) return problem('graph-quota', about, more);
  if (means(refusal, 'graph-object-full')) return problem('graph-object-full', about, more);
  if (means(refusal, 'graph-permission-missing')) {
    const [, named] = /permission scope ([A-Z][\w.]+\w)/.exec(refusal.message) ?? [];
    return problem('graph-permission-missing', { ...about, permissions: named === undefined ? [] : [named] }, more);
  }
  // Only this says that the person lacks a role: policies, limits and scopes answer 403 as well.
  if (means(refusal, 'graph-role-missing')) return problem('graph-role-missing', about, more);
  const other = problem('graph-refused', { ...about, said: refusal.message, status: refusal.status }, more);
  return refusal.status === 403 ? other.but({ exit: Exit.notAllowed }) : other;
}

/** A certificate and a client secret are refused with the same codes: what was planned tells which one is meant. */
function certificateProblem(
  refusal: GraphRefusal,
  about: About,
  more: { detail: ReturnType<typeof graphDetail> },
): MailauthError | undefined {
  const { certificate } = about.plan ?? {};
  if (certificate === undefined) return undefined;
  if (means(refusal, 'certificate-authority-forbidden')) return problem('certificate-authority-forbidden', about, more);
  if (means(refusal, 'certificate-lifetime-forbidden') || means(refusal, 'secret-lifetime-forbidden'))
    return problem('certificate-lifetime-forbidden', { ...about, expiresAt: certificate.expiresAt }, more);
  return means(refusal, 'secrets-forbidden') ? problem('certificates-forbidden', about, more) : undefined;
}

function policyProblem(refusal: GraphRefusal, about: About, more: { detail: ReturnType<typeof graphDetail> }): MailauthError | undefined {
  const { plan } = about;
  if (means(refusal, 'service-reference-needed')) return problem('service-reference-needed', { ...about, said: refusal.message }, more);
  const certificate = certificateProblem(refusal, about, more);
  if (certificate !== undefined) return certificate;
  if (means(refusal, 'secrets-forbidden')) return problem('secrets-forbidden', about, more);
  if (means(refusal, 'secret-lifetime-forbidden')) {
    return problem('secret-lifetime-forbidden', { ...about, months: plan?.secretMonths ?? 0 }, more);
  }
  if (means(refusal, 'audience-forbidden')) {
    return problem('audience-forbidden', { ...about, audience: plan === undefined ? '' : signInAudiences[plan.audience] }, more);
  }
  if (means(refusal, 'redirect-domain-forbidden')) {
    return problem('redirect-domain-forbidden', { ...about, uris: plan?.redirectUris ?? [] }, more);
  }
  return undefined;
}
