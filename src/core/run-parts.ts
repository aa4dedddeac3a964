import type { Context, Network } from './context.ts';
import type { Reporter } from './report.ts';

/** What a run shares among everything that talks to Microsoft, to a mail server or to the person at the terminal. */
export interface Run {
  readonly ctx: Context;
  readonly report: Reporter;
  /** a person is there and prompts are on */
  readonly canAsk: boolean;
  /** limit of one network step */
  readonly stepTimeoutMs: number;
  /** how long a browser is waited for */
  readonly browserTimeoutMs: number;
  /** the network that trusts what this cloud needs */
  network(): Promise<Network>;
}
