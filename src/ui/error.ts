import type { MailauthError } from '../core/errors.ts';
import { fold } from '../core/fold.ts';
import type { NextStep } from '../core/next.ts';
import { type ShownStep, type Surroundings, stepsShown } from '../core/shown.ts';
import type { Theme } from './theme.ts';

/**
 * What happened, why, what to try, what to ask an administrator, and the evidence. Ends with a newline. `columns` of a terminal fold the
 * prose; commands stay whole, so that they can be copied.
 */
export function renderError(error: MailauthError, theme: Theme, here: Surroundings, columns = Number.POSITIVE_INFINITY): string {
  const lines = [`${theme.red(theme.signs.failed)} ${theme.bold(fold(error.title, columns, 2))}`];
  if (error.why !== undefined) lines.push(`  ${fold(error.why, columns, 2)}`);
  stepsShown(error.next, here).forEach((step, i) => {
    // A sentence behind a command belongs to it; only another command is an alternative.
    const label = i === 0 ? 'try:' : isAfter(error.next[i]) ? 'then' : step.copied ? ' or:' : '    ';
    lines.push(`  ${label} ${theme.cyan(folded(step, columns, 7))}`);
  });
  for (const { text, copied } of stepsShown(adminOf(error), here)) {
    lines.push(`  ${folded({ text: `or ask an administrator: ${text}`, copied }, columns, 2)}`);
  }
  if (error.retryHelps === false) lines.push('  Trying again without a change cannot help.');
  const evidence = evidenceLine(error);
  if (evidence !== undefined) lines.push(`  ${theme.dim(fold(evidence, columns, 2))}`);
  return `${lines.join('\n')}\n`;
}

const isAfter = (step: NextStep | undefined): boolean => typeof step === 'object' && step.kind === 'line' && step.after === true;

const folded = ({ text, copied }: ShownStep, columns: number, at: number): string => (copied ? text : fold(text, columns, at));

const adminOf = ({ admin }: MailauthError): readonly NextStep[] => (admin === undefined ? [] : [admin]);

function evidenceLine({ detail }: MailauthError): string | undefined {
  const parts = [
    detail.aadsts === undefined ? undefined : `AADSTS${detail.aadsts}`,
    detail.correlationId === undefined ? undefined : `correlation ${detail.correlationId}`,
    detail.at?.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*Z$/, '$1 $2 UTC'),
    detail.reply === undefined ? undefined : `server said: ${detail.reply}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(' · ');
}
