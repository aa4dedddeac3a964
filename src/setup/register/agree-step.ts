import type { Tenant } from '../../core/cloud.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import type { PlannedCertificate, RegistrationPlan } from '../../core/registration-plan.ts';
import { problem } from '../../errors/problem.ts';
import { planRegistration } from '../../products/plan.ts';
import { productNamed } from '../../products/products.ts';
import type { Answers, RegisterWay } from '../answers/answers.ts';
import { waysByHand } from '../answers/app-questions.ts';
import { missingAgreement } from '../answers/missing.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';
import { actsAs } from '../sign-in/admin-graph.ts';
import { planAnswers } from './registration-step.ts';

/**
 * `auto`: what will change in the tenant and as which Microsoft app, before it does; the default of the question is No. Where
 * `otherWays` are open, No leads to them instead of to the end. Throws `needs-yes`, `setup-declined`.
 */
export async function agreeToChange(
  answers: Answers,
  tenant: Tenant,
  deps: SetupDeps,
  otherWays: boolean,
  certificate?: PlannedCertificate,
): Promise<RegisterWay> {
  const { ctx, report, canAsk, agreed } = deps;
  const guide = productNamed(answers.for);
  if (guide === undefined) throw new Error(`no guide ${answers.for}`);
  const asks = canAsk && !agreed;
  const elsewhere =
    asks && otherWays ? 'Answer No to see the other ways: by hand in the portal, by another person, or with an app that exists.' : '';
  const columns = columnsOf(ctx.err);
  report.show(
    renderChange(
      planRegistration(guide, { ...planAnswers(answers), ...(certificate && { certificate }) }, ''),
      tenant,
      [actsAs(ctx.env), elsewhere],
      columns,
    ),
  );
  if (agreed) return 'auto';
  if (!canAsk) throw missingAgreement(answers);
  if (await ctx.prompts.confirm({ message: 'Create it?', default: false })) return 'auto';
  if (!otherWays) throw problem('setup-declined', {});
  const choices = [{ value: 'stop', name: 'Stop here', description: 'nothing was changed' } as const, ...waysByHand];
  const chosen = await ctx.prompts.select({ message: 'What instead?', choices, default: 'stop' });
  if (chosen === 'stop') throw problem('setup-declined', {});
  return chosen;
}

function permissionLines({ appRoles, graphPermissions, consent }: RegistrationPlan): readonly string[] {
  if (appRoles === undefined) {
    const delegated = `the delegated permissions ${graphPermissions.join(', ')}`;
    return [delegated, ...(consent === 'admin' ? ['consent to them for the whole organization'] : [])];
  }
  const roles = `the application permissions ${appRoles.join(', ')} on Office 365 Exchange Online`;
  return [roles, ...(consent === 'admin' ? ['consent to them; into a mailbox the app comes only when Exchange is told so'] : [])];
}

function renderChange(plan: RegistrationPlan, tenant: Tenant, below: readonly string[], columns: number): string {
  const lines = [
    `an application "${plan.displayName}" with its service principal`,
    ...(plan.redirectUris.length === 0 ? [] : [`its redirect URI ${plan.redirectUris.join(', ')}`]),
    ...permissionLines(plan),
    ...(plan.certificate === undefined
      ? []
      : [`a certificate, valid until ${plan.certificate.expiresAt}; its key stays in the secret store`]),
    ...(plan.secretMonths === undefined ? [] : [`a client secret for ${plan.secretMonths} months, kept in the secret store`]),
  ];
  return [
    `  ${fold(`This creates in the tenant ${tenant.id}:`, columns, 2)}`,
    ...lines.map((line) => `    - ${fold(line, columns, 6)}`),
    ...below.filter((text) => text !== '').flatMap((text) => ['', `  ${fold(text, columns, 2)}`]),
    '',
    '',
  ].join('\n');
}
