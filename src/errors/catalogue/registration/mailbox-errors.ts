import { Exit } from '../../../core/errors.ts';
import { type Command, mailauth, noted } from '../../../core/next.ts';
import { anyOf } from '../../../core/text.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** In `explain`, what nobody knows is no text. */
const isNoAddress = (mailbox: string): boolean => typeof mailbox === 'string' && mailbox !== '' && !mailbox.includes('@');

/** A mailbox that is not set up, or that is set up and lacks something. */
export const mailboxEntries = {
  'mailbox-unknown': entry<{ mailbox: string; known: readonly string[] }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `${v.mailbox} is not set up on this computer`,
    why: (v) => (v.known.length === 0 ? 'This user has not set up any mailbox on this computer.' : `Set up are: ${v.known.join(', ')}`),
    // A word that is no address is none that can be set up: another protocol, or the name without its domain.
    next: (v) => [
      isNoAddress(v.mailbox) ? noted(mailauth('status', { all: true }), 'lists the addresses') : mailauth('setup', { mailbox: v.mailbox }),
    ],
  }),
  'product-unknown': entry<{ mailbox: string; guide: string; known: readonly string[] }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `No mailbox is set up for ${v.guide} here`,
    why: (v) => `Set up are: ${v.known.join(', ')}`,
    next: (v) => [mailauth('setup', { mailbox: v.mailbox, for: v.guide })],
  }),
  'none-chosen': entry<{ filter: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `No set-up here is meant by ${v.filter}`,
    next: () => [noted(mailauth('status', { all: true }), 'shows the tenants and labels')],
  }),
  'no-mailbox': entry({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: () => 'No mailbox is set up on this computer yet',
    next: () => [mailauth('setup')],
  }),
  'not-signed-in': entry<{ mailbox: string; guides?: readonly string[] | undefined }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `Nobody is signed in for ${v.mailbox}`,
    why: () => 'The mailbox is set up, but there is no token in the store.',
    next: (v) =>
      v.guides === undefined
        ? [mailauth('login', v.mailbox)]
        : v.guides.slice(0, 3).map((guide) => mailauth('login', v.mailbox, { for: guide })),
  }),
  'handed-over': entry<{ mailbox: string; products: readonly string[]; proofs: readonly Command[] }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `${v.mailbox} is set up for ${anyOf(v.products)}, which signs in by itself`,
    why: () =>
      'The product keeps its tokens, so this computer has none. The command proves the mailbox: it signs in once, tests, and keeps no token.',
    next: (v) => v.proofs.slice(0, 3),
    retryHelps: false,
  }),
  'not-refreshable': entry<{ mailbox: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `The token of ${v.mailbox} has expired and cannot be refreshed`,
    why: () => 'Microsoft gave no refresh token: offline_access was not granted.',
    next: (v) => [mailauth('login', v.mailbox, { force: true })],
  }),
  'refresh-busy': entry<{ mailbox: string }>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) => `Another process is refreshing the token of ${v.mailbox} and does not finish`,
    next: (v) => [mailauth('token get', v.mailbox, { timeout: 60 })],
    retryHelps: true,
  }),
  'stored-secret-missing': entry<{ mailbox: string; for: string; clientId: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `The client secret for ${v.mailbox} is not in the store`,
    why: () => 'The app is a confidential client: without its client secret it gets no token.',
    next: (v) => [mailauth('setup', { mailbox: v.mailbox, for: v.for, clientId: v.clientId, clientType: 'confidential' })],
  }),
  'no-client-secret': entry<{ mailbox: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `The app of ${v.mailbox} has no client secret`,
    why: () => 'It is a public client: it signs in with PKCE and has no secret that could be lost or expire.',
    next: (v) => [mailauth('token show', v.mailbox)],
    retryHelps: false,
  }),
  'delete-app-refused': entry<{ clientId: string; mailbox: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'mailauth did not make this app, so it does not delete it',
    why: (v) => `The registration ${v.clientId} existed before. Nothing was removed.`,
    next: (v) => [mailauth('logout', v.mailbox)],
    retryHelps: false,
  }),
  'delete-app-used': entry<{ clientId: string; mailbox: string; other: string; otherFor: string; for: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `${v.other} (${v.otherFor}) uses the app ${v.clientId} too, so it is not deleted`,
    why: () => 'Nothing was removed.',
    next: (v) => [
      noted(mailauth('logout', v.mailbox, { for: v.for }), 'removes only this mailbox'),
      noted(mailauth('logout', v.other, { for: v.otherFor }), 'removes the other one first; then run the same command again'),
    ],
    retryHelps: false,
  }),
  'results-differ': entry<{ failed: readonly string[]; mailbox: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `Several tests failed for different reasons: ${v.failed.join(', ')}`,
    next: (v) => [mailauth('test', 'all', v.mailbox, { verbose: true })],
  }),
};
