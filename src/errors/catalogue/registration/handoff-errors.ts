import { Exit } from '../../../core/exit.ts';
import { shellWord } from '../../../core/links.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** The folder for an administrator. */
export const handoffEntries = {
  'handoff-file-kept': entry<{ folder: string; files: readonly string[] }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `Somebody changed ${v.files.join(', ')} in the hand-off folder`,
    why: (v) => `Nothing was written to ${v.folder}, so that no work is lost.`,
    next: (v) => [`mv ${shellWord(v.folder)} ${shellWord(`${v.folder}.old`)}`, 'Then run the same command again.'],
    retryHelps: false,
  }),
};
