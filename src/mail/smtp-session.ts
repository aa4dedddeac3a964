import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import * as z from 'zod/mini';
import type { MailHost } from '../core/cloud.ts';
import type { Network } from '../core/context.ts';
import type { Secret } from '../core/secret.ts';
import { xoauth2 } from '../tokens/sasl.ts';
import { ourName } from './smtp-preflight.ts';

/** The signed-in conversation. What nodemailer throws passes through: `readSmtpFailure` reads it. */
export interface SmtpSession {
  signIn(signal: AbortSignal): Promise<void>;
  /** MAIL FROM, then RSET: nothing is sent */
  offerMail(from: string, signal: AbortSignal): Promise<void>;
  /** one message; the server's reply to it */
  send(mail: { readonly from: string; readonly to: string; readonly message: string }, signal: AbortSignal): Promise<string>;
  /** QUIT */
  signOut(signal: AbortSignal): Promise<void>;
  close(): void;
}

interface SmtpSessionOptions {
  readonly network: Network;
  readonly host: MailHost;
  readonly user: string;
  readonly token: Secret;
  readonly timeoutMs: number;
}

/** Sends one command between nodemailer's own commands and resolves to the whole reply. */
type Command = (line: string) => Promise<{ readonly response: string }>;

/** Not named `XOAUTH2`: for that name nodemailer would first pick another mechanism that the server offers (LOGIN). */
const ourMethod = 'XOAUTH2-IN-TWO-STEPS';

const discardedWarning = z.object({ discarded: z.number() });

/**
 * A second connection, by nodemailer (loaded here), not signed in yet. nodemailer speaks on a socket that mailauth opened through the
 * proxy. With `starttls` nodemailer makes TLS itself, and signs in over nothing else.
 *
 * nodemailer is pinned to one exact version in package.json, because this file depends on what its documentation does not promise: the
 * inner path `lib/smtp-connection`, the way in which it picks a custom method of sign-in, and a record of its log (`discarded`). An update
 * of nodemailer needs the tests of SMTP, also those against Postfix (test/real/postfix.test.ts).
 */
export async function smtpSession(
  { network, host, user, token, timeoutMs }: SmtpSessionOptions,
  signal: AbortSignal,
): Promise<SmtpSession> {
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  // The stage's own deadline comes first, and its error names the stage.
  const backstopMs = timeoutMs + 5_000;
  const tcp = await network.connect(host.host, host.port, signal);
  tcp.on('error', () => {});
  const socket =
    host.security === 'starttls'
      ? tcp
      : await network.secure(tcp, host.host, signal).catch((cause: unknown) => {
          tcp.destroy();
          throw cause;
        });

  let broken: unknown;
  let onBroken: (cause: unknown) => void = () => {};
  const breaks = (cause: unknown): void => {
    broken ??= cause;
    onBroken(broken);
  };
  /**
   * nodemailer discards what came in clear after the answer to STARTTLS, and continues. mailauth ends the connection: somebody may have
   * injected it.
   */
  const listen = (entry: unknown): void => {
    if (!discardedWarning.safeParse(entry).success) return;
    breaks(Object.assign(new Error('data before the TLS handshake'), { code: 'STARTTLS_INJECTION', command: 'STARTTLS' }));
    tcp.destroy();
  };
  const quiet = (): void => {};
  const connection: SMTPConnection = new Connection({
    host: host.host,
    port: host.port,
    name: ourName,
    connection: socket,
    ...(host.security === 'tls' ? { secure: true, secured: true } : { secure: false, requireTLS: true }),
    // Stated here, so that NODE_TLS_REJECT_UNAUTHORIZED in the environment cannot switch the check off.
    tls: { rejectUnauthorized: true, secureContext: network.secureContext() },
    logger: { level: quiet, trace: quiet, debug: quiet, info: quiet, warn: listen, error: quiet, fatal: quiet },
    customAuth: { [ourMethod]: (ctx) => signInBy((line) => ctx.sendCommand(line)) },
    connectionTimeout: backstopMs,
    greetingTimeout: backstopMs,
    socketTimeout: backstopMs,
  });
  connection.on('error', breaks);
  // nodemailer reports a reply that ends the connection (421) a moment after the end itself.
  connection.on('end', () => setImmediate(() => breaks(Object.assign(new Error('closed'), { code: 'ECONNECTION', command: 'CONN' }))));

  let command: Command | undefined;
  /**
   * Signs in in two steps (AUTH without initial response), because an Exchange token is longer than the command line that some servers
   * read; and only once, because nodemailer's own XOAUTH2 would try a refused token again.
   */
  const signInBy = async (sendCommand: Command): Promise<boolean> => {
    command = sendCommand;
    let answer = await sendCommand('AUTH XOAUTH2');
    if (isStatus(answer.response, '334')) answer = await sendCommand(xoauth2(user, token).reveal());
    // A server that explains its refusal first waits for an empty line before it refuses (RFC 7628 section 3.2.3).
    if (isStatus(answer.response, '334')) answer = await sendCommand('');
    if (!isStatus(answer.response, '235')) throw refused('AUTH XOAUTH2', answer.response);
    return true;
  };

  const expect250 = async (line: string, name: string): Promise<void> => {
    if (command === undefined) throw new Error('smtp: not signed in yet');
    const { response } = await command(line);
    if (!isStatus(response, '250')) throw refused(name, response);
  };

  /** Ends when the work ends, the connection breaks, or the signal aborts. */
  const during = async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    if (broken !== undefined) throw broken;
    const stop = new AbortController();
    const interrupted = new Promise<never>((_, reject) => {
      onBroken = reject;
      signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: stop.signal });
    });
    try {
      return await Promise.race([work(), interrupted]);
    } finally {
      stop.abort();
      onBroken = () => {};
      if (signal.aborted) close();
    }
  };

  const called = (work: (done: (cause?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => work((cause) => (cause ? reject(cause) : resolve())));

  const close = (): void => {
    connection.close();
    socket.destroy();
    tcp.destroy();
  };

  return {
    signIn: (signal) =>
      during(signal, async () => {
        await called((done) => connection.connect(done));
        const credentials = { method: ourMethod, user, pass: '' };
        await called((done) => connection.login(credentials, done));
      }),
    offerMail: (from, signal) =>
      during(signal, async () => {
        await expect250(`MAIL FROM:<${from}>`, 'MAIL FROM');
        await expect250('RSET', 'RSET');
      }),
    send: ({ from, to, message }, signal) =>
      during(
        signal,
        () =>
          new Promise((resolve, reject) => {
            connection.send({ from, to }, message, (cause, info) => (cause ? reject(cause) : resolve(info.response)));
          }),
      ),
    signOut: (signal) =>
      during(signal, async () => {
        await called((done) => {
          connection.once('end', () => done());
          connection.quit();
        });
      }),
    close,
  };
}

function isStatus(response: string, status: string): boolean {
  return response.startsWith(status);
}

function refused(command: string, response: string): Error {
  return Object.assign(new Error('refused'), { command, response });
}
