import { Exit } from '../../../core/errors.ts';
import { type Command, led, line, mailauth, type NextStep, noted, plus } from '../../../core/next.ts';
import { anyOf, sentence } from '../../../core/text.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** Commands of this set-up, ready to copy: how to go on, and how to take back what was made. */
export interface GraphCommands {
  /** `mailauth setup --resume --mailbox helpdesk@contoso.com` */
  readonly resume: Command;
  /** `mailauth logout helpdesk@contoso.com --delete-app` */
  readonly undo: Command;
  /** of a set-up: the same for an administrator who is somebody else */
  readonly handoff?: Command;
}

/** The command that does it again, for errors of a single call. */
interface Again {
  readonly again: Command;
}

/** What was made in the tenant, in words: `the application 9d0c…`. Empty where nothing was. */
export interface Exists extends GraphCommands {
  /** undefined: in a pasted text nobody knows */
  readonly exists: readonly string[] | undefined;
}

/** What stands in the tenant by now, as a sentence. */
export const made = ({ exists }: Exists): string => {
  if (exists === undefined) return '';
  return exists.length === 0 ? 'Nothing was changed in the tenant.' : `Already made: ${exists.join(', ')}.`;
};

export const undo = (v: Exists): readonly NextStep[] =>
  v.exists === undefined || v.exists.length === 0 ? [] : [led('Take back what was made', v.undo)];

