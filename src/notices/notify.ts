import { join, resolve } from 'node:path';
import * as z from 'zod/mini';
import { isHandedOver, type MailboxRecord } from '../core/mailbox.ts';
import { again } from '../core/next.ts';
import { bareAddress, decodeText, isMarked, looksLikePath, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { Session } from '../session/session.ts';
import { guardWrites } from '../store/home.ts';
import { readGuarded, refuseExposed } from '../store/key-source.ts';
import { type NoticeEvent, newsOf, type Standing } from './event.ts';
import { commandReceiver, mailReceiver, type Receiver, urlReceiver } from './receivers.ts';
import { openToldFile } from './told-file.ts';

const schema = z.object({
  notifyCommand: z.optional(z.string()),
  notifyUrl: z.optional(z.string()),
  notifySecretFile: z.optional(z.string()),
  notifyMail: z.optional(z.string()),
  notifyFrom: z.optional(z.string()),
});

/** Makes the receivers for a run, once it is known which set-ups are red. */
export type Receivers = (red: readonly MailboxRecord[]) => readonly Receiver[];

/** A receiver is named: `readReceivers` reads which. */
export const wantsNotices = (flags: unknown): boolean => Object.keys(schema.parse(flags)).length > 0;

/** What the flags `--notify-…` name, checked before anything is done. Throws `value-invalid`, `usage` (2), `notify-from-missing` (3), and as the secret's file is refused. */
export async function readReceivers(flags: unknown, session: Session, records: readonly MailboxRecord[]): Promise<Receivers> {
  const { notifyCommand: command, notifyUrl: url, notifySecretFile, notifyMail, notifyFrom } = schema.parse(flags);
  if (command?.trim() === '') throw wrong('command', command, '--notify-command takes a line for the shell.', { notifyCommand: 'cat' });
  if (url !== undefined) refuseUrl(url);
  if (notifySecretFile !== undefined && url === undefined)
    throw problem('usage', { message: '--notify-secret-file signs what goes to --notify-url', help: again({ help: true }) });
  if (notifyFrom !== undefined && notifyMail === undefined)
    throw problem('usage', { message: '--notify-from is the sender for --notify-mail', help: again({ help: true }) });
  const secret = notifySecretFile === undefined ? undefined : await readSecret(notifySecretFile, session);
  const address = notifyMail === undefined ? undefined : bareAddress(notifyMail);
  if (address !== undefined && !/^[^\s@<>,;"]+@[^\s@<>,;"]+$/.test(address))
    throw wrong('address', address, '--notify-mail takes one mail address.', { notifyMail: 'ada@contoso.com' });
  const from = address === undefined ? undefined : senderOf(notifyFrom, records);
  return (red) => [
    ...(command === undefined ? [] : [commandReceiver(command, session)]),
    ...(url === undefined ? [] : [urlReceiver(url, secret, session)]),
    ...(address === undefined || from === undefined ? [] : [mailReceiver(address, from, red, session)]),
  ];
}

const wrong = (what: string, value: string, why: string, right: Parameters<typeof again>[0]) =>
  problem('value-invalid', { what, value: plain(value, 80), why, next: again(right) });

const here = new Set(['localhost', '127.0.0.1', '[::1]']);

/** What is in a notice is nobody else's business, so it goes over TLS, or stays on this computer. */
function refuseUrl(value: string): void {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && here.has(url.hostname))) return;
  // The path of such an address is often its secret.
  const shown = url === undefined ? 'it' : `${url.protocol}//${url.host}`;
  throw wrong('address', shown, '--notify-url takes https, or http on this computer (localhost).', {
    notifyUrl: 'https://hooks.contoso.com/mail',
  });
}

/** One line end at the end of the file is not part of the secret. */
async function readSecret(given: string, { ctx }: Session): Promise<Uint8Array> {
  const path = resolve(given);
  // Somebody may have given the secret itself.
  const value = looksLikePath(given) ? path : 'the value of --notify-secret-file';
  const unusable = (why: string) =>
    problem('value-invalid', { what: 'secret file', value, why, next: again({ notifySecretFile: '/etc/mailauth/notify' }) });
  const file = await readGuarded(ctx.files, path, unusable);
  if (file === undefined) throw unusable('There is no such file.');
  refuseExposed(file, path, ctx);
  const secret = withoutLineEnd(file.bytes);
  if (secret.length === 0) throw unusable('It is empty.');
  return secret;
}

/** The receiver knows the secret as UTF-8. A file without a byte order mark may hold any bytes. */
function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  const text = isMarked(bytes) ? Buffer.from(decodeText(bytes)).toString('latin1') : Buffer.from(bytes).toString('latin1');
  return Buffer.from(text.replace(/\r?\n$/, ''), 'latin1');
}

/** The mailbox that sends the notices. */
function senderOf(wanted: string | undefined, records: readonly MailboxRecord[]): MailboxRecord {
  const able = records.filter((one) => !isHandedOver(one) && (one.protocols.includes('smtp') || one.protocols.includes('graph-send')));
  const mailbox = wanted === undefined ? undefined : bareAddress(wanted).toLowerCase();
  const meant = able.filter((one) => mailbox === undefined || one.mailbox === mailbox);
  const mailboxes = [...new Set(meant.map((one) => one.mailbox))];
  const [only] = meant;
  if (only !== undefined && mailboxes.length === 1) return only;
  throw problem('notify-from-missing', {
    known: mailboxes.length > 0 ? mailboxes : [...new Set(able.map((one) => one.mailbox))],
    wanted: mailbox,
  });
}

export interface Notified {
  readonly sent: number;
  readonly undelivered: readonly { readonly receiver: string; readonly mailbox: string; readonly for: string; readonly why: string }[];
}

/** How long another run that sends its notices is waited for, in milliseconds. */
const lockWaitMs = 60_000;

/** Tells every receiver what is new to it. What could not be delivered is new to it in the next run, too. */
export async function notify(
  receivers: readonly Receiver[],
  { standings, setUps }: { readonly standings: readonly Standing[]; readonly setUps: readonly MailboxRecord[] },
  session: Session,
): Promise<Notified> {
  const { ctx, home, report } = session;
  const release = await guardWrites(home, () => ctx.files.lock(join(home, 'locks', 'notices'), lockWaitMs));
  if (release === undefined) throw problem('store-busy', { what: 'notices.json' });
  try {
    const file = await openToldFile(ctx, home, setUps);
    if (file.broken !== undefined) report.note(`notices.json cannot be read (${file.broken}): what is red is said anew`);
    const undelivered: Notified['undelivered'][number][] = [];
    let sent = 0;
    for (const receiver of receivers) {
      const news = standings.map((standing) => ({ standing, ...newsOf(standing, file.of(receiver.id, standing), ctx.surroundings) }));
      const events = news.flatMap((one) => one.events);
      const failures = events.length === 0 ? [] : await receiver.deliver(events);
      const failed = new Map<NoticeEvent, string>();
      events.forEach((event, i) => {
        const why = failures[i];
        if (why !== undefined) failed.set(event, why);
      });
      for (const { standing, told } of news) file.note(receiver.id, standing, told(new Set(failed.keys())));
      for (const [{ mailbox, for: product }, why] of failed) undelivered.push({ receiver: receiver.name, mailbox, for: product, why });
      sent += events.length - failed.size;
    }
    await file.write(setUps);
    return { sent, undelivered };
  } finally {
    await release();
  }
}
