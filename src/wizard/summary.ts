import type { Cloud, Tenant } from '../core/cloud.ts';
import { permissionNames } from '../guides/portal-steps.ts';
import type { Answers } from './answers.ts';

/** What will be set up, as label and value: shown before anything is done. */
export function summaryFacts(answers: Answers, tenant: Tenant, cloud: Cloud, store: string): readonly (readonly [string, string])[] {
  const app = answers.clientId ?? 'to be registered in the portal';
  const signIn = { browser: 'in a browser on this computer', paste: 'in a browser on another computer', skip: 'nobody signs in here' };
  return [
    ['Mailbox', answers.mailbox],
    ['For', answers.for],
    ...(answers.signInAs === undefined || answers.signInAs === answers.mailbox ? [] : [['Signs in as', answers.signInAs] as const]),
    ['Tenant', `${tenant.id} (found by ${tenant.foundBy}, cloud ${cloud.name})`],
    ['Authorization endpoint (v2)', tenant.endpoints.authorization],
    ['Token endpoint (v2)', tenant.endpoints.token],
    ['App', `${app}, ${answers.clientType} client`],
    ['Redirect URI', answers.redirectUri],
    ['Delegated permissions', [...answers.protocols.map((p) => permissionNames[p]), 'offline_access'].join(', ')],
    ['Sign-in', signIn[answers.signIn]],
    ['Secrets go to', store],
  ];
}
