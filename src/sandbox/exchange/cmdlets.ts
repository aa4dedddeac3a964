import type { FaultName } from '../faults/faults.ts';
import { findUser, readyApps, stableGuid } from '../tenant/directory.ts';
import { holdersOf, mailboxNamed, organizationSmtpDisabled, principalsOf, switchesOf } from '../tenant/exchange.ts';
import type { State } from '../tenant/state-schema.ts';

interface Call {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string | boolean | null>>;
  readonly fault: FaultName | undefined;
}

export type CmdletAnswer =
  | { readonly kind: 'ok'; readonly objects: readonly object[] }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly exception: string; readonly message: string };

const ok = (...objects: readonly object[]): CmdletAnswer => ({ kind: 'ok', objects });
const tasks = 'Microsoft.Exchange.Configuration.Tasks';
const refused = (status: number, code: string, exception: string, message: string): CmdletAnswer => ({
  ...{ kind: 'refused', status, code, exception, message },
});
const notFound = (what: string): CmdletAnswer =>
  refused(
    404,
    'NotFound',
    `${tasks}.ManagementObjectNotFoundException`,
    `The operation couldn't be performed because object '${what}' couldn't be found on 'SANDBOX.PROD.OUTLOOK.COM'.`,
  );

type Mailbox = NonNullable<ReturnType<typeof mailboxNamed>>;
type Work = (call: Call, state: State, mailbox: Mailbox) => CmdletAnswer;

const text = ({ parameters }: Call, name: string): string => (typeof parameters[name] === 'string' ? parameters[name] : '').toLowerCase();

/** It may open every mailbox from the start, which no list needs to say. */
const readyApp = stableGuid(`service principal ${readyApps.confidential.clientId}`);

/** Under this fault Exchange goes on showing what was there before the change. */
const seen = (call: Call, state: State): State =>
  call.fault === 'exchange-lag' ? { ...state, exchange: { ...state.exchange, switches: {}, rights: [] } } : state;

/** The cmdlets of one mailbox. */
const ofMailbox: Readonly<Record<string, Work>> = {
  'Get-CASMailbox': (call, state, { address }) => {
    const { imap, pop, smtpDisabled } = switchesOf(seen(call, state), call.fault, address);
    return ok({
      Identity: address,
      Name: address,
      PrimarySmtpAddress: address,
      ImapEnabled: imap,
      PopEnabled: pop,
      SmtpClientAuthenticationDisabled: smtpDisabled,
    });
  },
  'Set-CASMailbox': ({ parameters }, state, { address }) => {
    const { ImapEnabled: imap, PopEnabled: pop, SmtpClientAuthenticationDisabled: smtpDisabled } = parameters;
    state.exchange.switches[address] = {
      ...state.exchange.switches[address],
      ...(typeof imap === 'boolean' ? { imap } : {}),
      ...(typeof pop === 'boolean' ? { pop } : {}),
      ...(typeof smtpDisabled === 'boolean' || smtpDisabled === null ? { smtpDisabled } : {}),
    };
    return ok();
  },
  'Get-Mailbox': (_, __, { address, shared }) =>
    ok({
      RecipientTypeDetails: shared ? 'SharedMailbox' : 'UserMailbox',
      ...{ PrimarySmtpAddress: address, UserPrincipalName: address, EmailAddresses: [`SMTP:${address}`] },
    }),
  'Get-MailboxPermission': (call, state, { address }) => {
    const who = text(call, 'User');
    if (who !== '' && !isKnown(call, state, who)) return notFound(who);
    const holders = holdersOf(seen(call, state), call.fault, address, 'FullAccess').filter((one) =>
      who === '' ? one !== readyApp : one === who,
    );
    const own =
      who === '' ? [{ User: 'NT AUTHORITY\\SELF', AccessRights: ['FullAccess', 'ReadPermission'], Deny: false, IsInherited: false }] : [];
    return ok(
      ...own,
      ...holders.map((User) => ({ Identity: address, User, AccessRights: ['FullAccess'], Deny: false, IsInherited: false })),
    );
  },
  'Add-MailboxPermission': (call, state, { address }) =>
    setRight(call, state, { address, who: text(call, 'User'), right: 'FullAccess', granted: true }),
  'Remove-MailboxPermission': (call, state, { address }) =>
    setRight(call, state, { address, who: text(call, 'User'), right: 'FullAccess', granted: false }),
  'Get-RecipientPermission': (call, state, { address }) => {
    const who = text(call, 'Trustee');
    if (who !== '' && !isKnown(call, state, who)) return notFound(who);
    const holders = holdersOf(seen(call, state), call.fault, address, 'SendAs').filter((one) =>
      who === '' ? one !== readyApp : one === who,
    );
    const own = who === '' ? [{ Trustee: 'NT AUTHORITY\\SELF', AccessControlType: 'Allow', AccessRights: ['SendAs'] }] : [];
    return ok(...own, ...holders.map((Trustee) => ({ Identity: address, Trustee, AccessControlType: 'Allow', AccessRights: ['SendAs'] })));
  },
  'Add-RecipientPermission': (call, state, { address }) =>
    setRight(call, state, { address, who: text(call, 'Trustee'), right: 'SendAs', granted: true }),
  'Remove-RecipientPermission': (call, state, { address }) =>
    setRight(call, state, { address, who: text(call, 'Trustee'), right: 'SendAs', granted: false }),
};

