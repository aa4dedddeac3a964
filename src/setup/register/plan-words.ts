import type { Tenant } from '../../core/cloud.ts';
import type { Context } from '../../core/context.ts';
import { fold } from '../../core/fold.ts';
import { isLoopback, type MailboxRecord } from '../../core/mailbox.ts';
import type { RegistrationPlan } from '../../core/registration-plan.ts';
import { adminApp } from '../../oauth/admin-refusal.ts';
import { productNamed } from '../../products/products.ts';
import { namedUsers } from '../../secrets/app-users.ts';
import type { Answers } from '../answers/answers.ts';
import { renderSummary } from '../answers/summary.ts';

/** What the summary is written from. `plan` is of an app that is to be registered. */
export interface Planned {
  readonly answers: Answers;
  readonly tenant: Tenant;
  readonly plan: RegistrationPlan | undefined;
  /** the set-ups whose app this mailbox uses, too */
  readonly users: readonly MailboxRecord[];
}

/** What will be set up, where, and who signs in: at most twelve lines. The rest is among the details. */
export function shortSummary({ answers, tenant, plan, users }: Planned, env: Context['env'], columns: number): string {
  const { mailbox, for: product, redirectUri, signInAs, openedBy, register } = answers;
  const title = product === 'this-computer' ? 'this computer' : (productNamed(product)?.title ?? product);
  const facts: (readonly [string, string])[] = [
    ...(register === 'existing' ? [['App', answers.clientId ?? ''] as const] : []),
    ...(openedBy === 'unsure' ? [['Opened by', 'not sure: found out once the administrator has signed in'] as const] : []),
    ...(signInAs === undefined || signInAs === mailbox ? [] : [['Opened by', signInAs] as const]),
    ...(redirectUri === undefined || isLoopback(redirectUri) ? [] : [['Callback', redirectUri] as const]),
  ];
  const width = Math.max(0, ...facts.map(([label]) => label.length)) + 4;
  const makes =
    plan === undefined
      ? []
      : users.length > 0
        ? [
            `  ${fold(`Use the app of ${namedUsers(users)} in ${tenant.foundBy}, and add what it lacks:`, columns, 2)}`,
            ...added(plan, columns),
          ]
        : [`  ${fold(madeBy[register](tenant.foundBy), columns, 2)}`, ...changes(plan).map((text) => `    ${fold(text, columns, 4)}`)];
  const words = signInWords(answers, env);
  const paragraphs = [
    [
      `  ${fold(`${mailbox} for ${title}, tenant ${tenant.foundBy}`, columns, 2)}`,
      ...facts.map(([label, value]) => `  ${label}`.padEnd(width) + fold(value, columns, width)),
    ],
    makes,
    words === '' ? [] : [`  ${fold(words, columns, 2)}`],
  ];
  return `\n${paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n\n`;
}

const madeBy: Readonly<Record<Answers['register'], (tenant: string) => string>> = {
  auto: (tenant) => `Create in ${tenant}:`,
  portal: (tenant) => `You create in ${tenant}, in the portal, screen by screen:`,
  handoff: (tenant) => `An administrator creates in ${tenant}, by the folder that is written now:`,
  existing: () => '',
};

/** Of an app that others use: no name, and no second secret. */
const added = (plan: RegistrationPlan, columns: number): readonly string[] =>
  [...changes(plan).slice(-1), ...plan.redirectUris.map((uri) => `redirect URI ${uri}`)].map((text) => `    ${fold(text, columns, 4)}`);

function changes(plan: RegistrationPlan): readonly string[] {
  const { displayName, secretMonths, certificate, consent, appRoles, exchangePermissions, graphPermissions } = plan;
  const byGraph = graphPermissions.some((name) => name.startsWith('Mail.Send')) ? ['Microsoft Graph'] : [];
  const names = [...(appRoles ?? exchangePermissions).map((name) => name.replace(/\..*/, '')), ...byGraph];
  const sending = ['SMTP', 'Microsoft Graph'];
  const does = [
    ...(names.some((name) => !sending.includes(name)) ? ['read'] : []),
    ...(names.some((name) => sending.includes(name)) ? ['send'] : []),
  ];
  const mail = `${does.join(' and ')} mail (${names.join(', ')})`;
  return [
    `app "${displayName}"`,
    ...(secretMonths === undefined ? [] : [`client secret, ${secretMonths} month${secretMonths === 1 ? '' : 's'}`]),
    ...(certificate === undefined ? [] : [`certificate, until ${certificate.expiresAt}`]),
    consent === 'admin'
      ? `consent ${appRoles === undefined ? 'for everybody' : 'for the app itself'}: ${mail}`
      : `permissions, without consent: ${mail}`,
  ];
}

/** Whose sign-in comes next, and as what. */
function signInWords(
  { register, signIn, signInAs, openedBy, mailbox, access }: Answers,
  { MAILAUTH_GRAPH_TOKEN: given }: Context['env'],
): string {
  const who = signInAs ?? mailbox;
  const own =
    access === 'app-only'
      ? 'No person signs in: the app gets its own tokens.'
      : signIn === 'skip'
        ? ''
        : `Then ${openedBy === 'unsure' ? 'the person who opens the mailbox' : who} signs in.`;
  if (register !== 'auto') return own.replace('Then ', '');
  const administrator = given
    ? 'The token in MAILAUTH_GRAPH_TOKEN is used for this and not stored.'
    : `You sign in once as an administrator, through Microsoft's own "${adminApp.name}". It is used once and not kept.`;
  return `${administrator} ${own}`.trim();
}

/** All that is known before the first change, for those who want to check it. */
export function allDetails(
  facts: readonly (readonly [label: string, value: string])[],
  plan: RegistrationPlan | undefined,
  tenant: Tenant,
  env: Context['env'],
  columns: number,
): string {
  return renderSummary(facts, columns) + (plan === undefined ? '' : renderChange(plan, tenant, env, columns));
}

function permissionLines({ appRoles, graphPermissions, consent }: RegistrationPlan): readonly string[] {
  if (appRoles === undefined) {
    const delegated = `the delegated permissions ${graphPermissions.join(', ')}`;
    return [delegated, ...(consent === 'admin' ? ['consent to them for the whole organization'] : [])];
  }
  const roles = `the application permissions ${appRoles.join(', ')} on Office 365 Exchange Online`;
  return [roles, ...(consent === 'admin' ? ['consent to them; into a mailbox the app comes only when Exchange is told so'] : [])];
}

function renderChange(plan: RegistrationPlan, tenant: Tenant, { MAILAUTH_GRAPH_TOKEN: given }: Context['env'], columns: number): string {
  const lines = [
    `an application "${plan.displayName}" with its service principal`,
    ...(plan.redirectUris.length === 0 ? [] : [`its redirect URI ${plan.redirectUris.join(', ')}`]),
    ...permissionLines(plan),
    ...(plan.certificate === undefined
      ? []
      : [`a certificate, valid until ${plan.certificate.expiresAt}; its key stays in the secret store`]),
    ...(plan.secretMonths === undefined ? [] : [`a client secret for ${plan.secretMonths} months, kept in the secret store`]),
  ];
  const actsAs = given ? [] : ['', `  ${fold(`${adminApp.name} has the client ID ${adminApp.clientId}.`, columns, 2)}`];
  return [
    `  ${fold(`This creates in the tenant ${tenant.id}:`, columns, 2)}`,
    ...lines.map((line) => `    - ${fold(line, columns, 6)}`),
    ...actsAs,
    '',
    '',
  ].join('\n');
}
