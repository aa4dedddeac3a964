import type { Cmdlet } from '../core/cmdlet.ts';

/** How Exchange Online is reached: Microsoft's module in PowerShell, the web call that this module makes itself, or a person who runs lines. */
export const exchangeWays = ['api', 'pwsh', 'print'] as const;
export type Through = (typeof exchangeWays)[number];

/** Why a cmdlet was not run, as far as its answer can be understood. */
export type RefusalReason =
  /** the sign-in is not accepted (any more) */
  | 'token'
  /** the person has no role in Exchange */
  | 'role'
  /** the person's role does not hold this cmdlet, or not this parameter */
  | 'cmdlet'
  /** there is no such mailbox, person or app */
  | 'not-found'
  /** several objects fit */
  | 'ambiguous'
  /** the organisation must be made ready first: Enable-OrganizationCustomization */
  | 'customization'
  /** throttled, or the service is out of order, and the wait would be too long */
  | 'busy'
  /** Exchange refuses in words that mailauth does not know */
  | 'other'
  /** the answer is not Exchange's, or not in a shape that mailauth knows: whether anything was changed is not known */
  | 'unreadable';

export interface ExchangeRefusal {
  readonly kind: 'refused';
  readonly reason: RefusalReason;
  /** what Exchange said, plain; empty where it said nothing */
  readonly said: string;
  readonly retryAfterSeconds?: number;
  /** the id of this request at Microsoft */
  readonly requestId?: string;
}

export interface ExchangeOk {
  readonly kind: 'ok';
  /** as they came: each is read by a schema before it is believed */
  readonly objects: readonly unknown[];
}

export type ExchangeAnswer = ExchangeOk | ExchangeRefusal;

/**
 * Runs cmdlets in Exchange Online, one after the other, in one session of one administrator. A refusal is a value. What the network itself
 * does (no connection, a certificate that is not trusted) is thrown as a problem of the catalogue.
 */
export interface ExchangeWay {
  readonly through: Exclude<Through, 'print'>;
  run(cmdlet: Cmdlet): Promise<ExchangeAnswer>;
  /** ends the session, where there is one */
  close(): Promise<void>;
}
