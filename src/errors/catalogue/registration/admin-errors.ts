import { Exit } from '../../../core/errors.ts';
import { type Command, type NextStep, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** What an administrator signs in for. */
export type AdminServiceName = 'graph' | 'exchange';

/** How to go on where the administrator's own sign-in is refused. */
export interface AdminWays {
  /** left out: Microsoft Graph */
  readonly service?: AdminServiceName;
  /** the command that signs the administrator in once more, for another account */
  readonly again: Command;
  /** the ways that need no such sign-in, in the order in which they are offered */
  readonly otherWays: readonly NextStep[];
}

interface Refused extends AdminWays {
  /** the app of Microsoft that it signs in through */
  readonly app: string;
  readonly reason: string | undefined;
  /** what to do in the same sign-in before anything else is tried */
  readonly first?: string | undefined;
  /** what an administrator of the tenant can change */
  readonly remedy?: string | undefined;
}

const tokenInstead: Readonly<Record<AdminServiceName, string>> = {
  graph:
    'Without this sign-in: run the first command with MAILAUTH_GRAPH_TOKEN, a token for Microsoft Graph that another app was given (Graph Explorer).',
  exchange:
    'Without this sign-in: run the first command with MAILAUTH_EXCHANGE_TOKEN, a token for Exchange Online that another app was given.',
};

/** The same account once more where that can help, else another one; then the ways without this sign-in, then a token of another app. */
export const adminNext = (v: AdminWays & { readonly first?: string | undefined }): readonly NextStep[] => [
  noted(v.again, v.first ?? 'and sign in with another account'),
  ...v.otherWays,
  tokenInstead[v.service === 'exchange' ? 'exchange' : 'graph'],
];

/** What was tried; undefined: in a pasted text nobody knows. */
function secondSignIn(isGiven: boolean | undefined): string {
  if (isGiven === undefined) return '';
  return isGiven
    ? ' The token in MAILAUTH_GRAPH_TOKEN cannot be renewed here.'
    : ' A new sign-in with what Graph asked for was not enough.';
}

/** The administrator's sign-in for Microsoft Graph, which is another person's and another app's than the sign-in of the mailbox. */
export const adminEntries = {
  'admin-sign-in-refused': entry<Refused>({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    title: (v) => `Microsoft refused the administrator's sign-in, which is made as ${v.app}`,
    why: (v) => v.reason,
    next: adminNext,
    admin: (v) => v.remedy,
    mender: 'administrator',
  }),
  'graph-claims-refused': entry<AdminWays & { readonly isGiven: boolean | undefined }>({
    exit: Exit.notAllowed,
    source: 'https://learn.microsoft.com/entra/identity-platform/claims-challenge',
    says: ['ClaimsChallengeRequiredException', 'Continuous access evaluation resulted in'],
    title: () => "Microsoft Graph asks for more than the administrator's token shows",
    why: (v) =>
      `A policy wants another sign-in: for an authentication context, a stronger method or this network.${secondSignIn(v.isGiven)}`,
    next: (v) =>
      v.isGiven ? [noted(v.again, 'without MAILAUTH_GRAPH_TOKEN, so that an administrator signs in'), ...v.otherWays] : adminNext(v),
    admin: () => 'the sign-in logs show the policy: Entra > Monitoring & health > Sign-in logs > Conditional Access.',
    mender: 'administrator',
  }),
};
