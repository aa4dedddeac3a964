import type { Protocol } from '../core/cloud.ts';
import type { ClientType } from '../core/mailbox.ts';
import { type Audience, accountTypes } from './guide.ts';

/** One screen of the Entra admin center, said so that it can be followed without a picture. */
export interface PortalStep {
  readonly title: string;
  /** the menu words, always, because deep links are undocumented and change */
  readonly menu: string;
  readonly link: string;
  readonly actions: readonly string[];
  /** values to copy into the form */
  readonly values: readonly { readonly field: string; readonly value: string }[];
  /** the mistake that people make at this very step */
  readonly trap?: string;
  /** what the operator brings back from this screen */
  readonly yields?: 'client-id' | 'client-secret';
}

export interface PortalFacts {
  readonly portal: string;
  readonly mailbox: string;
  readonly name: string;
  readonly audience: Audience;
  readonly clientType: ClientType;
  readonly redirectUri: string;
  readonly protocols: readonly Protocol[];
  readonly secretMonths: number;
  readonly consent: 'admin' | 'user' | 'skip';
  /** known from the second screen on */
  readonly clientId?: string;
}

export const permissionNames: Record<Protocol, string> = {
  imap: 'IMAP.AccessAsUser.All',
  pop: 'POP.AccessAsUser.All',
  smtp: 'SMTP.Send',
};

const registrations = 'Entra ID > App registrations';

/** The registration by hand, screen by screen. Pure. Menu words and routes: shared facts on Microsoft, section 10. */
export function portalSteps(f: PortalFacts): readonly PortalStep[] {
  const steps = [register(f), permissions(f)];
  if (f.consent === 'admin') steps.push(consent(f));
  if (f.clientType === 'confidential') steps.push(secret(f));
  return steps;
}

function blade(f: PortalFacts, name: string): string {
  const list = `${f.portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade/quickStartType~/null/sourceType/Microsoft_AAD_IAM`;
  return f.clientId === undefined
    ? list
    : `${f.portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/${name}/appId/${f.clientId}/isMSAApp~/false`;
}

function register(f: PortalFacts): PortalStep {
  const platform = f.clientType === 'confidential' ? 'Web' : 'Public client/native (mobile & desktop)';
  return {
    title: 'Register the app',
    menu: `${registrations} > New registration`,
    link: `${f.portal}/#view/Microsoft_AAD_RegisteredApps/CreateApplicationBlade/quickStartType~/null/isMSAApp~/false`,
    actions: ['Fill in the form with these values', 'Press "Register"', 'Copy "Application (client) ID" from the Overview page'],
    values: [
      { field: 'Name', value: f.name },
      { field: 'Supported account types', value: accountTypes[f.audience] },
      { field: 'Redirect URI, platform', value: platform },
      { field: 'Redirect URI', value: f.redirectUri },
    ],
    trap: 'The overview shows three GUIDs: take "Application (client) ID", not "Object ID" and not "Directory (tenant) ID".',
    yields: 'client-id',
  };
}

function permissions(f: PortalFacts): PortalStep {
  const names = [...f.protocols.map((p) => permissionNames[p]), 'offline_access', 'openid', 'profile', 'email', 'User.Read'];
  return {
    title: 'Add the delegated permissions',
    menu: `${registrations} > your app > API permissions > Add a permission > Microsoft Graph > Delegated permissions`,
    link: blade(f, 'CallAnAPI'),
    actions: ['Search for each name, tick it', 'Press "Add permissions"'],
    values: names.map((value) => ({ field: 'Permission', value })),
    trap: 'Choose "Delegated permissions". "Application permissions" is another thing and does not work here.',
  };
}

function consent(f: PortalFacts): PortalStep {
  return {
    title: 'Grant admin consent',
    menu: `${registrations} > your app > API permissions > Grant admin consent for (your organization)`,
    link: blade(f, 'CallAnAPI'),
    actions: ['Press "Grant admin consent for …", then "Yes"', 'Every row must show "Granted for …" with a green tick'],
    values: [],
    trap:
      'Only an administrator can press it. Tenants that let Microsoft manage consent do not let users agree to IMAP and POP themselves, ' +
      'so without this step the sign-in stops at "Need admin approval".',
  };
}

function secret(f: PortalFacts): PortalStep {
  return {
    title: 'Make a client secret',
    menu: `${registrations} > your app > Certificates & secrets > Client secrets > New client secret`,
    link: blade(f, 'Credentials'),
    actions: ['Press "New client secret", fill in, press "Add"', 'Copy the column "Value" now: it is shown only once'],
    values: [
      { field: 'Description', value: `mailauth ${f.mailbox}` },
      { field: 'Expires', value: `${f.secretMonths} months` },
    ],
    trap: 'Copy "Value", not "Secret ID". The ID is a GUID and never signs in.',
    yields: 'client-secret',
  };
}
