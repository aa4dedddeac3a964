import { createHmac } from 'node:crypto';
import { MailauthError } from '../core/errors.ts';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import { plain } from '../core/text.ts';
import { encodedWords } from '../message/message.ts';
import { sendFrom } from '../session/send-from.ts';
import type { Session } from '../session/session.ts';
import type { NoticeEvent } from './event.ts';

/** Where notices go. */
export interface Receiver {
  /** tells it from the others, also in later runs */
  readonly id: string;
  /** how it is called in a message */
  readonly name: string;
  /** of each event why it could not be delivered; undefined: it was */
  deliver(events: readonly NoticeEvent[]): Promise<readonly (string | undefined)[]>;
}

/** `--notify-command`: run once an event by the shell of the system, with the event on its standard input. */
export const commandReceiver = (command: string, { ctx, stepTimeoutMs }: Session): Receiver => ({
  id: `command ${command}`,
  name: 'the command',
  deliver: oneByOne(async (event) => {
    const { code, complaint } = await ctx.shellCommand(command, `${JSON.stringify(event)}\n`, stepTimeoutMs);
    if (code === 0) return undefined;
    const how = code === undefined ? `it did not end within ${stepTimeoutMs / 1000} seconds` : `it ended with exit ${code}`;
    return complaint === '' ? how : `${how}: ${plain(complaint, 200)}`;
  }),
});

/** `--notify-url`: one POST an event. `secret`: signs the body (HMAC-SHA256, RFC 2104), as GitHub and others sign theirs. */
export const urlReceiver = (url: string, secret: Uint8Array | undefined, { ctx, stepTimeoutMs }: Session): Receiver => ({
  id: `url ${url}`,
  name: new URL(url).host,
  deliver: oneByOne(async (event) => {
    const body = JSON.stringify(event);
    const signature = secret && `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const { status } = await ctx.network.request({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...(signature === undefined ? {} : { 'x-mailauth-signature': signature }) },
      body,
      timeoutMs: stepTimeoutMs,
      signal: ctx.signal,
    });
    return status >= 200 && status < 300 ? undefined : `it answered HTTP ${status}`;
  }),
});

/** `--notify-mail`: one message for all events of a run. `red`: the set-ups that cannot send now. */
export const mailReceiver = (address: string, from: MailboxRecord, red: readonly MailboxKey[], session: Session): Receiver => ({
  id: `mail ${address}`,
  name: address,
  async deliver(events) {
    const isRed = red.some((one) => one.mailbox === from.mailbox && one.for === from.for);
    const why = isRed ? `${from.mailbox} is red itself, so it cannot send` : await triedTo(() => send(events, address, from, session));
    return events.map(() => why);
  },
});

async function send(events: readonly NoticeEvent[], address: string, from: MailboxRecord, session: Session): Promise<undefined> {
  const { sent } = await sendFrom(session, from, messageOf(events, address), { recipients: [address], fromHeader: false, via: 'auto' });
  if (sent.error !== undefined) throw sent.error;
}

/** How many failures in a row show that the receiver is away: the others then fail without another wait. */
const mostFailures = 2;

function oneByOne(act: (event: NoticeEvent) => Promise<string | undefined>): Receiver['deliver'] {
  return async (events) => {
    const failures: (string | undefined)[] = [];
    for (const event of events) {
      const last = failures.slice(-mostFailures);
      const isAway = last.length === mostFailures && last.every((why) => why !== undefined);
      failures.push(isAway ? last[0] : await triedTo(() => act(event)));
    }
    return failures;
  };
}

async function triedTo(act: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
    return error.title;
  }
}

/** RFC 5322, plain text in UTF-8; `send` puts From, Date and Message-ID on top. Auto-Submitted: no holiday notice answers it (RFC 3834). */
function messageOf(events: readonly NoticeEvent[], address: string): Buffer {
  const [first] = events;
  const subject = events.length === 1 && first !== undefined ? subjectOf(first) : `${events.length} set-ups changed`;
  const text = events.map(({ title, next, mailbox, for: product, event }) =>
    [`${event.toUpperCase()}  ${mailbox} for ${product}`, `  ${title}`, ...next.slice(0, 1).map((step) => `  try: ${step}`)].join('\n'),
  );
  const headers = [
    `To: ${address}`,
    `Subject: ${encodedWords(`mailauth: ${subject}`)}`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
  ];
  const body =
    Buffer.from(`${text.join('\n\n')}\n`)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return Buffer.from(`${headers.join('\n')}\n\n${body.join('\n')}\n`);
}

const subjectOf = ({ event, mailbox, for: product, daysLeft, what }: NoticeEvent): string =>
  event === 'ending' ? `${mailbox} for ${product}: ${what} ends in ${daysLeft} days` : `${mailbox} for ${product} is ${event}`;
