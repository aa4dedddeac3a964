import { basename, dirname, join } from 'node:path';
import type * as z from 'zod/mini';
import type { Files } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { errorCode } from '../core/errors.ts';
import { sha256 } from '../core/hashes.ts';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { diskReason, guardWrites } from './home.ts';
import { mailboxFileSchema, type Parsed, parseJsonFile, toJsonFile } from './schemas.ts';

export interface BrokenFile {
  readonly file: string;
  /** its name in the database, where it is no file of this computer */
  readonly document?: string;
  readonly why: string;
  /** the format of a later mailauth's file */
  readonly newer?: number;
}

type OneMailbox =
  | { readonly record: MailboxRecord; readonly broken?: undefined }
  | { readonly broken: BrokenFile; readonly record?: undefined };

/** Everything about the mailboxes of one home that is not secret: `<home>/mailboxes/<slug>.json`. */
export interface MailboxFiles {
  /** undefined when this mailbox is not set up; throws `mailbox-file-broken` */
  readMailbox(key: MailboxKey): Promise<MailboxRecord | undefined>;
  /** throws `mailbox-file-broken` rather than write over a file it cannot read, `home-not-writable` */
  writeMailbox(record: MailboxRecord): Promise<void>;
  /** false when it did not exist; throws like `writeMailbox` */
  removeMailbox(key: MailboxKey): Promise<boolean>;
  /** where a mailbox's file is, or would be */
  pathOf(key: MailboxKey): string;
  /** one after the other, in any order, so that a hundred thousand need no memory */
  eachMailbox(): AsyncGenerator<OneMailbox>;
  /** sorted by file name; files that cannot be read are in `broken` */
  listMailboxes(): Promise<{ readonly records: readonly MailboxRecord[]; readonly broken: readonly BrokenFile[] }>;
}

export function mailboxFiles({ files, home }: { readonly files: Files; readonly home: string }): MailboxFiles {
  const folder = join(home, 'mailboxes');
  const pathOf = (key: MailboxKey): string => join(folder, `${mailboxSlug(key)}.json`);

  const load = async (file: string): Promise<Parsed<MailboxRecord> | undefined> => {
    try {
      const text = await files.read(file);
      return text === undefined ? undefined : parseRecord(text);
    } catch (error) {
      const why = diskReason(error);
      if (why === undefined) throw error;
      return { kind: 'broken', why };
    }
  };

  const readMailbox = async (key: MailboxKey): Promise<MailboxRecord | undefined> => {
    const file = pathOf(key);
    const read = await load(file);
    if (read === undefined) return undefined;
    if (read.kind === 'broken') throw problem('mailbox-file-broken', await brokenFile(files, plain(file), read));
    if (mailboxSlug(read.value) !== mailboxSlug(key)) {
      throw problem('mailbox-file-broken', await brokenFile(files, plain(file), { why: `it is about ${plain(read.value.mailbox, 80)}` }));
    }
    return read.value;
  };

  async function* eachMailbox(): AsyncGenerator<OneMailbox> {
    for await (const { name, text } of contents(files, folder)) {
      if (!name.endsWith('.json')) continue;
      const file = join(folder, name);
      const read = text === undefined ? await load(file) : parseRecord(text);
      if (read === undefined) continue;
      if (read.kind === 'broken') yield { broken: await brokenFile(files, file, read) };
      else if (`${mailboxSlug(read.value)}.json` !== name) {
        yield { broken: await brokenFile(files, file, { why: `it is about ${plain(read.value.mailbox, 80)}` }) };
      } else yield { record: read.value };
    }
  }

  return {
    readMailbox,
    pathOf,

    async writeMailbox(record) {
      await readMailbox(record);
      // The schema is applied when writing, too: what is not a field of the record does not get to the disk.
      const wire = mailboxFileSchema.parse({ version: 1, ...record, mailbox: record.mailbox.toLowerCase() });
      await guardWrites(home, () => files.writeAtomic(pathOf(record), toJsonFile(wire)));
    },

    async removeMailbox(key) {
      await readMailbox(key);
      return guardWrites(home, () => files.remove(pathOf(key)));
    },

    eachMailbox,

    async listMailboxes() {
      const records: MailboxRecord[] = [];
      const broken: BrokenFile[] = [];
      for await (const { record, broken: file } of eachMailbox()) {
        if (record !== undefined) records.push(record);
        else broken.push(file);
      }
      const order = (a: string, b: string) => (a < b ? -1 : 1);
      return {
        records: records.sort((a, b) => order(mailboxSlug(a), mailboxSlug(b))),
        broken: broken.sort((a, b) => order(a.file, b.file)),
      };
    },
  };
}

async function brokenFile(files: Files, file: string, { why, newer }: Pick<BrokenFile, 'why' | 'newer'>): Promise<BrokenFile> {
  return { file, why, ...defined({ newer, document: await files.documentOf?.(file) }) };
}

/** The names in a folder, with the content of those that come with it. */
async function* contents(files: Files, folder: string): AsyncGenerator<{ readonly name: string; readonly text: string | undefined }> {
  try {
    if (files.readFolder !== undefined) yield* files.readFolder(folder);
    else for (const name of await files.list(folder)) yield { name, text: undefined };
  } catch (error) {
    const why = diskReason(error);
    if (why === undefined) throw error;
    if (errorCode(error) === 'ENOTDIR') throw noFolder(dirname(folder), why);
    throw problem('mailbox-file-broken', { file: plain(folder), why }, { cause: error });
  }
}

/** A home that is a file, such as a mount that went wrong, is not a home where nothing is set up. */
const noFolder = (home: string, why: string) => problem('home-not-writable', { home: plain(home), why });

function parseRecord(text: string): Parsed<MailboxRecord> {
  const read = parseJsonFile<z.infer<typeof mailboxFileSchema>>(text, mailboxFileSchema);
  if (read.kind === 'broken') return read;
  const { version: _, ...record } = read.value;
  return { kind: 'ok', value: record };
}

const longest = 120;
/** Windows reserves these names for devices, also with a file extension. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

/** Whether a file of the folder `mailboxes` is about this mailbox and product, as far as they are named: told by its name alone. */
export function isFileOf(
  file: string,
  { mailbox, for: product }: { readonly mailbox?: string | undefined; readonly for?: string | undefined },
): boolean {
  const [address = '', guide = ''] = basename(file, '.json').split('~');
  const clean = (text: string) => mailboxSlug({ mailbox: text, for: '' }).split('~')[0];
  return (mailbox === undefined || address === clean(mailbox)) && (product === undefined || guide === product);
}

/**
 * File name (without ending) of a mailbox and its product: `ops@contoso.com~this-computer`. Lower case, only
 * `a-z 0-9 @ . _ + -`, no leading dot or reserved name, at most 133 characters; where anything had to be
 * replaced, a hash of the original keeps different mailboxes apart.
 */
export function mailboxSlug(key: MailboxKey): string {
  const mailbox = key.mailbox.toLowerCase();
  const guide = key.for.toLowerCase();
  const clean = (text: string) => text.replace(/[^a-z0-9@._+-]/g, '_').replace(/^\./, '_');
  const name = `${clean(mailbox)}~${clean(guide)}`;
  const safe = (reserved.test(name) ? `_${name}` : name).slice(0, longest);
  if (safe === `${mailbox}~${guide}`) return safe;
  const hash = sha256(`${mailbox}\0${guide}`).slice(0, 12);
  return `${safe}~${hash}`;
}
