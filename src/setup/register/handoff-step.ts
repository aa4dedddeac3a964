import { handoffFiles } from '../../by-hand/handoff/handoff-files.ts';
import { clientIdBlank } from '../../by-hand/handoff/handoff-request.ts';
import { handoffFolder, writeHandoff } from '../../by-hand/handoff/write-handoff.ts';
import { portalSteps } from '../../by-hand/portal-steps.ts';
import type { Cloud, Tenant } from '../../core/cloud.ts';
import { shellWord } from '../../core/links.ts';
import type { MailboxKey } from '../../core/mailbox.ts';
import { planRegistration } from '../../products/plan.ts';
import { productNamed } from '../../products/products.ts';
import { guardWrites } from '../../store/home.ts';
import type { Answers } from '../answers/answers.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';
import { planAnswers } from './registration-step.ts';

export interface HandoffStep {
  readonly deps: SetupDeps;
  readonly key: MailboxKey;
  readonly tenant: Tenant;
  readonly cloud: Cloud;
  /** random, noted before: the scripts put it on the app as tag */
  readonly setupId: string;
}

export interface HandedOff {
  readonly folder: string;
  readonly files: readonly string[];
  /** the command with which the operator goes on, `CLIENT-ID` in it */
  readonly goOn: string;
}

/** Writes one folder for the administrator; run again it stays as it is. Nothing in the tenant is changed. */
export async function writeForAdministrator(answers: Answers, { deps, key, tenant, cloud, setupId }: HandoffStep): Promise<HandedOff> {
  const guide = productNamed(answers.for);
  if (guide === undefined) throw new Error(`no guide ${answers.for}`);
  const secret = answers.clientType === 'confidential' ? ' --client-secret-file FILE' : '';
  const product = answers.for === 'this-computer' ? '' : ` --for ${answers.for}`;
  const where =
    { sandbox: ' --sandbox', public: '' }[cloud.name] ??
    (/^(usgov|usgov-dod|china)$/.test(cloud.name) ? ` --cloud ${cloud.name}` : ' --cloud-file FILE');
  const goOn = `mailauth setup --resume --mailbox ${shellWord(answers.mailbox)}${product} --client-id ${clientIdBlank}${secret}${where}`;
  const files = handoffFiles({
    plan: planRegistration(guide, planAnswers(answers), setupId),
    title: guide.title,
    steps: portalSteps({ ...planAnswers(answers), portal: cloud.portal }),
    mailbox: answers.mailbox,
    tenantId: tenant.id,
    cloud,
    goOn,
    ...(answers.signInAs === undefined || answers.signInAs === answers.mailbox ? {} : { signInAs: answers.signInAs }),
  });
  const folder = handoffFolder(deps.home, key);
  await guardWrites(deps.home, () => writeHandoff(deps.ctx, folder, files));
  deps.report.progress('handoff', 'done', `Instructions and scripts for an administrator written to ${folder}`);
  return { folder, files: files.map((file) => file.name), goOn };
}
