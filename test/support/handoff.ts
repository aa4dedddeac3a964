import { type HandoffRequest, handoffFiles } from '../../src/by-hand/handoff/handoff-files.ts';
import { portalSteps } from '../../src/by-hand/portal-steps.ts';
import { namedCloud } from '../../src/core/cloud.ts';
import { type PlanAnswers, planRegistration } from '../../src/products/plan.ts';
import { productNamed } from '../../src/products/products.ts';

export const tenantId = '72f988bf-86f1-41af-91ab-2d7cd011db47';

/** A request as the wizard would make it. */
export function handoffRequest(name: string, more: Partial<HandoffRequest> & { answers?: Partial<PlanAnswers> } = {}): HandoffRequest {
  const guide = productNamed(name);
  if (guide === undefined) throw new Error(`no guide ${name}`);
  const { answers: extra, ...rest } = more;
  const mailbox = rest.mailbox ?? 'helpdesk@contoso.com';
  const cloud = rest.cloud ?? namedCloud('public');
  const answers: PlanAnswers = {
    name: `mailauth ${name} ${mailbox}`,
    audience: guide.audience,
    clientType: guide.clientType,
    redirectUri: guide.redirectUri ?? 'https://help.contoso.com/api/auth/oauth2',
    protocols: guide.protocols,
    secretMonths: guide.secretMonths,
    consent: 'admin',
    ...extra,
  };
  return {
    plan: planRegistration(guide, answers, '5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d'),
    title: guide.title,
    steps: portalSteps({ ...answers, mailbox, portal: cloud.portal, for: name }),
    mailbox,
    tenantId,
    cloud,
    goOn: `mailauth setup --for ${name} --mailbox ${mailbox} --register existing --client-id CLIENT-ID`,
    ...rest,
  };
}

/** The text of one of the files. */
export function handoffText(request: HandoffRequest, name: string): string {
  const file = handoffFiles(request).find((one) => one.name === name);
  if (file === undefined) throw new Error(`no file ${name}`);
  return file.text;
}
