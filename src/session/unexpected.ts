import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { Exit, errorCode, FileInUse, MailauthError } from '../core/errors.ts';
import { line, noted } from '../core/next.ts';
import { redact } from '../core/redact.ts';
import { plain } from '../core/text.ts';
import { rfc3339Exact, timeInFileName } from '../core/time.ts';
import { problem } from '../errors/problem.ts';
import { resolveHome } from '../store/home.ts';

const fileTroubles = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'ENOTDIR',
  'EISDIR',
  'EMFILE',
  'ENAMETOOLONG',
  'EIO',
  'EBUSY',
]);

/** A folder that cannot be made: below a file, below a link that leads nowhere, or in /proc. */
const isRefusedFolder = (error: Error): boolean =>
  'syscall' in error && error.syscall === 'mkdir' && ['ENOENT', 'EEXIST'].includes(errorCode(error) ?? '');

/** A disk that refuses (full, read-only, not ours) in the operator's words; undefined for anything else. */
export function fromSystemError(thrown: unknown): MailauthError | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if (thrown instanceof FileInUse) return problem('file-in-use', { file: plain(thrown.path) }, { cause: thrown });
  if (!fileTroubles.has(errorCode(thrown) ?? '') && !isRefusedFolder(thrown)) return undefined;
  return problem('write-failed', { why: plain(thrown.message) }, { cause: thrown });
}

/** Whatever was thrown, as an error to show: ours as it is, a disk that refuses in the operator's words, everything else a bug of ours. */
export async function asProblem(thrown: unknown, ctx: Context): Promise<MailauthError> {
  return thrown instanceof MailauthError ? thrown : (fromSystemError(thrown) ?? bugReport(thrown, ctx));
}

/** A bug of ours: one line for the operator, the stack into a redacted log. */
async function bugReport(thrown: unknown, ctx: Context): Promise<MailauthError> {
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  const now = ctx.clock.now();
  const file = join(resolveHome(ctx), 'logs', `bug-${timeInFileName(now)}.log`);
  const text = `mailauth bug report, ${rfc3339Exact(now)}\nplatform ${ctx.platform}\n${redact(stack)}\n`;
  const written = await ctx.files.writeAtomic(file, text).then(
    () => true,
    () => false,
  );
  return new MailauthError({
    code: 'bug',
    exit: Exit.failed,
    title: `mailauth itself failed (${plain(name, 60)}): this is a bug, not your mistake`,
    ...(written ? { why: `What happened is in ${file}, without secrets.` } : { why: plain(redact(stack), 200) }),
    next: [written ? noted(line`npm bugs entra-mailauth`, 'attach that file') : line`npm bugs entra-mailauth`],
    cause: thrown,
  });
}
