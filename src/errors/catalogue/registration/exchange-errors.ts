import { Exit } from '../../../core/errors.ts';
import { type Command, type Line, mailauth, noted, plus } from '../../../core/next.ts';
import { anyOf, sentence } from '../../../core/text.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { powerShell } from '../mail/mail-words.ts';
import { isNewer, leftAlone, type MayBeNewer, updating } from '../store/newer-words.ts';

/** What every answer of Exchange Online is about. */
export interface ExchangeSpot {
  readonly mailbox: string;
  /** the command that is running */
  readonly again: Command;
  /** what an administrator can run by hand instead, for Exchange Online PowerShell */
  readonly lines: readonly string[];
  /** what this run has changed by now, in words; undefined: in a pasted text nobody knows */
  readonly changed: readonly string[] | undefined;
}

/** Nothing half done goes unsaid. */
const done = ({ changed }: ExchangeSpot): string => {
  if (changed === undefined) return '';
  return changed.length === 0 ? ' Nothing was changed.' : ` Changed before that: ${changed.join(', ')}.`;
};

const byHand = (v: Pick<ExchangeSpot, 'lines'>): readonly Line[] =>
  v.lines.map((line, i) => ({ ...powerShell(line), ...(i === 0 ? {} : { after: true }) }));
const printed = (v: ExchangeSpot): Command => noted(plus(v.again, { through: 'print' }), 'prints the lines for Exchange Online PowerShell');
/** The lines as one, for whoever is asked. */
const forAdministrator = (v: ExchangeSpot): Line | undefined => (v.lines.length === 0 ? undefined : powerShell(...v.lines));

const roles = ['Exchange Administrator', 'Global Administrator'];
const accounts = 'https://learn.microsoft.com/exchange/permissions-exo/permissions-exo';
const webCall = 'https://learn.microsoft.com/powershell/exchange/connect-to-exchange-online-powershell';

