import type { Protocol } from '../../../core/cloud.ts';
import { addFullAccess, addSendAs, newManagementScope, newSendingRole, newServicePrincipal, powerShellLine } from '../../../core/cmdlet.ts';
import { sha256 } from '../../../core/hashes.ts';
import { type MailSpot, protocolSwitch, ps } from './mail-words.ts';

/** Whom Exchange Online is told about: the app, and its service principal in this tenant. */
interface ExchangeApp {
  readonly clientId: string;
  /**
   * Object id of the Enterprise application (the service principal). Not the object id on the app registration's page: with that one
   * New-ServicePrincipal succeeds, and every sign-in fails.
   */
  readonly servicePrincipalId?: string;
  readonly mailbox: string;
}

export type AppSpot = MailSpot & Pick<ExchangeApp, 'clientId' | 'servicePrincipalId'>;

/** Stands where nobody knows it yet. */
export const objectIdBlank = 'ENTERPRISE-APP-OBJECT-ID';

/**
 * Exchange Online PowerShell that lets an app with `IMAP.AccessAsApp` and its kin into one mailbox: Full Access to read it, Send As to send
 * (learn.microsoft.com, how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth).
 */
export function exchangeLines(app: ExchangeApp, protocols: readonly Protocol[]): readonly string[] {
  const { clientId, servicePrincipalId = objectIdBlank, mailbox } = app;
  return [
    powerShellLine(newServicePrincipal({ appId: clientId, objectId: servicePrincipalId })),
    ...(protocols.some((protocol) => protocol !== 'smtp') ? [powerShellLine(addFullAccess(mailbox, servicePrincipalId, 'app'))] : []),
    ...(protocols.includes('smtp') ? [powerShellLine(addSendAs(mailbox, servicePrincipalId))] : []),
    ...protocols.map((protocol) => protocolSwitch({ protocol }, mailbox)),
  ];
}

/**
 * The newer way to send, RBAC for Applications: SMTP only, one mailbox, no Full Access. The app must not have `SMTP.SendAsApp` in Entra
 * beside it, because with that claim Exchange checks the mailbox's permissions as well (docs/microsoft.md, "Exchange Online PowerShell").
 * The filter names the mailbox by its address.
 */
export function sendingOnly(app: ExchangeApp): readonly string[] {
  const { clientId, servicePrincipalId = objectIdBlank, mailbox } = app;
  const name = ownName(app);
  return [
    powerShellLine(newServicePrincipal({ appId: clientId, objectId: servicePrincipalId })),
    powerShellLine(newManagementScope(name, mailbox)),
    powerShellLine(newSendingRole(name, clientId)),
    `Test-ServicePrincipalAuthorization -Identity ${ps(clientId)} -Resource ${ps(mailbox)}`,
  ];
}

/** Exchange's limit of a scope's and an assignment's name (learn.microsoft.com, New-ManagementRoleAssignment). */
const longestName = 64;

/** Scopes and role assignments have names that are unique in the organization, and one app may send for several mailboxes. */
export function ownName({ clientId, mailbox }: Pick<ExchangeApp, 'clientId' | 'mailbox'>): string {
  // Where nobody knows the ID yet, a blank stands whole.
  const [app = clientId] = /^[0-9a-f]{8}(?=-)/i.exec(clientId) ?? [];
  const name = `mailauth-${app}-${mailbox}`;
  return name.length <= longestName ? name : `${name.slice(0, longestName - 9)}-${sha256(mailbox).slice(0, 8)}`;
}

/** The lines for the protocol that was refused. `explain` has none at hand. */
export function appLines(v: AppSpot): readonly string[] {
  const { clientId, servicePrincipalId } = v;
  const known = servicePrincipalId === undefined ? {} : { servicePrincipalId };
  return exchangeLines({ clientId, mailbox: v.user, ...known }, [v.protocol]);
}
