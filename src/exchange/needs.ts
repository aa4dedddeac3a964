import { type Cloud, mailOf, type Protocol } from '../core/cloud.ts';
import {
  addFullAccess,
  addSendAs,
  type Cmdlet,
  connectLine,
  newManagementScope,
  newSendingRole,
  newServicePrincipal,
  powerShellLine,
  switchOn,
} from '../core/cmdlet.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { isGuid } from '../core/text.ts';
import { objectIdBlank, ownName } from '../errors/catalogue/mail/app-lines.ts';
import type { ExchangeState } from './exchange-state.ts';

/** Who opens the mailbox: itself, a person with rights on it, or an app that acts for itself. */
export type Opener =
  | { readonly kind: 'own' }
  | { readonly kind: 'delegate'; readonly user: string }
  | {
      readonly kind: 'app';
      readonly appId: string;
      /** of the Enterprise application; undefined: nobody has told it yet */
      readonly objectId?: string;
      /** the registration carries SMTP.SendAsApp, so Exchange checks the mailbox's permissions and not the roles of RBAC for Applications */
      readonly sendsByPermission: boolean;
    };

/** What one set-up uses in Exchange Online. */
export interface ExchangeUse {
  readonly mailbox: string;
  readonly protocols: readonly Protocol[];
  /** it also sends through Microsoft Graph, which no switch of the mailbox stops */
  readonly sendsByGraph?: boolean;
  readonly opener: Opener;
}

export const changeNames = [
  'servicePrincipal',
  'fullAccess',
  'sendAs',
  'managementScope',
  'roleAssignment',
  'imap',
  'pop',
  'smtpAuth',
] as const;
export type ChangeName = (typeof changeNames)[number];

/** One thing that has to be changed for a set-up: what is there now, what it becomes, and the cmdlets for both directions. */
export interface Change {
  readonly what: ChangeName;
  /** null: not there */
  readonly before: string | null;
  readonly after: string;
  readonly cmdlet: Cmdlet;
  readonly undo: Cmdlet;
}

/** What this set-up uses. `sendsByPermission`: the app's token carries SMTP.SendAsApp, or nobody knows. */
export function exchangeUse(record: MailboxRecord, sendsByPermission: boolean): ExchangeUse {
  const { mailbox, signInAs = mailbox, access, registration, account } = record;
  const protocols = mailOf(record.protocols);
  if (access === 'app-only') {
    const objectId = account?.objectId ?? registration.made?.servicePrincipalId;
    const opener = {
      kind: 'app',
      appId: registration.clientId,
      sendsByPermission,
      ...(objectId === undefined ? {} : { objectId }),
    } as const;
    return { mailbox, protocols, opener };
  }
  const sendsByGraph = record.protocols.includes('graph-send');
  return { mailbox, protocols, sendsByGraph, opener: signInAs === mailbox ? { kind: 'own' } : { kind: 'delegate', user: signInAs } };
}

/** Reading over IMAP or POP. An app that only sends needs no Full Access. */
const reads = ({ protocols }: ExchangeUse): boolean => protocols.some((protocol) => protocol !== 'smtp');

/** Every change that such a set-up can need, as if nothing of it were there yet. */
function allChanges(use: ExchangeUse): readonly Change[] {
  const { mailbox, protocols, opener } = use;
  const sends = protocols.includes('smtp') || use.sendsByGraph === true;
  return [
    ...(opener.kind === 'delegate'
      ? [...(protocols.length > 0 ? [fullAccess(mailbox, opener.user, 'person')] : []), ...(sends ? [sendAs(mailbox, opener.user)] : [])]
      : []),
    ...(opener.kind === 'app' ? appChanges(use, opener) : []),
    ...protocols.map((protocol) => switchChange(mailbox, protocol)),
  ];
}

function appChanges(use: ExchangeUse, { appId, objectId = objectIdBlank, sendsByPermission }: Opener & { kind: 'app' }): readonly Change[] {
  const { mailbox, protocols } = use;
  const sends = protocols.includes('smtp');
  const name = ownName({ clientId: appId, mailbox });
  return [
    added('servicePrincipal', objectId, newServicePrincipal({ appId, objectId }), removal('Remove-ServicePrincipal', objectId)),
    ...(reads(use) ? [fullAccess(mailbox, objectId, 'app')] : []),
    ...(sends && sendsByPermission ? [sendAs(mailbox, objectId)] : []),
    ...(sends && !sendsByPermission
      ? [
          added('managementScope', name, newManagementScope(name, mailbox), removal('Remove-ManagementScope', name)),
          added('roleAssignment', name, newSendingRole(name, appId), removal('Remove-ManagementRoleAssignment', name)),
        ]
      : []),
  ];
}

const added = (what: ChangeName, after: string, cmdlet: Cmdlet, undo: Cmdlet): Change => ({ what, before: null, after, cmdlet, undo });