function isKnown(call: Call, state: State, who: string): boolean {
  return findUser(who).kind === 'user' || principalsOf(state, call.fault).some(({ objectId }) => objectId === who);
}

function setRight(
  call: Call,
  state: State,
  { address, who, right, granted }: { address: string; who: string; right: 'FullAccess' | 'SendAs'; granted: boolean },
): CmdletAnswer {
  if (!isKnown(call, state, who)) return notFound(who);
  const { rights } = state.exchange;
  const others = rights.filter((one) => one.mailbox !== address || one.who !== who || one.right !== right);
  state.exchange.rights = [...others, { mailbox: address, who, right, granted }];
  return ok(...(granted ? [{ Identity: address, User: who, AccessRights: [right] }] : []));
}

/** The cmdlets of the organisation. */
const ofOrganization: Readonly<Record<string, (call: Call, state: State) => CmdletAnswer>> = {
  'Get-TransportConfig': (call) => ok({ SmtpClientAuthenticationDisabled: organizationSmtpDisabled(call.fault) }),
  'Get-ServicePrincipal': (call, state) =>
    ok(...principalsOf(state, call.fault).map(({ appId, objectId, name }) => ({ AppId: appId, ObjectId: objectId, DisplayName: name }))),
  'New-ServicePrincipal': (call, state) => {
    const [appId, objectId] = [text(call, 'AppId'), text(call, 'ObjectId')];
    if (principalsOf(state, call.fault).some((one) => one.appId === appId))
      return refused(400, 'BadRequest', `${tasks}.ADObjectAlreadyExistsException`, `The service principal '${appId}' already exists.`);
    state.exchange.principals.push({ appId, objectId, name: text(call, 'DisplayName') });
    return ok({ AppId: appId, ObjectId: objectId });
  },
  'Remove-ServicePrincipal': (call, state) => {
    const identity = text(call, 'Identity');
    state.exchange.principals = state.exchange.principals.filter(({ appId, objectId }) => appId !== identity && objectId !== identity);
    return ok();
  },
  'Enable-OrganizationCustomization': (_, state) => {
    state.exchange.customized = true;
    return ok();
  },
  'Get-ManagementScope': (call, state) => named(state.exchange.scopes, text(call, 'Identity')),
  'New-ManagementScope': (call, state) => {
    const isFresh = call.fault === 'exchange-customization' || (call.fault === 'exchange-not-customized' && !state.exchange.customized);
    if (isFresh)
      return refused(
        400,
        'BadRequest',
        'Microsoft.Exchange.Management.Tasks.DehydratedException',
        "The command you tried to run isn't currently allowed in your organization. To run this command, you first need to run the command: Enable-OrganizationCustomization.",
      );
    state.exchange.scopes.push({ name: text(call, 'Name'), filter: text(call, 'RecipientRestrictionFilter') });
    return ok({ Name: text(call, 'Name') });
  },
  'Remove-ManagementScope': (call, state) => {
    state.exchange.scopes = state.exchange.scopes.filter(({ name }) => name !== text(call, 'Identity'));
    return ok();
  },
  'Get-ManagementRoleAssignment': (call, state) => named(state.exchange.roles, text(call, 'Identity')),
  'New-ManagementRoleAssignment': (call, state) => {
    state.exchange.roles.push({ name: text(call, 'Name'), appId: text(call, 'App'), scope: text(call, 'CustomResourceScope') });
    return ok({ Name: text(call, 'Name') });
  },
  'Remove-ManagementRoleAssignment': (call, state) => {
    state.exchange.roles = state.exchange.roles.filter(({ name }) => name !== text(call, 'Identity'));
    return ok();
  },
  'Test-ServicePrincipalAuthorization': (call, state) => {
    const principal = principalsOf(state, call.fault).find(({ appId, objectId }) => [appId, objectId].includes(text(call, 'Identity')));
    const assigned = state.exchange.roles.filter(({ appId }) => appId === principal?.appId);
    return ok(...assigned.map(({ scope }) => ({ RoleName: 'Application SMTP.SendAsApp', AllowedResourceScope: scope, InScope: true })));
  },
};

function named(list: readonly { readonly name: string }[], identity: string): CmdletAnswer {
  const found = list.filter(({ name }) => name === identity);
  return found.length === 0 ? notFound(identity) : ok(...found.map(({ name }) => ({ Name: name })));
}

/** Runs one cmdlet, and changes the state where the cmdlet does. */
export function runCmdlet(call: Call, state: State): CmdletAnswer {
  const work = ofMailbox[call.name];
  if (work !== undefined) {
    const mailbox = mailboxNamed(text(call, 'Identity'));
    return mailbox === undefined ? notFound(text(call, 'Identity')) : work(call, state, mailbox);
  }
  return (
    ofOrganization[call.name]?.(call, state) ??
    refused(
      400,
      'BadRequest',
      'System.Management.Automation.CommandNotFoundException',
      `The term '${call.name}' is not recognized as a name of a cmdlet.`,
    )
  );
}
