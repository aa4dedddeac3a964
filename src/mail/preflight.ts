import type { MailHost, Protocol } from '../core/cloud.ts';
import type { MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { PreflightStage, StageWork } from './stages.ts';
import type { Wire } from './wire.ts';

/**
 * A mail protocol before the sign-in, on a connection of our own, so that each stage can be told from the next.
 * Each member of that name is one stage's work; call them in the order of `stageOrder`.
 */
export interface Preflight extends Readonly<Record<PreflightStage, StageWork>> {
  /** asks again over TLS what the server offers, when it was asked in clear before */
  askAgain(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** What a server offers, read from its answer. */
export interface Offer {
  readonly xoauth2: boolean;
  readonly startTls: boolean;
  /** all that it offers, for the error's evidence */
  readonly said: string;
}

/** How one protocol speaks. */
export interface Dialect {
  readonly protocol: Protocol;
  /** the command that begins TLS */
  readonly startTls: 'STARTTLS' | 'STLS';
  /** reads the first line; resolves to its words */
  greeting(signal: AbortSignal): Promise<string>;
  offer(signal: AbortSignal): Promise<Offer>;
  /** sends the command that begins TLS; rejects when the server refuses it */
  beginTls(signal: AbortSignal): Promise<void>;
}

export function preflight(wire: Wire, host: MailHost, dialect: Dialect): Preflight {
  const { protocol } = dialect;
  const where = { host: host.host, port: host.port };
  const clear = host.security === 'starttls';

  const requireXoauth2 = ({ xoauth2, said }: Offer): void => {
    if (!xoauth2) throw problem(`${protocol}-no-xoauth2`, where, { detail: { reply: plain(said) } });
  };

  return {
    dns: wire.dns,
    connect: wire.connect,
    async tls(signal) {
      if (clear) await dialect.beginTls(signal);
      return wire.secure(signal);
    },
    greeting: dialect.greeting,
    async capability(signal) {
      const offer = await dialect.offer(signal);
      if (!clear) {
        requireXoauth2(offer);
        return 'XOAUTH2 offered';
      }
      if (!offer.startTls) throw problem('mail-no-starttls', where);
      return `${dialect.startTls} offered`;
    },
    async askAgain(signal) {
      // A man in the middle may have written what came in clear (RFC 9051 section 6.2.1, RFC 3207 section 4.2, RFC 2595 section 4).
      if (clear) requireXoauth2(await dialect.offer(signal));
    },
    close: wire.close,
  };
}

/** A preflight on a connection of its own: the sign-in opens another one. */
export interface OwnPreflight extends Preflight {
  /** over TLS: makes sure that XOAUTH2 is offered, then says goodbye */
  finish(signal: AbortSignal): Promise<void>;
}

export function ownPreflight(wire: Wire, host: MailHost, dialect: Dialect, goodbye: string): OwnPreflight {
  const stages = preflight(wire, host, dialect);
  return {
    ...stages,
    async finish(signal) {
      await stages.askAgain(signal);
      wire.lines().send(goodbye);
    },
  };
}

/** Says in the protocol's own words that an answer makes no sense. */
export const unreadableAnswer =
  (protocol: Protocol, { host, port }: MailHost) =>
  (what: string, said?: string): MailauthError =>
    problem(`${protocol}-protocol`, { host, port, what }, said === undefined ? {} : { detail: { reply: plain(said) } });
