import { defined } from '../../core/defined.ts';
import type { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import { allShown } from '../../core/shown.ts';
import { rfc3339 } from '../../core/time.ts';
import { type ProtocolResult, resultsShown } from '../../mail/result.ts';
import type { Standing } from '../../notices/event.ts';
import type { Session } from '../../session/session.ts';
import { cannotRenew, daysLeft, firstEnding, refreshIdleDeadline } from '../../tokens/lifetimes.ts';
import type { Theme } from '../../ui/theme.ts';
import { endsSoon } from '../status/warnings.ts';

/** The result for one mailbox. `idle`: it is not signed in on this computer, because the product has the sign-in; `elsewhere`: another machine renews it just now. */
export interface Kept {
  readonly record: MailboxRecord;
  readonly state: 'renewed' | 'fresh' | 'idle' | 'elsewhere' | 'failed';
  readonly set?: TokenSet;
  readonly results: readonly ProtocolResult[];
  readonly error?: MailauthError;
}

/** As `commonError` judges it: a run renews the sign-ins, except those that cannot be renewed. */
export function standingOf({ record, set, results, error }: Kept, now: number): Standing {
  const ending = firstEnding(now, record, set !== undefined && cannotRenew(record, set) ? set : undefined);
  const said = ending && endsSoon('expires-soon', [{ record, ending }], Number.POSITIVE_INFINITY);
  const red = results.filter(({ ok }) => !ok).map(({ protocol }) => protocol);
  const over = ending !== undefined && ending.days < 0 ? said : undefined;
  const what = red.length > 0 ? red.join(', ') : error === undefined && over !== undefined ? (ending?.what ?? '') : 'sign-in';
  const { mailbox, for: product } = record;
  return {
    ...{ mailbox, for: product, what },
    ...defined({ error: error ?? over, ending: ending && said && { ...ending, error: said } }),
  };
}

/** `data.mailboxes[]`: all that is said of one mailbox, and nothing secret. */
export function toJson({ record, state, set, results, error }: Kept, now: number, { ctx: { surroundings } }: Session) {
  const deadline = set && refreshIdleDeadline(set);
  return {
    mailbox: record.mailbox,
    for: record.for,
    state,
    refreshTokenIdleDeadline: deadline === undefined ? null : rfc3339(deadline),
    secretExpiresAt: record.registration.secretExpiresAt ?? null,
    daysLeft: firstEnding(now, record, set)?.days ?? null,
    results: resultsShown(results, surroundings),
    ...(error === undefined
      ? {}
      : {
          error: {
            code: error.code,
            exit: error.exit,
            title: error.title,
            why: error.why ?? '',
            next: allShown(error.next, surroundings),
          },
        }),
  };
}

export function render(one: ReturnType<typeof toJson>, now: number, theme: Theme): string {
  const { mailbox, for: product, state, results, error } = one;
  const { signs } = theme;
  const sign =
    error !== undefined
      ? theme.red(signs.failed)
      : state === 'idle' || state === 'elsewhere'
        ? theme.dim(signs.skipped)
        : theme.green(signs.ok);
  const deadline = one.refreshTokenIdleDeadline;
  const until = deadline === null ? '' : `, the sign-in lasts ${daysLeft(now, Date.parse(deadline))} days unused`;
  const words = {
    renewed: `renewed${until}`,
    fresh: `fresh${until}`,
    idle: 'no sign-in on this computer, nothing to renew',
    elsewhere: 'another machine renews it now',
    failed: 'not renewed',
  }[state];
  const tests = results.map((r) => `${r.protocol} ${r.ok ? 'ok' : 'red'}`).join(', ');
  const [first = ''] = error?.next ?? [];
  return [
    `${sign} ${mailbox} for ${product}: ${words}${tests === '' ? '' : `; ${tests}`}`,
    ...(error === undefined ? [] : [`    ${error.title}`, `    ${theme.cyan(first)}`]),
    '',
  ].join('\n');
}
