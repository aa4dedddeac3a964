import type { FaultName } from '../faults/faults.ts';
import { aliasOf, delegatesOf, findUser } from './directory.ts';
import { rolesOfApp, servicePrincipalIdOf } from './microsoft-resources.ts';
import type { State } from './state-schema.ts';

type Right = 'FullAccess' | 'SendAs';

interface Switches {
  readonly imap: boolean;
  readonly pop: boolean;
  /** null: the mailbox follows the organisation */
  readonly smtpDisabled: boolean | null;
}

/** Faults under which there is something to change. */
const startsOff = (fault: FaultName | undefined): boolean =>
  fault !== undefined &&
  ['exchange-switched-off', 'exchange-lag', 'exchange-half-done', 'exchange-cmdlet-forbidden', 'exchange-refused'].includes(fault);

/** Is SMTP AUTH off for the organisation? It is on in the sandbox, so that a first run needs no Exchange administrator. */
export const organizationSmtpDisabled = (fault: FaultName | undefined): boolean =>
  fault === 'smtp-auth-disabled-tenant' || startsOff(fault);

/** A fault says how a mailbox is from the start; what somebody set stays. */
export function switchesOf(state: State, fault: FaultName | undefined, mailbox: string): Switches {
  const set = state.exchange.switches[mailbox.toLowerCase()];
  return {
    imap: set?.imap ?? !(fault === 'imap-not-connected' || startsOff(fault)),
    pop: set?.pop ?? !(fault === 'pop-disabled' || startsOff(fault)),
    smtpDisabled: set?.smtpDisabled === undefined ? (fault === 'smtp-auth-disabled-mailbox' ? true : null) : set.smtpDisabled,
  };
}

/** The fault of a mail server that a switch of this mailbox amounts to. */
export function switchFault(
  state: State,
  fault: FaultName | undefined,
  protocol: 'imap' | 'pop' | 'smtp',
  mailbox: string,
): FaultName | undefined {
  const { imap, pop, smtpDisabled } = switchesOf(state, fault, mailbox);
  if (protocol === 'imap') return imap ? undefined : 'imap-not-connected';
  if (protocol === 'pop') return pop ? undefined : 'pop-disabled';
  if (smtpDisabled === true) return 'smtp-auth-disabled-mailbox';
  return smtpDisabled === null && organizationSmtpDisabled(fault) ? 'smtp-auth-disabled-tenant' : undefined;
}

/** Faults that are nothing but a switch: whoever sets the switch heals them. */
export const isSwitchFault = (fault: string | undefined): boolean =>
  ['imap-not-connected', 'pop-disabled', 'smtp-auth-disabled-tenant', 'smtp-auth-disabled-mailbox'].includes(fault ?? '');

/** The service principals that Exchange knows. Every app with a role on mail has one, unless the fault says that nobody made it. */
export function principalsOf(state: State, fault: FaultName | undefined): State['exchange']['principals'] {
  const made = state.exchange.principals;
  if (fault === 'app-not-granted') return made;
  const fromStart = state.apps.flatMap((app) => {
    const objectId = servicePrincipalIdOf(state, app.clientId);
    const isKnown = objectId === undefined || made.some((one) => one.appId === app.clientId);
    return isKnown || rolesOfApp(state, app).length === 0 ? [] : [{ appId: app.clientId, objectId, name: app.name }];
  });
  return [...made, ...fromStart];
}

/** Who else has this right on the mailbox: people by their address, apps by their object id. */
export function holdersOf(state: State, fault: FaultName | undefined, mailbox: string, right: Right): readonly string[] {
  const box = mailbox.toLowerCase();
  const apps = fault === 'app-not-granted' ? [] : principalsOf(state, fault).map(({ objectId }) => objectId);
  const changes = state.exchange.rights.filter((one) => one.mailbox === box && one.right === right);
  const granted = changes.filter((one) => one.granted).map(({ who }) => who);
  const taken = changes.filter((one) => !one.granted).map(({ who }) => who);
  return [...new Set([...delegatesOf(box), ...apps, ...granted])].filter((who) => !taken.includes(who));
}

/** May this person use that mailbox? It is the person's own, under any of its addresses, or there is a right on it. */
export function mayUse(state: State, fault: FaultName | undefined, user: string, mailbox: string, right: Right): boolean {
  const [own, wanted] = [user.toLowerCase(), mailbox.toLowerCase()];
  return own === wanted || aliasOf(wanted) === own || holdersOf(state, fault, wanted, right).includes(own);
}

/** The mailbox that an identity of a cmdlet names. */
export function mailboxNamed(identity: string): { readonly address: string; readonly shared: boolean } | undefined {
  const address = aliasOf(identity) ?? identity.toLowerCase();
  const found = findUser(address);
  return found.kind === 'user' || found.kind === 'disabled' ? { address, shared: found.kind === 'disabled' } : undefined;
}
