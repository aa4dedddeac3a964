import * as z from 'zod/mini';
import { MailauthError } from '../core/errors.ts';
import type { Graph } from './graph.ts';

/** What Microsoft Graph tells of the account behind a mailbox. `unseen`: nothing, and why. */
export type MailboxAccount = { readonly kind: 'enabled' | 'blocked' } | { readonly kind: 'unseen'; readonly why: string };

const account = z.object({ accountEnabled: z.boolean() });

/**
 * Can this mailbox's own account sign in? The account of a shared mailbox or a room is blocked
 * (learn.microsoft.com/microsoft-365/admin/email/create-a-shared-mailbox, "Block sign-in for the shared mailbox account"). Reading
 * `accountEnabled` takes User.Read.All or more (learn.microsoft.com/graph/api/user-get), which not every token has.
 */
export async function mailboxAccount(graph: Graph, mailbox: string): Promise<MailboxAccount> {
  try {
    const answer = await graph.get(`/users/${encodeURIComponent(mailbox)}?$select=accountEnabled,userPrincipalName`);
    if (answer.kind === 'refused') {
      const why = answer.status === 404 ? 'no account has this address as its user name' : 'this sign-in may not read accounts';
      return { kind: 'unseen', why };
    }
    const read = account.safeParse(answer.body);
    if (!read.success) return { kind: 'unseen', why: 'the answer does not say it' };
    return { kind: read.data.accountEnabled ? 'enabled' : 'blocked' };
  } catch (error) {
    // The set-up can go on without this answer: a person knows it, or finds it out in the admin center.
    if (error instanceof MailauthError) return { kind: 'unseen', why: error.title };
    throw error;
  }
}
