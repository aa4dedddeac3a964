import type { Context } from '../../core/context.ts';
import type { MailauthError } from '../../core/errors.ts';
import type { FaultName } from '../faults/faults.ts';
import type { Outbox } from '../tenant/outbox.ts';
import type { StateStore } from '../tenant/state.ts';
import type { TokenMint } from '../tenant/tokens.ts';

/** What every part of a running sandbox works with. */
export interface Service {
  readonly ctx: Pick<Context, 'clock' | 'random'>;
  readonly state: StateStore;
  /** messages that were taken */
  readonly outbox: Outbox;
  readonly mint: TokenMint;
  readonly fault: FaultName | undefined;
  /** fixed life of an access token in seconds; else random, as Entra does it */
  readonly tokenSeconds: number | undefined;
  /** answered by `/sandbox/ping`: proves that this server is the one of `running.json` */
  readonly nonce: string;
  readonly addresses: Addresses;
  /** why the sandbox could not do what it was asked for: its folder cannot be written */
  trouble: MailauthError | undefined;
  /** how often a page that begins a sign-in, a consent or a device code was fetched */
  seen: number;
}

/** Base addresses without a slash at the end. Ports are known only once the servers listen. */
interface Addresses {
  /** plain http: what a browser opens */
  pages: string;
  /** https: the v2 endpoints */
  login: string;
  /** https: `<login>/graph` */
  graph: string;
  /** https: `<login>/exchange` */
  exchange: string;
}
