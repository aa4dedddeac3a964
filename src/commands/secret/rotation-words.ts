import type { MailboxRecord } from '../../core/mailbox.ts';
import { type Command, mailauth, noted, plus } from '../../core/next.ts';
import { allShown, type Surroundings } from '../../core/shown.ts';
import { problem } from '../../errors/problem.ts';
import { productNamed } from '../../products/products.ts';
import type { Rotated } from '../../secrets/rotation.ts';
import { canAsk } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';

interface Agreement {
  readonly what: string;
  readonly question: string;
  /** the command that asks */
  readonly command: Command;
}

/** Throws `needs-yes` (3), `rotation-declined`. */
export async function agree(session: Session, { what, question, command }: Agreement): Promise<void> {
  if (session.globals.yes) return;
  if (!canAsk(session)) throw problem('needs-yes', { what, command: plus(command, { yes: true }) });
  if (!(await session.ctx.prompts.confirm({ message: question, default: false }))) throw problem('rotation-declined', { command });
}

/** How long a new client secret lives, where nobody said it. */
export const monthsFor = (record: MailboxRecord): number => productNamed(record.for)?.secretMonths ?? 12;

const unsureWords = "Microsoft's list does not show it yet, so a client secret of the same rotation whose value was lost may still work.";

/** What a rotation has come to, in a sentence. */
export function wordsAfter({ before, isUnsure, red }: Rotated): string {
  if (red.length > 0) return 'The new client secret is stored; the old one stays, because not every mailbox works with the new one.';
  if (isUnsure) return `The new client secret works. ${unsureWords}`;
  return {
    removed: 'Rotated: only the new client secret works.',
    kept: 'The new client secret works; the old one works too, until the rotation is finished.',
    unknown: 'The new client secret works. mailauth did not make the old one: remove it in the portal when nothing uses it any more.',
  }[before];
}

/** What is to be done after it. `rotate`: the command that rotates this app again. */
export function stepsAfter(
  { before, isUnsure, red }: Rotated,
  { mailbox, for: product }: MailboxRecord,
  rotate: Command,
  here: Surroundings,
): readonly string[] {
  if (red.length > 0) return allShown([rotate], here);
  const show = mailauth('secret show', mailbox, { for: product });
  const reveal = noted(plus(show, { reveal: true }), 'put it into the product');
  const finish = plus(rotate, { finish: true });
  const steps = { removed: [show], kept: [reveal, finish], unknown: [reveal] }[before];
  const lookAgain = noted(before === 'unknown' ? rotate : finish, 'looks again, in some minutes');
  return allShown(isUnsure ? [...steps, lookAgain] : steps, here);
}
