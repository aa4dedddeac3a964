import { Exit } from '../../../core/errors.ts';
import type { MailboxKey } from '../../../core/mailbox.ts';
import { type Command, type Line, mailauth } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** `why`: Microsoft's side of it, in the words of the entry that a sign-in shows. */
interface Refused extends MailboxKey {
  readonly clientId: string;
  readonly why: string | undefined;
  readonly admin: string | Line | undefined;
}

const rotate = (v: Refused): Command => mailauth('secret rotate', v.mailbox, { for: v.for });
const enter = (v: Refused): Command => mailauth('setup', { mailbox: v.mailbox, for: v.for, clientId: v.clientId, clientSecretFile: '-' });

/** What Entra refuses to a mailbox that was set up and worked. It needs other words and other steps than a first sign-in. */
export const refreshEntries = {
  'refresh-policy': entry<Refused>({
    exit: Exit.needsSignIn,
    source: sources.conditionalAccess,
    title: ({ mailbox }) => `A Conditional Access policy asks for a new sign-in for ${mailbox}`,
    why: ({ why }) => why ?? 'The organisation allows it only from certain places, devices or apps.',
    next: (v) => [mailauth('login', v.mailbox)],
    admin: ({ admin }) => admin,
  }),
  'stored-secret-expired': entry<Refused>({
    exit: Exit.failed,
    source: sources.aadsts,
    title: ({ mailbox }) => `The client secret for ${mailbox} has expired`,
    next: (v) => [rotate(v), enter(v)],
    admin: ({ admin }) => admin,
    retryHelps: false,
  }),
  'stored-secret-wrong': entry<Refused>({
    exit: Exit.failed,
    source: sources.aadsts,
    title: ({ mailbox }) => `Microsoft does not accept the client secret that is stored for ${mailbox}`,
    why: () => 'The secret was removed from the app, or what is stored was never its Value.',
    next: (v) => [rotate(v), enter(v)],
    admin: ({ admin }) => admin,
    retryHelps: false,
  }),
};
