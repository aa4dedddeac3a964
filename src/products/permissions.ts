import { appRoleNames } from '../core/app-roles.ts';
import type { Protocol } from '../core/cloud.ts';
import type { Product } from './product.ts';

/** Names of the delegated mail permissions, on Microsoft Graph and on Office 365 Exchange Online alike. */
export const permissionNames: Readonly<Record<Protocol, string>> = {
  imap: 'IMAP.AccessAsUser.All',
  pop: 'POP.AccessAsUser.All',
  smtp: 'SMTP.Send',
};

const inOrder: readonly Protocol[] = ['imap', 'pop', 'smtp'];

/** The product's list, with the mail permissions of exactly the protocols that were chosen. */
export function permissionsOf(product: Product, protocols: readonly Protocol[]): readonly string[] {
  const wanted = mailPermissionsOf(protocols);
  const kept = product.permissions.filter((name) => wanted.includes(name) || !Object.values(permissionNames).includes(name));
  return [...kept, ...wanted.filter((name) => !kept.includes(name))];
}

/** `IMAP.AccessAsUser.All` and the like for the chosen protocols. They are also granted on Exchange Online. */
export function mailPermissionsOf(protocols: readonly Protocol[]): readonly string[] {
  return inOrder.filter((protocol) => protocols.includes(protocol)).map((protocol) => permissionNames[protocol]);
}

/** Names of the application permissions for app-only access, on Exchange Online only. */
export const appRolesOf = (protocols: readonly Protocol[]): readonly string[] =>
  inOrder.filter((protocol) => protocols.includes(protocol)).map((protocol) => appRoleNames[protocol]);
