import type { Cloud } from '../../core/cloud.ts';
import type { Context } from '../../core/context.ts';
import type { MailboxKey, Registration } from '../../core/mailbox.ts';
import type { StoreName } from '../../core/stores.ts';
import { rfc3339 } from '../../core/time.ts';
import type { Known } from '../answers/answers.ts';
import { type InterruptedSetup, type JournaledRegistration, journals, type SetupStep } from './journal-file.ts';

interface JournalPlace {
  readonly ctx: Pick<Context, 'clock' | 'files' | 'signal'>;
  readonly home: string;
}

/** The journal of the set-up in hand. When a call comes back, what it wrote is on the disk. */
export class Journal {
  private readonly deps: JournalPlace;
  private readonly key: MailboxKey;
  private state: InterruptedSetup;
  private readonly goesOn: boolean;

  /** `interrupted`: the journal of an earlier run that this one goes on with. */
  constructor(deps: JournalPlace, key: MailboxKey, interrupted: InterruptedSetup | undefined) {
    this.deps = deps;
    this.key = key;
    this.goesOn = interrupted !== undefined;
    const startedAt = rfc3339(deps.ctx.clock.now());
    this.state = interrupted ?? { answers: {}, done: [], startedAt, wrongAccount: false, consentAsked: false };
  }

  /** What it says now: read anew after each change. */
  get now(): InterruptedSetup {
    return this.state;
  }

  /** This run began it, and so far it holds nothing but what a person answered. */
  get isOnlyAnswers(): boolean {
    const { registration, app, answers } = this.state;
    return !this.goesOn && registration === undefined && app === undefined && answers.clientId === undefined;
  }

  /**
   * Goes to disk with the first step that is finished, so that a run that finds nothing to do leaves nothing behind. Another cloud than
   * before has another app.
   */
  startIn(cloud: Cloud): void {
    const { cloud: before } = this.state;
    const here = before === undefined || before.name === cloud.name ? this.state : withoutApp(this.state);
    this.state = { ...here, cloud };
  }

  /** As `startIn`: on disk with the step that is finished next, which is before any secret is. */
  storeIn(store: StoreName): void {
    this.state = { ...this.state, store };
  }

  /** What was registered for earlier answers says nothing about these. */
  answered(answers: Known): Promise<void> {
    return this.write({ ...withoutApp(this.state), answers, done: ['store'] });
  }

  registered(answers: Known, app: Registration): Promise<void> {
    return this.write({ ...this.after('registration'), answers, app });
  }

  signedIn(): Promise<void> {
    return this.write(this.after('sign-in'));
  }

  registering(registration: JournaledRegistration): Promise<void> {
    return this.write({ ...this.state, registration });
  }

  /** `next`: the screen of the portal that comes next, from 0 */
  walked(next: number): Promise<void> {
    return this.write({ ...this.state, portalScreen: next });
  }

  wrongAccount(): Promise<void> {
    return this.write({ ...this.state, wrongAccount: true });
  }

  consentAsked(): Promise<void> {
    return this.write({ ...this.state, consentAsked: true });
  }

  /** Something is wrong with the app itself: the next run looks at it again. */
  doubtApp(): Promise<void> {
    return this.write(withoutApp(this.state));
  }

  /** Microsoft does not know this client ID: the next run asks for it again, and does not register beside it. */
  forgetClientId(): Promise<void> {
    const { clientId: _, ...answers } = this.state.answers;
    return this.write({ ...withoutApp(this.state), answers });
  }

  /** The set-up is finished: nothing is left to go on with. Throws `Interrupted` where it was stopped before that. */
  async close(): Promise<void> {
    this.deps.ctx.signal.throwIfAborted();
    await this.book.forget(this.key);
  }

  private after(step: SetupStep): InterruptedSetup {
    return { ...this.state, done: [...new Set([...this.state.done, step])] };
  }

  private async write(state: InterruptedSetup): Promise<void> {
    this.state = state;
    await this.book.write(this.key, state);
  }

  private get book() {
    return journals(this.deps.ctx, this.deps.home);
  }
}

function withoutApp({ app: _, ...rest }: InterruptedSetup): InterruptedSetup {
  return { ...rest, consentAsked: false };
}
