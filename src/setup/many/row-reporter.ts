import type { Reporter } from '../../core/run-parts.ts';

/** Says nothing: for checks that come before the work. */
export const silent = (report: Reporter): Reporter => ({
  ...report,
  ...{ progress: () => undefined, busy: () => undefined, waiting: () => undefined, authorizationRequired: () => undefined },
  ...{ note: () => undefined, detail: () => undefined, show: () => undefined },
  meanwhile: (_text, doing) => doing,
});

/**
 * What one set-up of many tells. A program gets every step of it. A person, who has one line for all of them, gets what asks for a person (the
 * sign-ins), what Microsoft is waited for, and each note once, with its mailbox. `told`: the notes so far.
 */
export function rowReporter(report: Reporter, mailbox: string, told: Set<string>): Reporter {
  const note = (text: string): void => {
    if (told.has(text)) return;
    told.add(text);
    report.note(`${mailbox}: ${text}`);
  };
  if (!report.isForPeople) return { ...report, note };
  return {
    ...report,
    note,
    progress(step, state, text) {
      const isSignIn = step === 'admin-sign-in' && (state === 'done' || state === 'failed');
      if (isSignIn || state === 'waiting') report.progress(step, state, text);
    },
    busy: () => undefined,
    detail: (text) => report.detail(`${mailbox}: ${text}`),
    // The summary and the portal's steps of each set-up: the plan was shown for all of them.
    show: () => undefined,
  };
}
