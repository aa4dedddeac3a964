import { resolve } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../../core/context.ts';
import { errorCode } from '../../core/errors.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { diskReason } from '../../store/home.ts';
import type { RowResult } from './row-result.ts';

export interface ReportFile {
  /** a line more, which is on the disk when this comes back */
  add(result: RowResult): Promise<void>;
}

const line = z.object({ row: z.number(), mailbox: z.string(), ok: z.boolean() });

/** A report of an earlier run, or nothing. */
function isReport(text: string): boolean {
  const [first = ''] = text.trim().split('\n', 1);
  if (first === '') return true;
  try {
    return line.safeParse(JSON.parse(first)).success;
  } catch {
    return false;
  }
}

/** May a report be written there? Throws `report-place-taken` (2) for a file of somebody else, and for one that cannot be read. */
export async function checkReport({ files }: Pick<Context, 'files'>, file: string): Promise<void> {
  let text: string | undefined;
  try {
    text = await files.read(resolve(file));
  } catch (error) {
    if (diskReason(error) === undefined && errorCode(error) !== 'EINVAL') throw error;
    throw problem('report-place-taken', { file: plain(file) }, { cause: error });
  }
  if (text !== undefined && !isReport(text)) throw problem('report-place-taken', { file: plain(file) });
}

/** Begins the report of this run, in place of the one of an earlier run. Throws as the disk does. */
export async function beginReport({ files }: Pick<Context, 'files'>, file: string): Promise<ReportFile> {
  const path = resolve(file);
  await files.writeAtomic(path, '');
  return { add: (result) => files.append(path, `${JSON.stringify(result)}\n`) };
}
