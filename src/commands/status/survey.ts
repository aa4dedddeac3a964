import { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { pagesOf } from '../../session/pages.ts';
import type { Session } from '../../session/session.ts';
import { type BrokenFile, mailboxSlug } from '../../store/mailbox-file.ts';
import { type Row, rowReader, urgency } from './status-rows.ts';

/** Of more set-ups than that, those that are fine are only counted, where nothing is said of each. */
const mostKept = 1_000;
/** For an error's words. */
const mostKnown = 50;

interface SurveyWish {
  readonly isChosen: (record: MailboxRecord) => boolean;
  readonly warnDays: number;
  /** in days: what ends within them is said, whatever `warnDays` is */
  readonly ending?: number;
  /** something is said of each set-up, not of those alone that need somebody */
  readonly eachIsSaid: boolean;
}

/** What is known of all chosen set-ups. */
export interface Survey {
  /** what is over or ends first comes first */
  readonly rows: readonly Row[];
  /** fine ones that are not in `rows` */
  readonly fine: { readonly count: number; readonly tenants: ReadonlySet<string> };
  readonly broken: readonly BrokenFile[];
  /** some mailboxes, chosen or not */
  readonly known: readonly string[];
  readonly storeError: MailauthError | undefined;
  /** somebody else can steer a set-up: what is shown is true, but the next command that sends a token ends with this */
  readonly steered: MailauthError | undefined;
}

/** Reads the set-ups page by page, so that a hundred thousand fit into the memory that a hundred take. Throws the store's problems about the list. */
export async function survey(session: Session, { isChosen, warnDays, ending = 0, eachIsSaid }: SurveyWish): Promise<Survey> {
  const reader = rowReader(session, warnDays);
  const known = new Set<string>();
  const broken: BrokenFile[] = [];
  const tenants = new Set<string>();
  let rows: Row[] = [];
  let count = 0;
  let steered: MailauthError | undefined;
  const isOnlyCounted = (row: Row): boolean => isFine(row) && (row.ending?.days ?? ending) >= ending;
  const take = async (page: readonly MailboxRecord[]): Promise<void> => {
    rows.push(...(await reader.rowsOf(page)));
    for (const record of page) steered ??= await steeredIn(record, session);
    if (eachIsSaid || rows.length <= mostKept) return;
    for (const { record } of rows.filter(isOnlyCounted)) tenants.add(record.tenantId);
    const others = rows.filter((row) => !isOnlyCounted(row));
    count += rows.length - others.length;
    rows = others;
  };
  const walk = {
    isChosen,
    seen: ({ mailbox }: MailboxRecord) => void (known.size < mostKnown && known.add(mailbox)),
    broken: (file: BrokenFile) => void broken.push(file),
  };
  for await (const page of pagesOf(session, walk)) await take(page);
  const order = (a: Row, b: Row): number => urgency(a) - urgency(b) || (mailboxSlug(a.record) < mailboxSlug(b.record) ? -1 : 1);
  const { storeError } = reader;
  return { rows: rows.sort(order), fine: { count, tenants }, broken, known: [...known].sort(), storeError, steered };
}

export const isFine = ({ state }: Row): boolean => state === 'ok' || state === 'handed-over';

async function steeredIn(record: MailboxRecord, session: Session): Promise<MailauthError | undefined> {
  try {
    await session.refuseSteered(record);
    return undefined;
  } catch (error) {
    if (error instanceof MailauthError) return error;
    throw error;
  }
}
