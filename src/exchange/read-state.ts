import * as z from 'zod/mini';
import type { Cmdlet } from '../core/cmdlet.ts';
import type { MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { ownName } from '../errors/catalogue/mail/app-lines.ts';
import { problem } from '../errors/problem.ts';
import type { ExchangeCalls } from './exchange-calls.ts';
import type { ExchangeState } from './exchange-state.ts';
import type { ExchangeUse } from './needs.ts';

const word = z.string().check(z.minLength(1), z.maxLength(400));
const casMailbox = z.object({
  ImapEnabled: z.boolean(),
  PopEnabled: z.boolean(),
  SmtpClientAuthenticationDisabled: z.nullish(z.boolean()),
});
const transport = z.object({ SmtpClientAuthenticationDisabled: z.nullish(z.boolean()) });
const addresses = z.catch(z.optional(z.array(z.string())), undefined);
const maybe = z.catch(z.optional(z.string()), undefined);
const mailboxObject = z.object({
  RecipientTypeDetails: word,
  PrimarySmtpAddress: maybe,
  UserPrincipalName: maybe,
  EmailAddresses: addresses,
});
const accessRights = z.union([z.array(z.string()), z.string()]);
const permission = z.object({
  User: word,
  AccessRights: accessRights,
  Deny: z.catch(z.unknown(), false),
  IsInherited: z.catch(z.unknown(), false),
});
const recipientPermission = z.object({ Trustee: word, AccessRights: accessRights, AccessControlType: maybe });
const principal = z.object({ AppId: word, ObjectId: word, DisplayName: maybe });

const get = (name: string, parameters: Cmdlet['parameters'] = {}): Cmdlet => ({ name, parameters });
const byIdentity = (name: string, identity: string, more: Cmdlet['parameters'] = {}): Cmdlet => get(name, { Identity: identity, ...more });

/** Reads everything that this set-up depends on, and changes nothing. Throws the refusals of Exchange as problems. */
export async function readState(calls: ExchangeCalls, use: ExchangeUse): Promise<ExchangeState> {
  const { mailbox } = use;
  const switches = await readSwitches(calls, mailbox);
  const kind = await readKind(calls, mailbox);
  const organization = await readOrganization(calls);
  const app = await readPrincipal(calls, use);
  const servicePrincipal =
    app === undefined ? null : { appId: plain(app.AppId, 64).toLowerCase(), objectId: plain(app.ObjectId, 64).toLowerCase() };
  const who = use.opener.kind === 'delegate' ? use.opener.user : servicePrincipal?.objectId;
  const fullAccess = await fullAccessOf(calls, mailbox);
  const sendAs = await sendAsOf(calls, mailbox);
  return {
    ...{ kind, organization, switches, servicePrincipal, principalName: app?.DisplayName && plain(app.DisplayName, 120) },
    rights: { fullAccess, sendAs },
    granted: {
      fullAccess: who !== undefined && (await fullAccessOf(calls, mailbox, who)).length > 0,
      sendAs: who !== undefined && (await sendAsOf(calls, mailbox, who)).length > 0,
    },
    sendingRole: await readSendingRole(calls, use),
  };
}

export async function readSwitches(calls: ExchangeCalls, mailbox: string): Promise<ExchangeState['switches']> {
  const {
    ImapEnabled,
    PopEnabled,
    SmtpClientAuthenticationDisabled: off,
  } = await one(calls, byIdentity('Get-CASMailbox', mailbox), casMailbox);
  return {
    imap: ImapEnabled ? 'on' : 'off',
    pop: PopEnabled ? 'on' : 'off',
    smtpAuth: typeof off === 'boolean' ? (off ? 'off' : 'on') : 'inherited',
  };
}

async function readKind(calls: ExchangeCalls, mailbox: string): Promise<string> {
  const cmdlet = byIdentity('Get-Mailbox', mailbox);
  const { RecipientTypeDetails, PrimarySmtpAddress, UserPrincipalName, EmailAddresses = [] } = await one(calls, cmdlet, mailboxObject);
  const known = [PrimarySmtpAddress, UserPrincipalName, ...EmailAddresses.map((address) => address.replace(/^smtp:/i, ''))].filter(
    (address) => address !== undefined,
  );
  // An identity is also a name or an alias: what was found must be the mailbox that is meant.
  if (known.length > 0 && !known.some((address) => address.toLowerCase() === mailbox))
    throw calls.unreadable(cmdlet, `it is about ${plain(known[0] ?? '', 120)} and not about ${mailbox}.`);
  return plain(RecipientTypeDetails, 60);
}

async function readOrganization(calls: ExchangeCalls): Promise<ExchangeState['organization']> {
  const { SmtpClientAuthenticationDisabled: off } = await one(calls, get('Get-TransportConfig'), transport);
  // Not set: SMTP AUTH is allowed, as it is in organisations of before 2020.
  return { smtpAuth: off === true ? 'off' : 'on' };
}

/** Exactly one object is needed. Several would mean that the identity is not clear. */
async function one<T>(calls: ExchangeCalls, cmdlet: Cmdlet, schema: z.ZodMiniType<T>): Promise<T> {
  const objects = await calls.ask(cmdlet);
  if (objects.length === 0) throw calls.problem({ kind: 'refused', reason: 'not-found', said: '' }, cmdlet);
  if (objects.length > 1) throw calls.problem({ kind: 'refused', reason: 'ambiguous', said: '' }, cmdlet);
  const read = schema.safeParse(objects[0]);
  if (!read.success) throw calls.unreadable(cmdlet, `its field ${fieldIn(read.error)} is missing or of another kind.`);
  return read.data;
}

function several<T>(calls: ExchangeCalls, cmdlet: Cmdlet, objects: readonly unknown[], schema: z.ZodMiniType<T>): readonly T[] {
  const read = z.array(schema).safeParse(objects);
  if (!read.success) throw calls.unreadable(cmdlet, `its field ${fieldIn(read.error)} is missing or of another kind.`);
  return read.data;
}

const fieldIn = ({ issues }: z.core.$ZodError): string => plain(issues[0]?.path.map(String).at(-1) ?? 'list', 60);

/** Who has Full Access; with `who`, whether that person or app has it: then Exchange compares the names, which it writes in several ways. */
export async function fullAccessOf(calls: ExchangeCalls, mailbox: string, who?: string): Promise<readonly string[]> {
  const cmdlet = byIdentity('Get-MailboxPermission', mailbox, who === undefined ? {} : { User: who });
  const objects = who === undefined ? await calls.ask(cmdlet) : await calls.askIfThere(cmdlet);
  return several(calls, cmdlet, objects, permission)
    .filter(({ AccessRights, Deny, IsInherited }) => holds(AccessRights, 'FullAccess') && !isTrue(Deny) && !isTrue(IsInherited))
    .map(({ User }) => plain(User, 200))
    .filter(isSomebodyElse);
}

export async function sendAsOf(calls: ExchangeCalls, mailbox: string, who?: string): Promise<readonly string[]> {
  const cmdlet = byIdentity('Get-RecipientPermission', mailbox, who === undefined ? {} : { Trustee: who });
  const objects = who === undefined ? await calls.ask(cmdlet) : await calls.askIfThere(cmdlet);
  return several(calls, cmdlet, objects, recipientPermission)
    .filter(({ AccessRights, AccessControlType = 'Allow' }) => holds(AccessRights, 'SendAs') && AccessControlType !== 'Deny')
    .map(({ Trustee }) => plain(Trustee, 200))
    .filter(isSomebodyElse);
}

const holds = (rights: string | readonly string[], right: string): boolean =>
  [rights].flat().some((one) => one.split(/[,\s]+/).some((single) => single.toLowerCase() === right.toLowerCase()));
const isTrue = (value: unknown): boolean => value === true || value === 'True';
/** Every mailbox lists itself. */
const isSomebodyElse = (who: string): boolean => !/^NT AUTHORITY\\/i.test(who);

export async function principals(calls: ExchangeCalls): Promise<readonly z.infer<typeof principal>[]> {
  const cmdlet = get('Get-ServicePrincipal');
  return several(calls, cmdlet, await calls.ask(cmdlet), principal);
}

async function readPrincipal(calls: ExchangeCalls, { opener }: ExchangeUse): Promise<z.infer<typeof principal> | undefined> {
  if (opener.kind !== 'app') return undefined;
  return (await principals(calls)).find(({ AppId }) => AppId.toLowerCase() === opener.appId.toLowerCase());
}

async function readSendingRole(calls: ExchangeCalls, { opener, mailbox, protocols }: ExchangeUse): Promise<ExchangeState['sendingRole']> {
  if (opener.kind !== 'app' || opener.sendsByPermission || !protocols.includes('smtp')) return null;
  const name = ownName({ clientId: opener.appId, mailbox });
  return {
    scope: await isThere(calls, 'Get-ManagementScope', name),
    assignment: await isThere(calls, 'Get-ManagementRoleAssignment', name),
  };
}

export const isThere = async (calls: ExchangeCalls, name: string, identity: string): Promise<boolean> =>
  (await calls.askIfThere(byIdentity(name, identity))).length > 0;

/** `exchange-principal-wrong`, `exchange-principal-unknown` (6): then no change of ours would let the app in. */
export function principalProblem(
  { servicePrincipal }: ExchangeState,
  { opener, mailbox }: ExchangeUse,
  spot: Parameters<typeof problem<'exchange-not-ready'>>[1],
): MailauthError | undefined {
  if (opener.kind !== 'app') return undefined;
  const { appId: clientId, objectId } = opener;
  if (servicePrincipal !== null && objectId !== undefined && servicePrincipal.objectId !== objectId.toLowerCase())
    return problem('exchange-principal-wrong', { ...spot, mailbox, clientId, has: servicePrincipal.objectId, wants: objectId });
  if (servicePrincipal === null && objectId === undefined) return problem('exchange-principal-unknown', { ...spot, mailbox, clientId });
  return undefined;
}
