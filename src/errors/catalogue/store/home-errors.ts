import { Exit } from '../../../core/errors.ts';
import { type Line, led, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { inTurn, removeFile, setVariable, showAccess } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

interface ExposedHome {
  /** the first path that is exposed */
  readonly path: string;
  /** all of them */
  readonly paths: readonly string[];
  /** of `path` */
  readonly mode: string;
  /** `folder`: the home cannot be closed, and a folder in it can; `link`: a link of another user stands there */
  readonly way: 'close' | 'folder' | 'link';
  /** user id of whom everything must belong to */
  readonly owner: string;
  /** `path` belongs to that user */
  readonly isOwn: boolean;
  /** every one of `paths` does */
  readonly allOwn: boolean;
  /** the caller must become root to give files to somebody */
  readonly sudo: boolean;
}

/** `chmod go-w a b c` */
const over = (command: string, paths: readonly string[]): Line => ({
  kind: 'line',
  texts: [`${command} `, ...paths.slice(1).map(() => ' '), ''],
  values: paths,
});

/** What other users must not be able to change, and what somebody has changed. */
export const homeEntries = {
  'home-exposed': entry<ExposedHome>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ path, way, isOwn }) =>
      way === 'link'
        ? `${path} is a link between the files of different users`
        : isOwn
          ? `Other users of this computer can change ${path}`
          : `${path} belongs to another user, who can change it`,
    why: ({ mode }) => `Its mode is ${mode}. Whoever changes it decides where your tokens are sent, so none was read or sent.`,
    next: ({ path, paths, way, owner, sudo, allOwn }): readonly NextStep[] => {
      if (way === 'folder') {
        const own = `${path.replace(/\/+$/, '')}/mailauth`;
        return [
          noted(
            {
              ...inTurn(line`mkdir -m 700 ${own}`, setVariable('MAILAUTH_HOME', own)),
              ...line`mkdir -m 700 ${own} && export MAILAUTH_HOME=${own}`,
            },
            'a private folder in it',
          ),
          led('Then sign in there', mailauth('setup')),
        ];
      }
      if (way === 'link') return [noted(showAccess(path), 'shows where it leads'), noted(removeFile(path), 'removes the link alone')];
      const owned = over(`${sudo && !allOwn ? 'sudo ' : ''}chown -h ${owner}`, paths);
      const closed = noted(over('chmod go-w', paths), 'if others were on this machine, set the mailbox up again');
      return allOwn ? [closed, owned] : [owned, closed];
    },
    retryHelps: false,
  }),

  'mailbox-file-altered': entry<{ file: string; why: string; mailbox: string; for: string }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `The mailbox file ${file} was altered: its addresses do not belong together`,
    why: ({ why }) => `${why} Nothing was read from the store or sent.`,
    next: ({ mailbox, for: product }) => [
      noted(mailauth('setup', { mailbox, for: product }), 'finds the addresses again and signs in anew'),
      noted(mailauth('logout', mailbox, { for: product }), 'removes the mailbox from this computer'),
    ],
    retryHelps: false,
  }),
};