const removal = (name: string, identity: string): Cmdlet => ({ name, parameters: { Identity: identity, Confirm: false } });

const fullAccess = (mailbox: string, who: string, kind: 'person' | 'app'): Change =>
  added('fullAccess', who, addFullAccess(mailbox, who, kind), {
    name: 'Remove-MailboxPermission',
    parameters: { Identity: mailbox, User: who, AccessRights: 'FullAccess', Confirm: false },
  });

const sendAs = (mailbox: string, who: string): Change =>
  added('sendAs', who, addSendAs(mailbox, who), {
    name: 'Remove-RecipientPermission',
    parameters: { Identity: mailbox, Trustee: who, AccessRights: 'SendAs', Confirm: false },
  });

/** Nobody knows yet what it was: `off`, unless the state says otherwise. */
function switchChange(mailbox: string, protocol: Protocol, before: 'off' | 'inherited' = 'off'): Change {
  const cmdlet = switchOn(mailbox, protocol);
  const back = (value: string | boolean | null) => (typeof value !== 'boolean' ? value : before === 'inherited' ? null : !value);
  const parameters = Object.fromEntries(Object.entries(cmdlet.parameters).map(([name, value]) => [name, back(value)]));
  return { what: protocol === 'smtp' ? 'smtpAuth' : protocol, before, after: 'on', cmdlet, undo: { ...cmdlet, parameters } };
}

/** Only what is not there. Without a state (nobody was asked) it is everything. */
export function changesFor(use: ExchangeUse, state: ExchangeState | undefined): readonly Change[] {
  const all = allChanges(use);
  if (state === undefined) return all;
  const { switches, granted, servicePrincipal, sendingRole, organization } = state;
  const isThere: Readonly<Record<ChangeName, boolean>> = {
    servicePrincipal: servicePrincipal !== null,
    fullAccess: granted.fullAccess,
    sendAs: granted.sendAs,
    managementScope: sendingRole?.scope === true,
    roleAssignment: sendingRole?.assignment === true,
    imap: switches.imap === 'on',
    pop: switches.pop === 'on',
    smtpAuth: switches.smtpAuth === 'on' || (switches.smtpAuth === 'inherited' && organization.smtpAuth === 'on'),
  };
  const missing = all.filter(({ what }) => !isThere[what]);
  return missing.map((change) =>
    change.what === 'smtpAuth' && switches.smtpAuth === 'inherited' ? switchChange(use.mailbox, 'smtp', 'inherited') : change,
  );
}

/** The lines that a person runs in PowerShell for these changes, first the one that connects. */
export const linesOf = (changes: readonly Pick<Change, 'cmdlet'>[], cloud: Pick<Cloud, 'name'>): readonly string[] => [
  connectLine(cloud),
  ...changes.map(({ cmdlet }) => powerShellLine(cmdlet)),
];

/** What puts a noted change back. It is built from the note's words, so that no cmdlet is ever taken from a file. */
export function undoOf({ what, before, after }: Pick<Change, 'what' | 'before' | 'after'>, mailbox: string): Cmdlet {
  switch (what) {
    case 'servicePrincipal':
      return removal('Remove-ServicePrincipal', after);
    case 'managementScope':
      return removal('Remove-ManagementScope', after);
    case 'roleAssignment':
      return removal('Remove-ManagementRoleAssignment', after);
    case 'fullAccess':
      return fullAccess(mailbox, after, 'app').undo;
    case 'sendAs':
      return sendAs(mailbox, after).undo;
    case 'smtpAuth':
      return switchChange(mailbox, 'smtp', before === 'inherited' ? 'inherited' : 'off').undo;
    default:
      return switchChange(mailbox, what).undo;
  }
}

const words: Readonly<Record<ChangeName, string>> = {
  servicePrincipal: 'the app in Exchange Online',
  fullAccess: 'Full Access',
  sendAs: 'Send As',
  managementScope: 'the management scope',
  roleAssignment: 'the role Application SMTP.SendAsApp',
  imap: 'IMAP',
  pop: 'POP',
  smtpAuth: 'SMTP AUTH',
};

/** `SMTP AUTH`, `Full Access for ada@contoso.com`, `Send As for the app GUID`: for a person. */
export const changeWords = ({ what, after }: Pick<Change, 'what' | 'after'>): string => {
  if (after === 'on') return words[what];
  const isRight = what === 'fullAccess' || what === 'sendAs';
  return `${words[what]}${isRight ? ' for' : ''}${isRight && isGuid(after) ? ' the app' : ''} ${after}`;
};

/** `POP: off → on`: what is said before it is changed. */
export const changeLine = (change: Pick<Change, 'what' | 'before' | 'after'>): string =>
  `${changeWords(change)}: ${change.after === 'on' ? `${change.before} → on` : 'is added'}`;
