import type { ImapFlow } from 'imapflow';
import * as z from 'zod/mini';
import type { MailHost } from '../core/cloud.ts';
import type { Network } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { Secret } from '../core/secret.ts';

/** The signed-in conversation. What imapflow throws passes through: `readImapFailure` reads it. */
export interface ImapSession {
  signIn(signal: AbortSignal): Promise<void>;
  /** EXAMINE INBOX: the number of messages, undefined where the server does not say it (against RFC 9051 section 6.3.3). Not SELECT, which would remove \Recent from the messages of a live helpdesk. */
  examineInbox(signal: AbortSignal): Promise<number | undefined>;
  /** LOGOUT */
  signOut(signal: AbortSignal): Promise<void>;
  /** the last NO or BAD that imapflow did not report, or the BYE */
  evidence(): unknown;
  close(): void;
}

interface ImapSessionOptions {
  readonly network: Network;
  readonly host: MailHost;
  readonly user: string;
  readonly token: Secret;
  readonly timeoutMs: number;
}

const loggedWarning = z.object({ msg: z.catch(z.optional(z.string()), undefined), err: z.optional(z.unknown()) });
const serverAnswer = z.object({ responseText: z.string() });
// Some gateways send no EXISTS, whatever the type of imapflow says.
const exists = z.object({ exists: z.catch(z.optional(z.number()), undefined) });
const throttled = z.object({ code: z.literal('ETHROTTLE') });

/**
 * A second connection, by imapflow (loaded here), not signed in yet. With `tls` imapflow speaks on a socket that mailauth opened, through
 * the proxy and with its password. With `starttls` imapflow can only connect by itself, so it gets the proxy's address.
 */
export async function imapSession(
  { network, host, user, token, timeoutMs }: ImapSessionOptions,
  signal: AbortSignal,
): Promise<ImapSession> {
  const { ImapFlow } = await import('imapflow');
  // The stage's own deadline comes first, and its error names the stage.
  const backstopMs = timeoutMs + 5_000;
  const tunnel = host.security === 'tls' ? await network.connect(host.host, host.port, signal) : undefined;
  const proxy = tunnel === undefined ? network.proxyFor(host.host, host.port) : undefined;
  let evidence: unknown;
  /**
   * imapflow hides three things that its log shows: refusals of NAMESPACE, CAPABILITY and ID, where Exchange says "authenticated but not
   * connected"; a throttling pause, which imapflow waits out before it reports it; and answers with a foreign tag, which it ignores.
   */
  const listen = (entry: unknown): void => {
    const warning = loggedWarning.safeParse(entry);
    if (!warning.success) return;
    const { msg, err } = warning.data;
    const lostTag = msg === 'Tagged response for an unknown tag';
    if (lostTag) evidence = Object.assign(new Error(msg), { code: 'UnexpectedTag' });
    else if (serverAnswer.safeParse(err).success) evidence = err;
    if (lostTag || throttled.safeParse(err).success) setImmediate(() => client.close());
  };
  const quiet = (): void => {};
  tunnel?.on('error', quiet);
  const client: ImapFlow = new ImapFlow({
    host: host.host,
    port: host.port,
    secure: host.security === 'tls',
    ...(host.security === 'starttls' ? { doSTARTTLS: true } : {}),
    auth: { user, accessToken: token.reveal() },
    tls: {
      ...defined({ socket: tunnel }),
      // Stated here, so that NODE_TLS_REJECT_UNAUTHORIZED in the environment cannot switch the check off.
      rejectUnauthorized: true,
      secureContext: network.secureContext(),
    },
    ...defined({ proxy }),
    logger: { debug: quiet, info: quiet, error: quiet, warn: listen },
    clientInfo: { name: 'mailauth', version: '', vendor: '', 'support-url': '' },
    connectionTimeout: backstopMs,
    greetingTimeout: backstopMs,
    socketTimeout: backstopMs,
    disableAutoIdle: true,
    disableCompression: true,
    disableAutoEnable: true,
    maxLineLength: 64 * 1024,
    maxLiteralSize: 64 * 1024,
    maxResponseSize: 1024 * 1024,
  });
  // Without a listener a late reset would end the process. The pending call reports the failure.
  client.on('error', (cause: unknown) => {
    evidence ??= cause;
  });

  const closing = async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const abort = (): void => client.close();
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await work();
    } finally {
      signal.removeEventListener('abort', abort);
    }
  };

  return {
    signIn: (signal) => closing(signal, () => client.connect()),
    examineInbox: (signal) => closing(signal, async () => exists.parse(await client.mailboxOpen('INBOX', { readOnly: true })).exists),
    signOut: (signal) => closing(signal, () => client.logout()),
    evidence: () => evidence ?? (client.byeReason === undefined ? undefined : { code: 'NoConnection', reason: client.byeReason }),
    close() {
      client.close();
      tunnel?.destroy();
    },
  };
}
