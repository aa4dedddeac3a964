import type { Cloud, ProtocolWord } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { Exit, MailauthError } from '../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { mailauth, noted } from '../core/next.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { evidenceOf } from '../mail/run-tests.ts';
import { readAddresses, sameAddress } from '../message/addresses.ts';
import { valuesOf } from '../message/message.ts';
import { saslUser } from '../tokens/formats.ts';
import { mimeFor, sendByGraph } from './graph-mail.ts';
import type { Outgoing } from './outgoing.ts';
import { recipientsRefused, submit, type Taken } from './submission.ts';

export const ways = ['auto', 'smtp', 'graph'] as const;
export type Via = (typeof ways)[number];

/** What sending needs of a command. */
export interface SendDeps {
  readonly via: Via;
  readonly ctx: Context;
  readonly network: Context['network'];
  readonly cloud: Cloud;
  readonly timeoutMs: number;
  readonly answerMs: number;
  /** a valid token for the mail servers */
  readonly token: () => Promise<TokenSet>;
  /** one for Microsoft Graph */
  readonly graphToken: () => Promise<TokenSet>;
}

/** How a message went out. */
export interface Sent extends Taken {
  readonly via: 'smtp' | 'graph';
  /** some recipients were refused: the exit code and the words of it */
  readonly error?: MailauthError;
}

/**
 * Sends a message from a set-up mailbox. Resolves only where a server took it; everything else is thrown. `auto` is SMTP, and Graph where SMTP
 * AUTH is switched off or not part of the set-up, and Graph may be used.
 */
export async function sendMessage(record: MailboxRecord, mail: Outgoing, deps: SendDeps): Promise<Sent> {
  const { protocols } = record;
  const [hasSmtp, hasGraph] = [protocols.includes('smtp'), protocols.includes('graph-send')];
  if (deps.via === 'graph' || (deps.via === 'auto' && !hasSmtp && hasGraph)) {
    if (!hasGraph) throw notSetUp(record, 'graph-send');
    return byGraph(record, mail, deps, await deps.graphToken());
  }
  if (!hasSmtp) throw notSetUp(record, 'smtp');
  try {
    return await bySmtp(record, mail, deps);
  } catch (cause) {
    const isOff = cause instanceof MailauthError && cause.code === 'smtp-auth-disabled';
    if (isOff && !hasGraph && record.access !== 'app-only') throw cause.but({ next: [...cause.next, otherWay(record)] });
    if (!isOff || deps.via !== 'auto') throw cause;
    // Where Graph gives no token, the switch that is off says more.
    const set = await deps.graphToken().catch((refused: unknown) => {
      throw refused instanceof MailauthError && refused.exit !== Exit.temporary ? cause : refused;
    });
    return byGraph(record, mail, deps, set);
  }
}

/** What helps where nobody may switch SMTP AUTH on. */
const otherWay = ({ mailbox, for: product, protocols }: MailboxRecord) =>
  noted(
    mailauth('setup', { mailbox, for: product, protocols: [...protocols, 'graph-send'].join() }),
    'sends through Microsoft Graph in its place',
  );

const notSetUp = ({ mailbox, for: product, protocols }: MailboxRecord, word: ProtocolWord): MailauthError =>
  problem('send-not-set-up', { mailbox, for: product, word, keep: protocols });

async function byGraph(record: MailboxRecord, mail: Outgoing, deps: SendDeps, { accessToken }: TokenSet): Promise<Sent> {
  const { ctx, network, cloud, answerMs } = deps;
  await sendByGraph(record, mimeFor(record, mail), { ctx, network, cloud, token: accessToken, timeoutMs: answerMs });
  return { via: 'graph', accepted: mail.recipients, refused: [], reply: '202' };
}

/** Exchange refuses by the sender of the envelope, and by From: the first of them that is not the mailbox. */
function otherSender({ mailbox }: MailboxRecord, { sender, message }: Outgoing): string | undefined {
  const from = valuesOf(message, 'from').flatMap((value) => readAddresses(value).addresses);
  const other = [sender, ...from].find((address) => address !== '' && sameAddress(address) !== sameAddress(mailbox));
  return other === undefined ? undefined : plain(other, 80);
}

async function bySmtp(record: MailboxRecord, mail: Outgoing, deps: SendDeps): Promise<Sent> {
  const { sender, recipients, message } = mail;
  const { ctx, network, cloud, timeoutMs, answerMs } = deps;
  const set = await deps.token();
  const { mailbox, signInAs, tenantId } = record;
  const user = saslUser(record, 'smtp');
  const { host, port } = cloud.smtp;
  const { accepted, refused, reply } = await submit(
    { sender, recipients, bytes: message.bytes },
    {
      ctx: { network, clock: ctx.clock, signal: ctx.signal },
      host: cloud.smtp,
      user,
      token: set.accessToken,
      timeoutMs,
      answerMs,
      attempt: {
        ...{ mailbox, user, protocol: 'smtp', host, port },
        tokenLength: set.accessToken.length,
        token: evidenceOf(set, record),
        ...defined({ signInAs, tenantId, outlookScopeBase: cloud.outlookScopeBase, sendsAs: otherSender(record, mail) }),
      },
    },
  );
  const error = refused.length === 0 ? undefined : recipientsRefused(host, { accepted, refused });
  return { via: 'smtp', accepted, refused, reply, ...defined({ error }) };
}
