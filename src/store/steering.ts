import type { Context } from '../core/context.ts';
import { foreignEndpoint } from '../core/endpoints.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { refuseExposedFile, refuseExposedHome } from './home-guard.ts';
import { mailboxFiles } from './mailbox-file.ts';

export interface Steering {
  readonly home: string;
  readonly isSandbox: boolean;
  /** the file that describes the cloud, absolute */
  readonly cloudFile?: string | undefined;
}

/**
 * What steers secrets is looked at before each use: who can change the home, the file of this mailbox and the cloud file, and whether the
 * addresses in the mailbox file belong together. Throws `home-exposed`, `mailbox-file-altered`.
 */
export async function refuseSteered(
  ctx: Pick<Context, 'files' | 'uid'>,
  { home, isSandbox, cloudFile }: Steering,
  record?: MailboxRecord,
): Promise<void> {
  const file = record && mailboxFiles({ files: ctx.files, home }).pathOf(record);
  await refuseExposedHome(ctx, home, file === undefined ? [] : [file]);
  if (cloudFile !== undefined) await refuseExposedFile(ctx, cloudFile, home);
  const why = record && foreignEndpoint({ login: record.cloud.login, isSandbox }, record.endpoints);
  if (record === undefined || file === undefined || why === undefined) return;
  throw problem('mailbox-file-altered', { file: plain(file), why: plain(why, 400), mailbox: record.mailbox, for: record.for });
}
