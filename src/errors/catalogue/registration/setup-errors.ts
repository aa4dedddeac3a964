import { Exit } from '../../../core/errors.ts';
import { again, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { moveFile } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { isNewer, leftAlone, type MayBeNewer, updating } from '../store/newer-words.ts';

/** What is kept where a command was stopped; all others keep nothing half done. */
const leftBehind: ReadonlyMap<string, string> = new Map([
  ['setup', 'Nothing was changed.'],
  [
    'secret rotate',
    'A new client secret that was made is kept, and the same command goes on with it. The old one stays until the new one works.',
  ],
  ['exchange apply', 'What was changed is noted: mailauth exchange undo puts it back, and the same command goes on with the rest.'],
  ['exchange undo', 'What was put back stays so, and the same command goes on with the rest.'],
  ['logout', 'What was removed is gone; the same command removes the rest.'],
  ['store move', 'Nothing was lost: each secret stays where it was until its copy is proven. The same command moves the rest.'],
]);

/** The set-up's own state, and what does not fit the product that it is for. */
export const setupEntries = {
  'product-needs-no-mfa': entry<{ mailbox: string; product: string }>({
    exit: Exit.notAllowed,
    source: sources.password,
    title: (v) => `${v.product} cannot use this account: ${v.mailbox} needs more than a password`,
    why: () => 'MFA, security defaults or Conditional Access stop every sign-in with a password alone.',
    next: (v) => [noted(mailauth('setup', { mailbox: v.mailbox, for: 'this-computer' }), 'for a program that can use the browser sign-in')],
    admin: (v) => `Exclude ${v.mailbox} from MFA, security defaults and Conditional Access, or give the product a mailbox without them.`,
    retryHelps: false,
  }),
  'setup-busy': entry<{ mailbox: string }>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) => `Another mailauth is setting up ${v.mailbox} right now`,
    why: () => 'Two set-ups of one mailbox would overwrite each other. The other one goes on undisturbed.',
    next: () => [noted(again(), 'once the other one has ended, or was stopped with Ctrl-C there')],
    retryHelps: true,
  }),
  interrupted: entry<{ command: string; goOn?: NextStep | undefined }>({
    exit: Exit.interrupted,
    source: sources.own,
    title: () => 'Stopped, by Ctrl-C or by the system',
    why: (v) =>
      v.goOn === undefined
        ? (leftBehind.get(v.command) ?? 'Nothing half done was stored.')
        : 'Your answers and each finished step are kept on this computer.',
    next: (v) => [v.goOn ?? again()],
  }),
  'setup-declined': entry<{ resume: NextStep }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Stopped: nothing was changed in the tenant',
    why: () => 'Your answers are kept on this computer.',
    next: (v) => [v.resume],
  }),
  'rotation-declined': entry<{ command: NextStep }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Stopped: the client secrets are as they were',
    why: () => 'The old secret still works.',
    next: (v) => [v.command],
  }),
  'logout-declined': entry({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Stopped: nothing was removed',
    next: () => [mailauth('status')],
  }),
  'nothing-to-resume': entry({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'There is no interrupted set-up to resume',
    next: () => [noted(mailauth('setup', { resume: false }), 'asks on a terminal; in a script, add --mailbox')],
  }),
  'resume-choice': entry<{ candidates: readonly { readonly mailbox: string; readonly for: string }[] }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'Several set-ups were interrupted; name one with --mailbox and --for',
    why: (v) => `Interrupted: ${v.candidates.map((c) => `${c.mailbox} (${c.for})`).join(', ')}`,
    next: (v) => v.candidates.slice(0, 3).map((c) => mailauth('setup', { resume: true, mailbox: c.mailbox, for: c.for })),
  }),
  'setup-file-broken': entry<{ file: string; why: string; mailbox: string } & MayBeNewer>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) =>
      isNewer(v)
        ? `A newer mailauth wrote the notes of an interrupted set-up: ${v.file}`
        : `The notes of an interrupted set-up of ${v.mailbox} cannot be read`,
    why: (v) => (isNewer(v) ? leftAlone(v.newer) : `${v.file}: ${v.why}. It was left as it is.`),
    next: (v) => [isNewer(v) ? updating : mailauth('setup', { mailbox: v.mailbox, fresh: true })],
  }),
  'app-exists': entry<{ name: string; appIds: readonly string[]; mailbox: string; for: string }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => `An app called "${v.name}" is in the tenant already, and mailauth did not make it`,
    why: () => 'Anybody in a tenant can register an app and give it this name, so it is not taken without asking.',
    next: (v) => [
      noted(mailauth('setup', { mailbox: v.mailbox, for: v.for, clientId: v.appIds[0] }), 'use that one'),
      noted(mailauth('setup', { mailbox: v.mailbox, for: v.for, name: `${v.name} 2`, yes: true }), 'make another'),
    ],
  }),
  'redirect-not-accepted': entry<{ uri: string; why: string; next?: NextStep }>({
    exit: Exit.usage,
    source: sources.redirects,
    title: (v) => `Entra does not accept the redirect URI ${v.uri}`,
    why: (v) => v.why,
    next: (v) => [
      v.next ?? mailauth('setup', { redirectUri: false }),
      'With --redirect-uri, give an https address; http is only for localhost.',
    ],
  }),
  'password-not-here': entry<{ product: string; mailbox: string }>({
    exit: Exit.usage,
    source: sources.password,
    title: (v) => `${v.product} does not sign in with a password, so neither does mailauth for it`,
    why: () =>
      'Microsoft advises against password sign-in (RFC 6749 section 4.3), and MFA stops it; only kaseya and custom programs need it.',
    next: (v) => [mailauth('setup', { mailbox: v.mailbox, for: v.product, signIn: 'browser' })],
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
      const redirectUri = v.uri === '' ? undefined : v.uri;
      const ways = v.uri === '' ? ['password', 'skip'] : ['skip', 'paste'];
      return ways.map((signIn) => mailauth('setup', { mailbox: v.mailbox, for: v.for, redirectUri, signIn }));
    },
  }),
  'sheet-place-taken': entry<{ file: string }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => `${v.file} exists already, and it is not a sheet of mailauth`,
    why: () => 'It was left untouched, and nothing was set up.',
    next: (v) => [moveFile(v.file, `${v.file}.old`), again()],
    retryHelps: false,
  }),
  'handoff-file-kept': entry<{ folder: string; files: readonly string[] }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `Somebody changed ${v.files.join(', ')} in the hand-off folder`,
    why: (v) => `Nothing was written to ${v.folder}, so that no work is lost.`,
    next: (v) => [moveFile(v.folder, `${v.folder}.old`), again()],
    retryHelps: false,
  }),
};
