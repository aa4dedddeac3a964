import type { Cloud, Tenant } from '../core/cloud.ts';
import { fold } from '../core/fold.ts';
import { guideNamed } from '../guides/guides.ts';
import { permissionNames } from '../guides/portal-steps.ts';
import type { Answers } from './answers.ts';

/** What will be set up, as label and value: shown before anything is done. */
export function summaryFacts(answers: Answers, tenant: Tenant, cloud: Cloud, store: string): readonly (readonly [string, string])[] {
  const app =
    answers.clientId ??
    { auto: 'will be registered', portal: 'to be registered in the portal', existing: '', handoff: 'an administrator will register it' }[
      answers.register
    ];
  const signIn = {
    browser: 'in a browser on this computer',
    paste: 'in a browser on another computer',
    password: "with the mailbox's password, once",
    skip: 'nobody signs in here',
  };
  return [
    ['Mailbox', answers.mailbox],
    ['For', guideNamed(answers.for)?.title ?? answers.for],
    ...(answers.signInAs === undefined || answers.signInAs === answers.mailbox ? [] : [['Signs in as', answers.signInAs] as const]),
    ['Tenant', tenant.foundBy === tenant.id ? tenant.id : `${tenant.foundBy} ${tenant.id}`],
    ['Cloud', cloud.name],
    ['Authorize at (v2)', tenant.endpoints.authorization],
    ['Tokens from (v2)', tenant.endpoints.token],
    ['App', `${app} (${answers.clientType} client)`],
    ...(answers.redirectUri === '' ? [] : [['Redirect URI', answers.redirectUri] as const]),
    ['Permissions', [...answers.protocols.map((p) => permissionNames[p]), 'offline_access'].join(', ').concat(' (delegated)')],
    ['Sign-in', signIn[answers.signIn]],
    ['Secrets go to', store],
  ];
}

/** Two columns between blank lines; long values go on below themselves. `columns`: of the terminal, Infinity for a pipe. */
export function renderSummary(facts: readonly (readonly [label: string, value: string])[], columns: number): string {
  const width = Math.max(...facts.map(([label]) => label.length)) + 4;
  const lines = facts.map(([label, value]) => `  ${label}`.padEnd(width) + fold(value, columns, width));
  return `\n${lines.join('\n')}\n\n`;
}