/** Exchange Online: what is switched off there, and its refusals. */
export const exchangeEntries = {
  'exchange-not-ready': entry<ExchangeSpot & { missing: readonly string[] }>({
    exit: Exit.notAllowed,
    source: sources.smtpSwitch,
    title: (v) => `Exchange Online does not let this set-up into ${v.mailbox} yet`,
    why: (v) => `Missing: ${v.missing.join(', ')}.`,
    next: (v) => [mailauth('exchange apply', v.mailbox)],
    admin: forAdministrator,
  }),
  'exchange-printed': entry<ExchangeSpot>({
    exit: Exit.notAllowed,
    source: sources.smtpSwitch,
    title: (v) => `Nobody asked Exchange Online: an Exchange administrator runs these lines for ${v.mailbox}`,
    why: () => 'They are for Exchange Online PowerShell, and may be run again: what is there already gives a warning and stays.',
    next: byHand,
  }),
  'exchange-token-refused': entry<ExchangeSpot & { reason: string }>({
    exit: Exit.needsSignIn,
    source: webCall,
    title: () => "Exchange Online does not accept the administrator's token",
    why: (v) => `${v.reason === '' ? 'It has expired, was revoked, or is for another service.' : sentence(v.reason)}${done(v)}`,
    next: (v) => [v.again, 'With MAILAUTH_EXCHANGE_TOKEN, get a new token for Exchange Online first: it is valid for about an hour.'],
  }),
  'exchange-role-missing': entry<ExchangeSpot & { who?: string | undefined }>({
    exit: Exit.notAllowed,
    source: accounts,
    title: (v) => `${v.who ?? 'The account that signed in'} is no administrator of Exchange Online`,
    why: (v) => `That needs the role ${anyOf(roles)}. A role that was just activated counts after a new sign-in.${done(v)}`,
    next: (v) => [noted(v.again, 'and sign in with another account'), printed(v)],
    admin: forAdministrator,
  }),
  'exchange-cmdlet-forbidden': entry<ExchangeSpot & { cmdlet: string }>({
    exit: Exit.notAllowed,
    source: accounts,
    title: (v) => `The administrator's role in Exchange Online does not hold ${v.cmdlet}`,
    why: (v) => `Exchange shows a person only the cmdlets of her roles. ${anyOf(roles)} hold all of these.${done(v)}`,
    next: (v) => [noted(v.again, 'and sign in with another account'), printed(v)],
    admin: forAdministrator,
  }),
  'exchange-not-found': entry<ExchangeSpot & { what: string }>({
    exit: Exit.notAllowed,
    source: accounts,
    title: (v) => `Exchange Online does not know ${v.what}`,
    why: (v) => `It was deleted, has no licence, is new, or is in another tenant.${done(v)}`,
    next: (v) => [noted(v.again, 'once it is there'), printed(v)],
    admin: () => powerShell('Get-Recipient -ResultSize 20 | fl PrimarySmtpAddress,RecipientTypeDetails'),
  }),
  'exchange-ambiguous': entry<ExchangeSpot & { what: string }>({
    exit: Exit.notAllowed,
    source: accounts,
    codes: ['ManagementObjectAmbiguousException'],
    says: ['matches multiple entries', "isn't unique. It matches"],
    title: (v) => `Exchange Online has several objects that fit ${v.what}`,
    why: (v) => `mailauth does not guess which one is meant.${done(v)}`,
    next: (v) => [printed(v), 'An administrator gives one of them another address or name, or runs the lines with its Guid.'],
    admin: forAdministrator,
    retryHelps: false,
  }),
  'exchange-customization': entry<ExchangeSpot>({
    exit: Exit.temporary,
    source: 'https://learn.microsoft.com/powershell/module/exchange/enable-organizationcustomization',
    title: () => 'Exchange Online is still preparing this organisation for its first role of its own',
    why: (v) => `Enable-OrganizationCustomization was run; it takes some minutes, sometimes an hour.${done(v)}`,
    next: (v) => [{ ...v.again, waitSeconds: 300 }, printed(v)],
    retryHelps: true,
  }),
  'exchange-busy': entry<ExchangeSpot & { host: string | undefined; retryAfter: number | undefined }>({
    exit: Exit.temporary,
    source: webCall,
    title: () => 'Exchange Online is too busy for this, or out of order',
    why: (v) =>
      `${v.retryAfter === undefined ? 'mailauth waited as long as it can.' : `It asks to wait ${v.retryAfter} seconds.`}${done(v)}`,
    next: (v) => [v.again, printed(v)],
    retryHelps: true,
  }),
  'exchange-refused': entry<ExchangeSpot & { cmdlet: string; said: string }>({
    exit: Exit.notAllowed,
    source: accounts,
    title: (v) => `Exchange Online refuses ${v.cmdlet}`,
    why: (v) => `${v.said === '' ? 'It gives no reason.' : sentence(v.said)}${done(v)}`,
    next: (v) => [...byHand(v), noted(v.again, 'once the reason is gone')],
  }),
  'exchange-unreadable': entry<ExchangeSpot & { host: string | undefined; what: string }>({
    exit: Exit.notAllowed,
    source: 'https://learn.microsoft.com/exchange/reference/admin-api-overview',
    mender: 'you',
    title: (v) => `mailauth does not understand the answer of ${v.host ?? 'Exchange Online'}`,
    why: (v) => `${v.what} Microsoft does not promise this way, so run the lines by hand.${done(v)}`,
    next: byHand,
  }),
  'exchange-principal-unknown': entry<ExchangeSpot & { clientId: string }>({
    exit: Exit.notAllowed,
    source: sources.mail,
    mender: 'you',
    title: (v) => `The object ID of the Enterprise application of ${v.clientId} is not known here`,
    why: () => "Exchange needs that of the Enterprise application. The one on the app registration's page makes every sign-in fail.",
    next: (v) => [
      noted(mailauth('login', v.mailbox, { force: true }), 'its token tells the ID'),
      'An administrator finds it in Entra > Enterprise apps > the app > Object ID.',
    ],
  }),
  'exchange-principal-wrong': entry<ExchangeSpot & { clientId: string; has: string; wants: string }>({
    exit: Exit.notAllowed,
    source: sources.mail,
    title: (v) => `Exchange Online knows the app ${v.clientId} by another object ID`,
    why: (v) => `It has ${v.has} in place of ${v.wants}, and so every sign-in fails.`,
    next: (v) => [noted(v.again, 'once an administrator has removed the wrong one')],
    admin: (v) => powerShell(`Remove-ServicePrincipal -Identity ${v.has}`),
    retryHelps: false,
  }),
  'exchange-not-seen': entry<ExchangeSpot & { missing: readonly string[] }>({
    exit: Exit.temporary,
    source: sources.smtpSwitch,
    title: () => 'Exchange Online took the change and does not show it yet',
    why: (v) => `Still missing: ${v.missing.join(', ')}. That usually takes minutes, at most an hour.${done(v)}`,
    next: (v) => [{ ...mailauth('exchange show', v.mailbox, v.again.flags), waitSeconds: 60 }],
    retryHelps: true,
  }),
  'exchange-locked': entry<{ mailbox: string; again: Command }>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) => `Another mailauth is changing ${v.mailbox} in Exchange Online right now`,
    why: () => 'It goes on undisturbed.',
    next: (v) => [noted(v.again, 'once the other one has ended')],
    retryHelps: true,
  }),
  'exchange-declined': entry<{ again: Command }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Nothing was changed in Exchange Online',
    why: () => 'You did not agree.',
    next: (v) => [v.again],
  }),
  'exchange-changed-since': entry<{ mailbox: string; left: readonly string[] }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Somebody else changed this since, so it was left as it is',
    why: (v) => `Left alone: ${v.left.join(', ')}.`,
    next: (v) => [noted(mailauth('exchange show', v.mailbox), 'what is there now')],
  }),
  'exchange-notes-broken': entry<{ file: string; why: string } & MayBeNewer>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) =>
      isNewer(v)
        ? `A newer mailauth wrote the notes of changes in Exchange Online: ${v.file}`
        : `The notes of earlier changes in Exchange Online cannot be read: ${v.file}`,
    why: (v) => `${isNewer(v) ? leftAlone(v.newer) : sentence(v.why)} Without them nobody knows what to put back, so nothing is changed.`,
    next: (v) =>
      isNewer(v) ? [updating] : [mailauth('doctor'), 'If the file is of no use any more, move it away: then nothing is put back.'],
  }),
};
