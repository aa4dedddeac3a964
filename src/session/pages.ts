import type { MailboxRecord } from '../core/mailbox.ts';
import type { BrokenFile } from '../store/mailbox-file.ts';
import { mailboxesOf } from './mailbox-argument.ts';
import type { Session } from './session.ts';

/** How many set-ups are worked on at once. */
const pageSize = 500;

interface Walk {
  isChosen(record: MailboxRecord): boolean;
  /** each set-up, chosen or not */
  seen?(record: MailboxRecord): void;
  broken(file: BrokenFile): void;
}

/** All chosen set-ups, page by page, so that a hundred thousand need no more memory than a page. Throws what listing them throws. */
export async function* pagesOf(session: Session, walk: Walk): AsyncGenerator<readonly MailboxRecord[]> {
  let page: MailboxRecord[] = [];
  for await (const { record, broken } of mailboxesOf(session).eachMailbox()) {
    if (record === undefined) {
      walk.broken(broken);
      continue;
    }
    walk.seen?.(record);
    if (!walk.isChosen(record)) continue;
    page.push(record);
    if (page.length < pageSize) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
