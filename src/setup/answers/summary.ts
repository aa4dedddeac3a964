import { type Cloud, mailOf, type Tenant } from '../../core/cloud.ts';
import { fold } from '../../core/fold.ts';
import { isPersonal } from '../../core/links.ts';
import { appRolesOf, delegatedPermissionsOf, graphPermissionsOf } from '../../core/permissions.ts';
import { productNamed } from '../../products/products.ts';
import type { Answers } from './answers.ts';
import { isShared, type SummaryLine } from './question.ts';

type SummaryLabel = SummaryLine | 'Cloud' | 'Authorize at (v2)' | 'Tokens from (v2)' | 'Secrets go to';

/** What will be set up, as label and value: shown before anything is done. */
export function summaryFacts(answers: Answers, tenant: Tenant, cloud: Cloud, store: string): readonly (readonly [SummaryLabel, string])[] {
  const isAppOnly = answers.access === 'app-only';
  return [
    ['Mailbox', answers.mailbox],
    ...(answers.label === undefined ? [] : [['Label', answers.label] as const]),
    ['For', productWords(answers)],
    ...signerFact(answers),
    ['Tenant', tenant.foundBy === tenant.id ? tenant.id : `${tenant.foundBy} ${tenant.id}`],
    ['Cloud', cloud.name],
    ['Authorize at (v2)', tenant.endpoints.authorization],
    ['Tokens from (v2)', tenant.endpoints.token],
    ['App', appWords(answers)],
    ...(answers.redirectUri === undefined ? [] : [['Redirect URI', answers.redirectUri] as const]),
    [
      'Permissions',
      isAppOnly
        ? appRolesOf(answers.protocols).join(', ').concat(' (application)')
        : [...delegatedPermissionsOf(answers.protocols), ...graphPermissionsOf(answers.protocols, answers), 'offline_access']
            .join(', ')
            .concat(' (delegated)'),
    ],
    ['Consent', consentWords(answers, tenant)],
    ['Sign-in', signInWords(answers)],
    ['Secrets go to', store],
  ];
}

function signerFact({ mailbox, openedBy, signInAs = mailbox }: Answers): readonly (readonly ['Signs in as', string])[] {
  if (openedBy === 'unsure') return [['Signs in as', 'found out when the administrator has signed in']];
  return signInAs === mailbox ? [] : [['Signs in as', signInAs]];
}

function productWords({ for: name, variant }: Answers): string {
  const product = productNamed(name);
  const kind = product?.variants?.find((one, i) => one.name === variant && i > 0);
  return `${product?.title ?? name}${kind === undefined ? '' : `: ${kind.title}`}`;
}

function appWords(answers: Answers): string {
  const { clientId, clientType, register, name, audience = 'single', secretMonths, serviceManagementReference } = answers;
  const type = `${clientType} client`;
  if (clientId !== undefined || register === 'existing') return `${clientId ?? ''} (${type})`;
  const how = { auto: 'will be registered', portal: 'to be registered in the portal', handoff: 'an administrator will register it' }[
    register
  ];
  const months = secretMonths === undefined ? [] : [`secret for ${secretMonths} months`];
  const reference = serviceManagementReference === undefined ? [] : [`service reference ${serviceManagementReference}`];
  const shared = isShared(answers) ? ['one for all mailboxes of the tenant and product'] : [];
  return `${how} as "${name}" (${[type, whoseAccounts[audience], ...shared, ...months, ...reference].join(', ')})`;
}

const whoseAccounts = {
  single: 'accounts of this organization',
  multi: 'accounts of any organization',
  'multi-and-personal': 'accounts of any organization and personal ones',
  personal: 'personal accounts',
} as const;

const signInWords = ({ signIn }: Answers): string =>
  signIn === undefined
    ? 'none: the app asks for tokens itself, with its secret or certificate'
    : {
        browser: 'in a browser on this computer',
        paste: 'in a browser on another computer',
        device: 'with a code that is typed in a browser anywhere',
        password: "with the mailbox's password, once",
        skip: 'not on this computer',
      }[signIn];

/** Why an administrator is the usual way: blocked user consent is the rule where Microsoft manages it, and not everywhere. */
function consentWords({ consent, protocols, access }: Answers, { id }: Tenant): string {
  if (access === 'app-only') return consent === 'admin' ? 'by an administrator: only they can allow application permissions' : 'as it is';
  if (isPersonal({ tenant: id })) return 'by the person who signs in';
  const mailIn = mailOf(protocols).some((p) => p !== 'smtp');
  const why = 'where Microsoft manages consent (new tenants, many others), users cannot allow IMAP and POP';
  if (consent === 'admin') return `by an administrator, once for everybody${mailIn ? `: ${why}` : ''}`;
  if (consent === 'user') return `by the user who signs in${mailIn ? `; ${why}, so an administrator must do it there` : ''}`;
  return 'not given now';
}

/** Two columns between blank lines; long values go on below themselves. `columns`: of the terminal, Infinity for a pipe. */
export function renderSummary(facts: readonly (readonly [label: string, value: string])[], columns: number): string {
  const width = Math.max(...facts.map(([label]) => label.length)) + 4;
  const lines = facts.map(([label, value]) => `  ${label}`.padEnd(width) + fold(value, columns, width));
  return `\n${lines.join('\n')}\n\n`;
}
