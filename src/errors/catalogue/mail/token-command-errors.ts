import { Exit } from '../../../core/errors.ts';
import { line, mailauth, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

interface TokenCommand {
  readonly mailbox: string;
  /** the exit code that the program reported */
  readonly status?: number | undefined;
}

const exits: Readonly<Record<number, string>> = {
  1: 'Exit code 1: it failed for a reason that it printed.',
  2: 'Exit code 2: the command line is wrong.',
  3: 'Exit code 3: it needs an answer that nobody can give there.',
  4: 'Exit code 4: somebody has to sign in again.',
  5: 'Exit code 5: Microsoft or the network could not answer for the moment.',
  6: 'Exit code 6: an administrator has to allow something.',
  7: 'Exit code 7: the keychain or the store of the secrets cannot be opened there.',
};
const ways = [
  'passwordeval returned exit code',
  'passwordeval exited with exit code',
  'mailauth … exited with code',
  'mailauth … failed with exit code',
  'password command exited with status',
  'PassCmd … exited with status',
  'command … token get … exit status',
  'returned non-zero exit status',
  'token get … exit code',
  'token get … returned',
  'passwordeval … exited with',
];

/** Mail programs that run `mailauth token get` and get no token from it. */
export const tokenCommandEntries = {
  'token-command-missing': entry<{ mailbox: string }>({
    exit: Exit.failed,
    source: sources.own,
    says: [
      "No such file or directory: 'mailauth'",
      '"mailauth": executable file not found',
      'mailauth: cannot execute',
      'mailauth: Permission denied',
      "exec: 'mailauth'",
      'mailauth: not found',
      'mailauth: command not found',
      'mailauth: No such file or directory',
      'command not found: mailauth',
      'spawn mailauth ENOENT',
      'env: node: No such file or directory',
      'status=203/EXEC',
      'Failed to execute … No such file or directory',
      'Failed to locate executable',
      'mailauth … is not recognized as an internal or external command',
      "The term 'mailauth' is not recognized",
      'execvp … mailauth … No such file',
    ],
    title: () => 'The program that wants a token cannot find mailauth, or the node that runs it',
    why: () => 'cron, systemd and mail programs have a short PATH: programs that nvm, Homebrew or npm installed are not in it',
    next: () => [
      noted(line`command -v mailauth node`, 'shows the full paths'),
      'Write the full path of both in the configuration, or set PATH there: PATH=/folder/of/node:/usr/bin:/bin mailauth token get …',
    ],
    retryHelps: false,
  }),
  'token-command-failed': entry<TokenCommand>({
    exit: Exit.needsSignIn,
    source: sources.own,
    says: [
      'password command failed: exit',
      'password command … returned',
      'pass command failed',
      'cannot get password',
      'passwordeval … exit code',
      'OAuth2 refresh command … failed',
      ...[1, 2, 3, 4, 5, 6, 7].flatMap((status) => ways.map((words) => ({ words: `${words} ${status}`, means: { status } }))),
      'cannot read output of … mailauth token get',
      'cannot read output of … token get',
      'password evaluation command failed',
      'passwordeval … failed',
      'Command returned empty string',
      'OAUTH refresh command … failed',
      'Unable to run refresh command',
      'Unable to run OAUTH_REFRESH_COMMAND',
      'oauth refresh command returned',
      'token command failed',
      'command … token get … failed',
    ],
    title: () => 'The command that gives the program its token failed, or printed nothing',
    why: (v) =>
      (v.status === undefined ? undefined : exits[v.status]) ??
      'The program shows only that it failed. What mailauth said stands on standard error.',
    next: (v) => [
      ...(v.status === 4 ? [noted(mailauth('login', v.mailbox), 'signs in again')] : []),
      noted(mailauth('token get', v.mailbox), 'run by hand as the same user: it says what is wrong'),
      noted(mailauth('doctor'), 'in the same environment'),
    ],
  }),
};