/** Registration through Microsoft Graph: rights, policies, throttling, and what was found there. */
export const graphEntries = {
  'graph-token-refused': entry<Again & { why: string }>({
    exit: Exit.needsSignIn,
    source: sources.graph,
    says: ['Access token has expired or is not yet valid', 'Lifetime validation failed, the token is expired', 'access token has expired'],
    hints: ['InvalidAuthenticationToken'],
    title: () => "Microsoft Graph does not accept the administrator's token",
    why: (v) => (v.why === '' ? 'It has expired, was revoked, or is for another service.' : v.why),
    next: (v) => [v.again, 'With MAILAUTH_GRAPH_TOKEN, get a new token for Microsoft Graph first: it is valid for about an hour.'],
  }),
  'graph-busy': entry<Again & { host: string | undefined; status: number; retryAfter?: number | undefined; waitSeconds?: number }>({
    exit: Exit.temporary,
    source: sources.graphThrottling,
    codes: ['TooManyRequests', 'activityLimitReached', 'Request_ThrottledTemporarily', 'serviceUnavailable'],
    says: ['request is throttled temporarily', 'has been throttled', 'too many requests … Graph', 'exceeded the allowed request rate'],
    title: () => 'Microsoft Graph is too busy for this',
    why: (v) =>
      v.host === undefined
        ? `It limits how often it is asked${v.waitSeconds === undefined ? '' : `, and asks to wait ${v.waitSeconds} seconds`}.`
        : v.retryAfter === undefined
          ? `${v.host} kept answering ${v.status}; mailauth waited as long as it can.`
          : `${v.host} answered ${v.status} and asks to wait ${v.retryAfter} seconds.`,
    next: (v) => [v.again],
    retryHelps: true,
  }),
  'graph-unreadable': entry<{ host: string; why: string }>({
    exit: Exit.temporary,
    source: sources.graph,
    title: (v) => `The answer of ${v.host} is not Microsoft Graph's`,
    why: (v) => `${v.why} Often a proxy or a sign-in page of the network answers in its place.`,
    next: () => [mailauth('doctor')],
  }),
  'graph-refused': entry<Exists & { what: string; said: string; status: number }>({
    exit: Exit.failed,
    source: sources.graph,
    title: (v) => `Microsoft Graph refuses to ${v.what}`,
    why: (v) => `${v.said === '' ? `It answered ${v.status}.` : sentence(v.said)} ${made(v)}`,
    next: (v) => [v.resume, ...undo(v)],
  }),
  'graph-lag': entry<Exists & { what: string }>({
    exit: Exit.temporary,
    source: sources.graph,
    codes: ['NoBackingApplicationObject', 'Request_ResourceNotFound', 'Directory_ObjectNotFound', 'Directory_ConcurrencyViolation'],
    says: [
      'does not exist or one of its queried reference-property objects are not present',
      'does not reference a valid application object',
      'in the local tenant',
    ],
    title: (v) => `Microsoft has not yet spread what was just made; it cannot ${v.what} yet`,
    why: (v) => `That usually takes seconds, sometimes minutes. ${made(v)}`,
    next: (v) => [v.resume, ...undo(v)],
    retryHelps: true,
  }),
  'graph-role-missing': entry<Exists & { what: string; roles: readonly string[]; who?: string | undefined }>({
    exit: Exit.notAllowed,
    source: sources.graph,
    codes: ['Authorization_RequestDenied'],
    says: [
      'Insufficient privileges to complete the operation',
      'does not have authorization to perform action',
      'does not have … privileges',
    ],
    title: (v) => `${v.who ?? 'The account that signed in'} is not allowed to ${v.what}`,
    why: (v) => `That needs the role ${anyOf(v.roles)}. A role that was just activated counts after a new sign-in. ${made(v)}`,
    next: (v) => [
      v.resume,
      ...(v.handoff === undefined ? [] : [led('Without such a role, let an administrator do it', v.handoff)]),
      ...undo(v),
    ],
    admin: (v) => `mailauth needs somebody with the role ${anyOf(v.roles)} to ${v.what}.`,
  }),
  'graph-permission-missing': entry<Exists & { permissions: readonly string[] }>({
    exit: Exit.notAllowed,
    source: sources.graph,
    codes: ['PermissionScopeNotGranted'],
    says: ['Authorization failed due to missing permission scope', 'Missing scope permissions on the request', 'API requires one of'],
    title: (v) => `The Graph token lacks ${v.permissions.length === 0 ? 'a permission' : v.permissions.join(' and ')}`,
    why: (v) => `The app that signed in was not granted it, so Graph would refuse the registration. ${made(v)}`,
    next: (v) => [v.resume, led('A token with it, for MAILAUTH_GRAPH_TOKEN', line`az account get-access-token --resource-type ms-graph`)],
  }),
  'tenant-without-exchange': entry<Exists>({
    exit: Exit.notAllowed,
    source: sources.graph,
    title: () => 'This tenant has no Exchange Online, so there is no mailbox to give access to',
    why: (v) => `Its service principal is missing: nobody assigned a licence, or the tenant or cloud is wrong. ${made(v)}`,
    next: (v) => [v.resume, 'If it is the wrong tenant, run the same command with --tenant and the domain of the right one.', ...undo(v)],
    admin: () => 'assign an Exchange Online licence in this tenant; its service appears some minutes later.',
    retryHelps: false,
  }),
  'permission-unpublished': entry<Exists & { names: readonly string[] }>({
    exit: Exit.notAllowed,
    source: sources.graph,
    title: (v) => `Exchange Online of this tenant offers no ${v.names.join(', ')}`,
    why: (v) => `This cloud may not have it; without it nobody can consent. ${made(v)}`,
    next: (v) => [v.resume, led('Leave the protocol out', plus(v.resume, { protocols: 'imap' })), ...undo(v)],
    retryHelps: false,
  }),
  'secret-limit': entry<Exists & { has: number }>({
    exit: Exit.notAllowed,
    source: sources.graph,
    says: ['maximum of … passwords', 'Not allowed to add … passwords'],
    codes: ['TooManyAppPasswords'],
    title: (v) => `The app has ${v.has} client secrets, and no more are allowed`,
    why: (v) => `With personal accounts in its audience Entra allows two. ${made(v)}`,
    next: (v) => [v.resume, 'Remove one that is not in use first: Entra > App registrations > Certificates & secrets.'],
    retryHelps: false,
  }),
  'graph-quota': entry<Exists>({
    exit: Exit.notAllowed,
    source: sources.graph,
    codes: ['Directory_QuotaExceeded'],
    says: ['directory object quota limit', 'quota limit … has been exceeded'],
    title: () => 'The directory has no room for another object',
    why: (v) => `A user who is not an administrator can own 250 objects, and deleted apps count for 30 days. ${made(v)}`,
    next: (v) => [v.resume, 'Delete apps that nobody uses first: Entra > App registrations > Owned applications.', ...undo(v)],
    retryHelps: false,
  }),
  'graph-object-full': entry<Exists & { what: string }>({
    exit: Exit.notAllowed,
    source: sources.graph,
    codes: ['Directory_ResourceSizeExceeded'],
    says: [
      'size of the object has exceeded its limit',
      'reduce the number of values',
      'exceeded the maximum number of … credentials',
      'maximum number of credentials',
      'too many credentials',
    ],
    title: (v) => `The application is full, so Microsoft Graph does not ${v.what}`,
    why: (v) => `It holds as many client secrets, certificates and other values as the directory stores in one object. ${made(v)}`,
    next: (v) => [v.resume, 'Remove secrets that nobody uses first: Entra > App registrations > Certificates & secrets.', ...undo(v)],
    retryHelps: false,
  }),
  'app-switched-off': entry<Exists & { clientId: string; by: 'owner' | 'Microsoft' | 'tenant' }>({
    exit: Exit.notAllowed,
    source: 'https://learn.microsoft.com/entra/identity/enterprise-apps/deactivate-app-registration',
    title: (v) =>
      ({
        owner: `The application ${v.clientId} was deactivated by its owner or an administrator`,
        Microsoft: `Microsoft has disabled the application ${v.clientId}`,
        tenant: `The sign-in to the application ${v.clientId} is switched off in this tenant`,
      })[v.by],
    why: () => 'Until that is changed nobody gets a token from it.',
    next: (v) => [noted(v.resume, 'once it is switched on again')],
    admin: (v) =>
      ({
        owner: `activate it again: Entra > App registrations > ${v.clientId} > Overview.`,
        Microsoft: 'ask Microsoft support why; a violation of its services agreement is the usual reason, and nobody else can undo it.',
        tenant: `set "Enabled for users to sign in?" to Yes: Entra > Enterprise apps > ${v.clientId} > Properties.`,
      })[v.by],
    retryHelps: false,
  }),
  'registration-ambiguous': entry<GraphCommands & { appIds: readonly string[] }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `${v.appIds.length} applications carry the mark of this set-up`,
    why: (v) => `Somebody copied one; mailauth does not guess which is its own: ${v.appIds.join(', ')}.`,
    next: (v) => [v.resume, 'Delete the copy first: Entra > App registrations > All applications.'],
    retryHelps: false,
  }),
  'delete-not-ours': entry<{ clientId: string; name: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `The application ${v.clientId} ("${v.name}") does not carry mailauth's mark`,
    why: () => 'Somebody else made or changed it. Nothing was removed.',
    next: () => ['If you are sure, delete it by hand: Entra > App registrations > All applications.'],
    retryHelps: false,
  }),
};
