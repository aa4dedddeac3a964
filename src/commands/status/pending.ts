import { defined } from '../../core/defined.ts';
import { mailauth } from '../../core/next.ts';
import { allShown } from '../../core/shown.ts';
import type { Session } from '../../session/session.ts';
import { type InterruptedSetup, journals } from '../../setup/journal/journal-file.ts';

/** A set-up that was begun and is not finished; `data.pending[]` of `status --json`. */
export interface PendingSetUp {
  readonly mailbox: string;
  readonly for: string;
  /** an administrator's part, or only that the wizard goes on */
  readonly waitsFor: 'administrator' | 'resume';
  /** RFC 3339 */
  readonly since: string;
  /** commands, the first one to be run */
  readonly next: readonly string[];
  readonly tenant?: string;
  readonly label?: string;
}

/** Every set-up that waits, the oldest first. Notes without mailbox or product are left out: there is nothing to go on with. */
export async function pendingSetUps(session: Session): Promise<readonly PendingSetUp[]> {
  const { ctx, home } = session;
  const found = (await journals(ctx, home).all()).flatMap((journal): readonly PendingSetUp[] => {
    const { mailbox, for: product, tenant, label } = journal.answers;
    if (mailbox === undefined || product === undefined) return [];
    const goOn = mailauth('setup', { resume: true, mailbox, for: product });
    return [
      {
        ...{ mailbox, for: product, waitsFor: waitsFor(journal), since: journal.startedAt },
        next: allShown([goOn], ctx.surroundings),
        ...defined({ tenant, label }),
      },
    ];
  });
  return found.sort((a, b) => a.since.localeCompare(b.since));
}

/** The folder for the administrator was written and no app came back, or consent was asked for and nobody has signed in since. */
const waitsFor = ({ answers, app, consentAsked }: InterruptedSetup): PendingSetUp['waitsFor'] =>
  consentAsked || (answers.register === 'handoff' && app === undefined) ? 'administrator' : 'resume';
