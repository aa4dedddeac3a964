import { type Cloud, exchangeAdminOf } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import { Exit, type MailauthError } from '../core/errors.ts';
import { signInLogs } from '../core/links.ts';
import { inPlaceOfLogin } from '../core/next.ts';
import { sentence } from '../core/text.ts';
import type { AdminServiceName, AdminWays } from '../errors/catalogue/registration/admin-errors.ts';
import { problem } from '../errors/problem.ts';
import { type EntraError, entraProblem } from './entra-error.ts';

/**
 * Microsoft Azure CLI: Microsoft's own public client, which every tenant knows. It is pre-authorised for the Graph permissions that a
 * registration needs, so Microsoft asks for no consent (docs/microsoft.md, "The administrator's sign-in").
 */
export const adminApp: AdminApp = { name: 'Microsoft Azure CLI', clientId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46' };

/**
 * The public client of Microsoft's own Exchange Online module, which every tenant knows as well (docs/microsoft.md, "Exchange Online through
 * its own web call").
 */
const exchangeApp: AdminApp = {
  name: 'Microsoft Exchange REST API Based Powershell',
  clientId: 'fb78d390-0c51-40cd-8e17-fdbfab77341b',
};

interface AdminApp {
  readonly name: string;
  readonly clientId: string;
}

interface AdminService {
  readonly app: AdminApp;
  readonly title: string;
  /** everything that this app may do there */
  scope(cloud: Cloud): string;
}

const everythingOf = (base: string): string => `${base.replace(/\/$/, '')}/.default`;

/** What an administrator signs in for, and through which of Microsoft's own apps. */
export const adminServices: Readonly<Record<AdminServiceName, AdminService>> = {
  graph: { app: adminApp, title: 'Microsoft Graph', scope: (cloud) => everythingOf(cloud.graph) },
  exchange: { app: exchangeApp, title: 'Exchange Online', scope: (cloud) => everythingOf(exchangeAdminOf(cloud)) },
};

interface Kind {
  readonly numbers: readonly number[];
  readonly why: (app: AdminApp, service: string) => string;
  /** what the same person can mend in the same sign-in */
  readonly first?: { readonly choice: string; readonly step: string };
  /** what an administrator of the tenant can change */
  readonly remedy?: (app: AdminApp, cloud: Cloud) => string;
}

const inEnterpriseApps = (app: AdminApp): string => `Entra > Enterprise apps > ${app.name} (${app.clientId})`;
const exempt = (app: AdminApp, cloud: Cloud): string =>
  `exempt ${app.name} (${app.clientId}) or this account from the policy; the sign-in logs name it: ${signInLogs({ cloud })}`;

/** What the numbers mean for this sign-in. A number that is not here is told in Microsoft's own words and no others. */
const kinds: readonly Kind[] = [
  {
    numbers: [530084],
    why: () =>
      'A policy of the tenant asks for tokens that are bound to a device (token protection), and a sign-in in the browser has none.',
    remedy: exempt,
  },
  {
    numbers: [53000, 53001, 53002, 53009, 530001, 530002, 530003, 50097, 50127, 50129, 50155, 50187, 50005, 135011, 700003],
    why: (app) => `A policy of the tenant lets ${app.name} sign in only from certain devices.`,
    remedy: exempt,
  },
  {
    numbers: [53003, 53004, 53010, 53011, 50131, 50158, 530031, 530032, 530033, 530034, 530035, 530036, 50196, 500021, 500022],
    why: (app) => `A policy of the tenant blocks ${app.name}, this account or the place where it signs in.`,
    remedy: exempt,
  },
  {
    numbers: [50072, 50074, 50076, 50078, 50079, 500121],
    why: () => 'The tenant asks for more than a password here (multi-factor authentication), and that was not done.',
    first: {
      choice: 'Sign in again, and finish the multi-factor authentication',
      step: 'and finish the multi-factor authentication this time',
    },
  },
  {
    numbers: [50126, 50056],
    why: () => 'The user name or the password is wrong.',
    first: { choice: 'Try the password again', step: 'and try the password again' },
  },
  {
    numbers: [50105],
    why: (app) => `In this tenant only assigned users may use ${app.name}, and this account is not assigned.`,
    remedy: (app) =>
      `assign the account: ${inEnterpriseApps(app)} > Users and groups, or set "Assignment required?" to No under Properties.`,
  },
  {
    numbers: [7000112, 70001, 700016, 700011, 7000229],
    why: (app) => `${app.name} is switched off or missing in this tenant.`,
    remedy: (app) => `set "Enabled for users to sign in?" to Yes: ${inEnterpriseApps(app)} > Properties.`,
  },
  {
    numbers: [65001, 90008, 90093, 90094, 90095, 900941, 50150],
    why: (app) => `Nobody consented to ${app.name} in this tenant.`,
    remedy: (app) => `review the permissions: ${inEnterpriseApps(app)} > Permissions > Grant admin consent.`,
  },
  {
    numbers: [500011, 500014, 50001, 650052, 650054, 90124, 90130],
    why: (_, service) =>
      `${service} was not found in the tenant under this address: the tenant may be in another Microsoft cloud (--cloud).`,
  },
  {
    numbers: [65002, 650053, 650057, 65005, 70011],
    why: (app, service) => `Microsoft does not let ${app.name} have what was asked for on ${service}.`,
  },
  { numbers: [65004], why: () => 'The sign-in was cancelled on the page of Microsoft.' },
];

const kindOf = (aadsts: number | undefined): Kind | undefined =>
  kinds.find(({ numbers }) => aadsts !== undefined && numbers.includes(aadsts));

/** What a person can try first where this number refused the administrator's sign-in, as a choice of a menu. */
export const firstTry = (aadsts: number | undefined): string | undefined => kindOf(aadsts)?.first?.choice;

/** A refusal of the administrator's sign-in. Its advice is about that sign-in, which is another person's and another app's than the mailbox's. */
export function adminRefusal(said: EntraError, about: AdminWays & { readonly cloud: Cloud; readonly tenant: string }): MailauthError {
  const told = entraProblem(said, { ...about, clientId: adminServices[about.service ?? 'graph'].app.clientId, scopes: [] });
  return asAdminRefusal(told, about);
}

/** The same for a refusal that was told in the words of the mailbox's sign-in. What may pass by itself keeps its words. */
export function asAdminRefusal(told: MailauthError, about: AdminWays & { readonly cloud: Cloud }): MailauthError {
  const { again, otherWays, cloud, service = 'graph' } = about;
  const { app, title } = adminServices[service];
  if (told.exit === Exit.temporary) return told.but({ next: told.next.map((step) => inPlaceOfLogin(step, again)) });
  const { aadsts, reply = '' } = told.detail;
  const kind = told.code === 'consent-declined' ? kindOf(65004) : kindOf(aadsts);
  const words = reply === '' ? 'It gave no reason.' : `Microsoft says: ${sentence(reply)}`;
  const reason = kind === undefined ? words : kind.why(app, title);
  const more = defined({ first: kind?.first?.step, remedy: kind?.remedy?.(app, cloud) });
  const blanks = { again, otherWays, service, app: app.name, reason, ...more };
  const refusal = problem('admin-sign-in-refused', blanks, { detail: told.detail, cause: told });
  // What only an administrator of the tenant can change is exit 6 for whatever sign-in.
  return kind?.remedy === undefined ? refusal.but({ exit: told.exit }) : refusal;
}
