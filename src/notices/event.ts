import { defined } from '../core/defined.ts';
import type { MailauthError } from '../core/errors.ts';
import type { MailboxKey } from '../core/mailbox.ts';
import { allShown, type Surroundings } from '../core/shown.ts';
import type { Ending } from '../tokens/lifetimes.ts';

/** What a notice says (docs/contract.md, "keepalive"). Never a secret. */
export interface NoticeEvent extends MailboxKey {
  readonly schema: 'mailauth-event/1';
  readonly event: 'red' | 'green' | 'ending';
  /** `sign-in`, the protocols whose test is red (`imap, smtp`), `client secret` or `certificate` */
  readonly what: string;
  /** whole days until the first thing of this set-up ends; null where none does */
  readonly daysLeft: number | null;
  /** of the error; null with `green` */
  readonly code: string | null;
  readonly title: string;
  readonly next: readonly string[];
}

/** How a set-up stands in this run. */
export interface Standing extends MailboxKey {
  readonly error?: MailauthError;
  /** what the error is about */
  readonly what: string;
  /** what ends first, as far as nobody renews it by itself; with the error that says so */
  readonly ending?: Ending & { readonly error: MailauthError };
}

/** What one receiver was told about one set-up. */
export interface Told {
  /** the exit code of the error that it was told; absent: it stands well */
  readonly red?: { readonly exit: number; readonly what: string };
  /** the threshold that was reached when it was told, in days */
  readonly ending?: number;
}

/** Days before an end at which it is said. */
const thresholds = [1, 3, 7, 14, 30] as const;

export interface News {
  readonly events: readonly NoticeEvent[];
  /** what the receiver knows once it has them all but `undelivered` */
  told(undelivered: ReadonlySet<NoticeEvent>): Told;
}

/**
 * What is new for a receiver. An error is said once, and again where it becomes one of another exit code; an end at each threshold; that all is
 * well again only to whom the error was told.
 */
export function newsOf(standing: Standing, told: Told, here: Surroundings): News {
  const { mailbox, for: product, error, ending, what } = standing;
  const green = (red: Told['red']): NoticeEvent | undefined =>
    red && { ...common, event: 'green', what: red.what, code: null, title: `${mailbox} for ${product} works again`, next: [] };
  const common = { schema: 'mailauth-event/1' as const, mailbox, for: product, daysLeft: ending?.days ?? null };
  const of = (event: 'red' | 'ending', about: string, { code, title, next }: MailauthError): NoticeEvent => ({
    ...{ schema: common.schema, event, mailbox, for: product, what: about, daysLeft: common.daysLeft },
    ...{ code, title, next: allShown(next, here) },
  });
  const turned = error === undefined ? green(told.red) : told.red?.exit === error.exit ? undefined : of('red', what, error);
  const reached = ending === undefined || ending.days < 0 ? undefined : thresholds.find((days) => ending.days <= days);
  const isNewEnding = reached !== undefined && reached !== told.ending;
  const ends = ending !== undefined && isNewEnding ? of('ending', ending.what, ending.error) : undefined;
  const isLost = (event: NoticeEvent | undefined, undelivered: ReadonlySet<NoticeEvent>) => event !== undefined && undelivered.has(event);
  return {
    events: [turned, ends].filter((event) => event !== undefined),
    told(undelivered) {
      const red = isLost(turned, undelivered) ? told.red : error && { exit: error.exit, what };
      return defined({ red, ending: isLost(ends, undelivered) ? told.ending : reached });
    },
  };
}
