import { Exit } from '../../../core/exit.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** What is kept where a command was stopped; all others keep nothing half done. */
const leftBehind: ReadonlyMap<string, string> = new Map([
  ['setup', 'Finished steps are kept: mailauth setup goes on after the last one.'],
  [
    'secret rotate',
    'A new client secret that was made is kept, and the same command goes on with it. The old one stays until the new one works.',
  ],
  ['logout', 'What was removed is gone; the same command removes the rest.'],
  ['store move', 'Nothing was lost: each secret stays where it was until its copy is proven. The same command moves the rest.'],
]);

/** Usage, answers that are missing or do not fit, and the set-up's own state. */
export const setupEntries = {
  usage: entry<{ message: string; help: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => v.message,
    next: (v) => [v.help],
  }),
  'unknown-command': entry<{ word: string; suggestion?: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `There is no command "${v.word}"`,
    next: (v) => [v.suggestion === undefined ? 'mailauth --help' : `mailauth ${v.suggestion} --help`],
  }),
  'password-unusable': entry<{ source: string; why: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `No usable password in ${v.source}`,
    why: (v) => v.why,
    next: () => ['mailauth setup --sign-in password --password-file FILE   (or - for standard input)'],
  }),
  'product-needs-no-mfa': entry<{ mailbox: string; product: string }>({
    exit: Exit.notAllowed,
    source: sources.password,
    title: (v) => `${v.product} cannot use this account: ${v.mailbox} needs more than a password`,
    why: () => 'MFA, security defaults or Conditional Access stop every sign-in with a password alone.',
    next: (v) => [`mailauth setup --mailbox ${v.mailbox} --for this-computer   (a program that can use the browser sign-in)`],
    admin: (v) => `Exclude ${v.mailbox} from MFA, security defaults and Conditional Access, or give the product a mailbox without them`,
    retryHelps: false,
  }),
  'value-invalid': entry<{ what: string; value: string; why: string; next: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `"${v.value}" is no ${v.what}`,
    why: (v) => v.why,
    next: (v) => [v.next],
  }),
  'secret-in-argv': entry<{ flag: string; instead: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `A secret is never accepted as the value of ${v.flag}`,
    why: () => 'Arguments are visible to every user of this machine and stay in the shell history: treat this value as leaked.',
    next: (v) => [v.instead],
  }),
  'secret-is-id': entry({
    exit: Exit.usage,
    source: sources.secrets,
    title: () => "This is the client secret's ID, not its value",
    why: () => 'Entra shows two columns: "Value" (shown once) and "Secret ID" (a GUID). Only the value signs in.',
    next: () => [
      'mailauth setup --client-secret-file FILE   (the file holds the column "Value")',
      'It stands under App registrations > your app > Certificates & secrets. If it is masked, make a new client secret.',
    ],
  }),
  'secret-unusable': entry<{ source: string; why: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `No usable client secret in ${v.source}`,
    why: (v) => v.why,
    next: () => ['mailauth setup --client-secret-file FILE   (the file holds the value and nothing else)'],
  }),
  'answer-missing': entry<{ flag: string; question: string; example: string }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => `An answer is needed: ${v.question}`,
    why: (v) => `Nobody can be asked here (no terminal, --no-input or --json). Give it as ${v.flag}.`,
    next: (v) => [v.example],
  }),
  'needs-yes': entry<{ what: string; command: string }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => `${v.what} needs your agreement`,
    why: () => 'Nobody can be asked here. Give --yes to agree.',
    next: (v) => [v.command],
  }),
  'mailbox-choice': entry<{ candidates: readonly string[]; command: string }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'Several mailboxes are set up; name one',
    why: (v) => `Known: ${v.candidates.join(', ')}`,
    next: (v) => v.candidates.slice(0, 3).map((c) => `${v.command} ${c}`),
  }),
  'guide-choice': entry<{ mailbox: string; guides: readonly string[]; command: string }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => `${v.mailbox} is set up for several products; name one`,
    why: (v) => `Known: ${v.guides.join(', ')}`,
    next: (v) => v.guides.slice(0, 3).map((g) => `${v.command} ${v.mailbox} --for ${g}`),
  }),
  'mailbox-unknown': entry<{ mailbox: string; known: readonly string[] }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `${v.mailbox} is not set up on this computer`,
    why: (v) => (v.known.length === 0 ? 'No mailbox is, for this user.' : `Set up are: ${v.known.join(', ')}`),
    next: (v) => [`mailauth setup --mailbox ${v.mailbox}`],
  }),
  'product-unknown': entry<{ mailbox: string; guide: string; known: readonly string[] }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `No mailbox is set up for ${v.guide} here`,
    why: (v) => `Set up are: ${v.known.join(', ')}`,
    next: (v) => [`mailauth setup --mailbox ${v.mailbox} --for ${v.guide}`],
  }),
  'no-mailbox': entry({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: () => 'No mailbox is set up on this computer yet',
    next: () => ['mailauth setup'],
  }),
  'not-signed-in': entry<{ mailbox: string; guides?: readonly string[] | undefined }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `Nobody is signed in for ${v.mailbox}`,
    why: () => 'The mailbox is set up, but there is no token in the store.',
    next: (v) => {
      const login = `mailauth login ${v.mailbox}`;
      return v.guides === undefined ? [login] : v.guides.slice(0, 3).map((guide) => `${login} --for ${guide}`);
    },
  }),
  'not-refreshable': entry<{ mailbox: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `The token of ${v.mailbox} has expired and cannot be refreshed`,
    why: () => 'Microsoft gave no refresh token: offline_access was not granted.',
    next: (v) => [`mailauth login ${v.mailbox} --force`],
  }),
  'refresh-busy': entry<{ mailbox: string }>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) => `Another process is refreshing the token of ${v.mailbox} and does not finish`,
    next: (v) => [`mailauth token get ${v.mailbox} --timeout 60`],
    retryHelps: true,
  }),
  'stored-secret-missing': entry<{ mailbox: string; for: string; clientId: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `The client secret for ${v.mailbox} is not in the store`,
    why: () => 'The app is confidential: without its client secret no token can be had.',
    next: (v) => [`mailauth setup --mailbox ${v.mailbox} --for ${v.for} --client-id ${v.clientId} --client-type confidential`],
  }),
  'setup-busy': entry<{ mailbox: string }>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) => `Another mailauth is setting up ${v.mailbox} right now`,
    why: () => 'Two set-ups of one mailbox would overwrite each other; the other one goes on undisturbed.',
    next: () => ['Finish or stop the other one (Ctrl-C there), then run this again.'],
    retryHelps: true,
  }),
  interrupted: entry<{ command: string }>({
    exit: Exit.interrupted,
    source: sources.own,
    title: () => 'Stopped, by Ctrl-C or by the system',
    why: (v) => leftBehind.get(v.command) ?? 'Nothing half done was stored.',
    // Without what was typed behind it: there may be addresses and file names of all kinds.
    next: (v) => [`${v.command.startsWith('mailauth') ? v.command : `mailauth ${v.command}`} …   # the same command again`],
  }),
  'setup-declined': entry({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Stopped: nothing was changed',
    next: () => ['mailauth setup'],
  }),
  'nothing-to-resume': entry({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'There is no interrupted set-up to resume',
    next: () => ['mailauth setup --mailbox ADDRESS'],
  }),
  'resume-choice': entry<{ candidates: readonly { readonly mailbox: string; readonly for: string }[] }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'Several set-ups were interrupted; name one with --mailbox and --for',
    why: (v) => `Interrupted: ${v.candidates.map((c) => `${c.mailbox} (${c.for})`).join(', ')}`,
    next: (v) => v.candidates.slice(0, 3).map((c) => `mailauth setup --resume --mailbox ${c.mailbox} --for ${c.for}`),
  }),
  'setup-file-broken': entry<{ file: string; why: string; mailbox: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `The notes of an interrupted set-up of ${v.mailbox} cannot be read`,
    why: (v) => `${v.file}: ${v.why}. It was left as it is.`,
    next: (v) => [`mailauth setup --mailbox ${v.mailbox} --fresh`],
  }),
  'app-exists': entry<{ name: string; appIds: readonly string[]; mailbox: string; for: string }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => `There is an app called "${v.name}" in the tenant already, and mailauth did not make it`,
    why: () => 'Anybody in a tenant may register an app and give it this name, so it is not taken without asking.',
    next: (v) => [
      `mailauth setup --mailbox ${v.mailbox} --for ${v.for} --client-id ${v.appIds[0]}   (use that one)`,
      `mailauth setup --mailbox ${v.mailbox} --for ${v.for} --name "${v.name} 2" --yes   (make another)`,
    ],
  }),
  'redirect-not-accepted': entry<{ uri: string; why: string }>({
    exit: Exit.usage,
    source: sources.redirects,
    title: (v) => `Entra does not accept the redirect URI ${v.uri}`,
    why: (v) => v.why,
    next: () => ['mailauth setup --redirect-uri https://…   (http only for localhost)'],
  }),
  'password-not-here': entry<{ product: string; mailbox: string }>({
    exit: Exit.usage,
    source: sources.password,
    title: (v) => `${v.product} does not sign in with a password, so neither does mailauth for it`,
    why: () =>
      'Microsoft advises against password sign-in (RFC 6749 section 4.3), and MFA stops it; only kaseya and custom programs need it.',
    next: (v) => [`mailauth setup --mailbox ${v.mailbox} --for ${v.product} --sign-in browser`],
  }),
  'redirect-not-here': entry<{ uri: string; mailbox: string; for: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) =>
      v.uri === ''
        ? `The app for ${v.for} has no redirect URI, so nobody can sign in to it with a browser`
        : 'This redirect URI does not lead to this computer, so mailauth cannot catch the sign-in',
    why: (v) =>
      v.uri === ''
        ? "This product signs in with the mailbox's password."
        : `${v.uri} belongs to another program; it will receive the answer itself.`,
    next: (v) => {
      const redirect = v.uri === '' ? '' : ` --redirect-uri ${v.uri}`;
      const ways = v.uri === '' ? ['password', 'skip'] : ['skip', 'paste'];
      return ways.map((way) => `mailauth setup --mailbox ${v.mailbox} --for ${v.for}${redirect} --sign-in ${way}`);
    },
  }),
  'delete-app-refused': entry<{ clientId: string; mailbox: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'mailauth did not make this app, so it does not delete it',
    why: (v) => `The registration ${v.clientId} was there before. Nothing was removed.`,
    next: (v) => [`mailauth logout ${v.mailbox}`],
    retryHelps: false,
  }),
  'delete-app-used': entry<{ clientId: string; mailbox: string; other: string; otherFor: string; for: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `${v.other} (${v.otherFor}) uses the app ${v.clientId} too, so it is not deleted`,
    why: () => 'Nothing was removed.',
    next: (v) => [
      `mailauth logout ${v.mailbox} --for ${v.for}   (only this mailbox)`,
      `mailauth logout ${v.other} --for ${v.otherFor}   (first, then again)`,
    ],
    retryHelps: false,
  }),
  'no-client-secret': entry<{ mailbox: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `The app of ${v.mailbox} has no client secret`,
    why: () => 'It is a public client: it signs in with PKCE, and there is nothing to lose or renew.',
    next: (v) => [`mailauth token show ${v.mailbox}`],
    retryHelps: false,
  }),
  'sandbox-with-cloud': entry({
    exit: Exit.usage,
    source: sources.own,
    title: () => '--sandbox is a cloud of its own: it does not go with --cloud or --cloud-file',
    next: () => ['mailauth setup --sandbox'],
  }),
  'results-differ': entry<{ failed: readonly string[]; mailbox: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `Several tests failed for different reasons: ${v.failed.join(', ')}`,
    next: (v) => [`mailauth test all ${v.mailbox} --verbose`],
  }),
  'write-failed': entry<{ why: string }>({
    exit: Exit.failed,
    source: sources.own,
    codes: ['EROFS', 'ENOSPC', 'EDQUOT'],
    says: ['EACCES: permission denied', 'EPERM: operation not permitted'],
    title: () => 'A file could not be read or written',
    why: (v) => v.why,
    next: () => ['MAILAUTH_HOME=/a/folder/you/own mailauth status'],
  }),
};
