import { handoffFiles } from '../../by-hand/handoff/handoff-files.ts';
import { clientIdBlank } from '../../by-hand/handoff/handoff-request.ts';
import { handoffFolder, writeHandoff } from '../../by-hand/handoff/write-handoff.ts';
import { portalSteps } from '../../by-hand/portal-steps.ts';
import type { Cloud, Tenant } from '../../core/cloud.ts';
import type { MailboxKey } from '../../core/mailbox.ts';
import { type Command, mailauth, noted, plus } from '../../core/next.ts';
import { shown } from '../../core/shown.ts';
import { planRegistration } from '../../products/plan.ts';
import { productNamed } from '../../products/products.ts';
import { guardWrites } from '../../store/home.ts';
import type { Answers } from '../answers/answers.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';
import { planAnswers } from './registration-step.ts';

interface HandoffStep {
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
  /** the command with which the operator goes on: on a terminal, it asks for what the administrator sends back */
  readonly goOn: Command;
}

/** Writes one folder for the administrator; run again it stays as it is. Nothing in the tenant is changed. */
export async function writeForAdministrator(answers: Answers, { deps, key, tenant, cloud, setupId }: HandoffStep): Promise<HandedOff> {
  const guide = productNamed(answers.for);
  if (guide === undefined) throw new Error(`no guide ${answers.for}`);
  const { mailbox } = answers;
  const product = answers.for === 'this-computer' ? undefined : answers.for;
  const goOn = mailauth('setup', { resume: true, mailbox, for: product, register: 'existing', cloud });
  const secret = answers.clientType === 'confidential' ? '-' : undefined;
  // The scripts put the real ID into the place of the blank.
  const withId = plus(goOn, { register: false, clientId: clientIdBlank, clientSecretFile: secret });
  const files = handoffFiles({
    plan: planRegistration(guide, planAnswers(answers), setupId),
    title: guide.title,
    steps: portalSteps({ ...planAnswers(answers), portal: cloud.portal }),
    mailbox: answers.mailbox,
    tenantId: tenant.id,
    cloud,
    goOn: shown(withId, deps.ctx.surroundings),
    ...(answers.signInAs === undefined || answers.signInAs === answers.mailbox ? {} : { signInAs: answers.signInAs }),
  });
  const folder = handoffFolder(deps.home, key);
  await guardWrites(deps.home, () => writeHandoff(deps.ctx, folder, files));
  deps.report.progress('handoff', 'done', `Instructions and scripts for an administrator written to ${folder}`);
  const asked = secret === undefined ? 'the ID' : 'the ID and the client secret';
  const goesOn = noted(goOn, `on a terminal, it asks for ${asked} that they send back`);
  return { folder, files: files.map((file) => file.name), goOn: goesOn };
}
