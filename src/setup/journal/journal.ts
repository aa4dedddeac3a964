import type { Cloud } from '../../core/cloud.ts';
import { Interrupted } from '../../core/errors.ts';
import type { MailboxKey, Registration, StoreName } from '../../core/mailbox.ts';
import { rfc3339 } from '../../tokens/formats.ts';
import type { Known } from '../answers/answers.ts';
import { type Journal, type JournaledRegistration, journals, type SetupStep } from './journal-file.ts';
import type { SetupDeps } from './setup-deps.ts';

/** The journal of the set-up in hand. Whatever is noted here is on disk when the call comes back. */
export class SetupNotes {
  private readonly deps: Pick<SetupDeps, 'ctx' | 'home'>;
  private readonly key: MailboxKey;
  private journal: Journal;

  /** `interrupted`: the journal of an earlier run that this one goes on with. */
  constructor(deps: Pick<SetupDeps, 'ctx' | 'home'>, key: MailboxKey, interrupted: Journal | undefined) {
    this.deps = deps;
    this.key = key;
    const startedAt = rfc3339(deps.ctx.clock.now());
    this.journal = interrupted ?? { answers: {}, done: [], startedAt, wrongAccount: false, consentAsked: false };
  }

  /** As they are now: read anew after each change. */
  get now(): Journal {
    return this.journal;
  }

  /**
   * Goes to disk with the first step that is finished, so that a run that finds nothing to do leaves nothing behind. Another cloud than
   * before has another app.
   */
  startIn(cloud: Cloud): void {
    const { cloud: before } = this.journal;
    const here = before === undefined || before.name === cloud.name ? this.journal : withoutApp(this.journal);
    this.journal = { ...here, cloud };
  }

  /** As `startIn`: on disk with the step that is finished next, which is before any secret is. */
  storeIn(store: StoreName): void {
    this.journal = { ...this.journal, store };
  }

  /** What stood under earlier answers says nothing about these. */
  agreed(answers: Known): Promise<void> {
    return this.write({ ...withoutApp(this.journal), answers, done: ['store'] });
  }

  registered(answers: Known, app: Registration): Promise<void> {
    return this.write({ ...this.after('registration'), answers, app });
  }

  signedIn(): Promise<void> {
    return this.write(this.after('sign-in'));
  }

  registering(registration: JournaledRegistration): Promise<void> {
    return this.write({ ...this.journal, registration });
  }

  wrongAccount(): Promise<void> {
    return this.write({ ...this.journal, wrongAccount: true });
  }

  consentAsked(): Promise<void> {
    return this.write({ ...this.journal, consentAsked: true });
  }

  /** Something is wrong with the app itself: the next run looks at it again. */
  doubtApp(): Promise<void> {
    return this.write(withoutApp(this.journal));
  }

  /** The set-up is finished: nothing is left to go on with. Throws `Interrupted` where it was stopped before that. */
  async close(): Promise<void> {
    if (this.deps.ctx.signal.aborted) throw new Interrupted();
    await this.book.forget(this.key);
  }

  private after(step: SetupStep): Journal {
    return { ...this.journal, done: [...new Set([...this.journal.done, step])] };
  }

  private async write(journal: Journal): Promise<void> {
    this.journal = journal;
    await this.book.write(this.key, journal);
  }

  private get book() {
    return journals(this.deps.ctx, this.deps.home);
  }
}

function withoutApp({ app: _, ...rest }: Journal): Journal {
  return { ...rest, consentAsked: false };
}
