import { Exit } from '../../../core/errors.ts';
import { again, mailauth, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** Many set-ups from a list. */
export const listEntries = {
  'list-unreadable': entry<{ file: string; why: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `The list ${v.file} cannot be used`,
    why: (v) => v.why,
    next: () => [noted(mailauth('setup', { template: true }), 'prints one that can')],
    retryHelps: false,
  }),
  'list-faulty': entry<{ file: string; faults: readonly string[] }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) =>
      v.faults.length === 1 ? (v.faults[0] ?? '').replace(/\.$/, '') : `${v.faults.length} faults in ${v.file}, the first: ${v.faults[0]}`,
    why: () => 'All rows are checked before the first change, so nothing was changed.',
    next: () => [noted(again({ dryRun: true }), 'when the list is mended, shows what it would do')],
    retryHelps: false,
  }),
  'list-declined': entry({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Stopped: nothing was changed',
    next: () => [again()],
  }),
  'report-place-taken': entry<{ file: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `${v.file} exists already, and it is not a report of mailauth`,
    why: () => 'It was left untouched, and nothing was set up.',
    next: () => [again({ report: 'report.jsonl' })],
    retryHelps: false,
  }),
  'set-ups-failed': entry<{ failed: number; total: number; isPlan?: boolean }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `${v.failed} of ${v.total} set-ups ${v.isPlan === true ? 'would fail: no tenant was found' : 'failed'}`,
    why: (v) => (v.isPlan === true ? 'Nothing was changed.' : 'The others are finished. The same command goes on with what is missing.'),
    next: () => [again()],
  }),
};
