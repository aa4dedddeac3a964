import type { MailauthError } from '../core/errors.ts';
import { fold } from '../core/fold.ts';
import type { Theme } from './theme.ts';

/**
 * An error as a person reads it: what happened, why, what to try, the line for an administrator, the evidence. Ends with a newline. `columns` of a
 * terminal fold the prose; commands stay whole, so that they can be copied.
 */
export function renderError(error: MailauthError, theme: Theme, columns = Number.POSITIVE_INFINITY): string {
  const lines = [`${theme.red(theme.signs.failed)} ${theme.bold(fold(error.title, columns, 2))}`];
  if (error.why !== undefined) lines.push(`  ${fold(error.why, columns, 2)}`);
  error.next.forEach((next, i) => {
    lines.push(`  ${i === 0 ? 'try:' : ' or:'} ${theme.cyan(isCopied(next) ? next : fold(next, columns, 7))}`);
  });
  if (error.admin !== undefined) {
    const line = `or ask an administrator: ${error.admin}`;
    lines.push(`  ${isCopied(line) ? line : fold(line, columns, 2)}`);
  }
  if (error.retryHelps === false) lines.push('  Trying again cannot help.');
  const evidence = evidenceLine(error);
  if (evidence !== undefined) lines.push(`  ${theme.dim(fold(evidence, columns, 2))}`);
  return `${lines.join('\n')}\n`;
}

/** A command, an address or a line with flags, also in the middle of words: a break would spoil the copy. */
const isCopied = (line: string): boolean => /^mailauth |: mailauth [a-z]+ -|:\/\/| --?[A-Za-z]/.test(line);

function evidenceLine({ detail }: MailauthError): string | undefined {
  const parts = [
    detail.aadsts === undefined ? undefined : `AADSTS${detail.aadsts}`,
    detail.correlationId === undefined ? undefined : `correlation ${detail.correlationId}`,
    detail.at?.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*Z$/, '$1 $2 UTC'),
    detail.reply === undefined ? undefined : `server said: ${detail.reply}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(' · ');
}
