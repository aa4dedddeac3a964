import type { Cloud } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { MailauthError } from '../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { problem } from '../errors/problem.ts';
import { evidenceOf } from '../mail/run-tests.ts';
import { saslUser } from '../tokens/formats.ts';
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
}

/** How a message went out. */
export interface Sent extends Taken {
  readonly via: 'smtp';
  /** some recipients were refused: the exit code and the words of it */
  readonly error?: MailauthError;
}

/** Sends a message from a set-up mailbox. Resolves only where a server took it; everything else is thrown. */
export async function sendMessage(record: MailboxRecord, mail: Outgoing, deps: SendDeps): Promise<Sent> {
  if (deps.via === 'graph' || !record.protocols.includes('smtp')) {
    throw problem('send-not-set-up', { mailbox: record.mailbox, for: record.for, words: ['smtp'], keep: record.protocols });
  }
  return bySmtp(record, mail, deps);
}

async function bySmtp(record: MailboxRecord, { sender, recipients, message }: Outgoing, deps: SendDeps): Promise<Sent> {
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
        ...defined({ signInAs, tenantId, outlookScopeBase: cloud.outlookScopeBase }),
      },
    },
  );
  const error = refused.length === 0 ? undefined : recipientsRefused(host, { accepted, refused });
  return { via: 'smtp', accepted, refused, reply, ...defined({ error }) };
}
