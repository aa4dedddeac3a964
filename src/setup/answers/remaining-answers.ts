import type { MailboxRecord } from '../../core/mailbox.ts';
import type { Run } from '../../core/run-parts.ts';
import type { Answers } from './answers.ts';
import { answersOf } from './answers-record.ts';
import { answer } from './ask.ts';
import { requireAppOnly, requireFitting } from './fitting.ts';
import type { Facts, Flags, Known } from './question.ts';
import { registrationQuestions } from './questions.ts';
import { stepScreen } from './step-screen.ts';

/** Mailbox and product: known before anything is looked up. */
export type First = Known & Pick<Answers, 'mailbox' | 'for'>;

export interface Earlier {
  /** answers of the run that was interrupted */
  readonly saved: Known;
  /** the finished set-up of this mailbox and product */
  readonly existing: MailboxRecord | undefined;
}

type Asker = Pick<Run, 'ctx' | 'report' | 'canAsk'> & { readonly facts: Facts };

/**
 * Everything else that is asked of the operator, and whether it goes together. Throws `answer-missing` (3), `value-invalid`,
 * `redirect-not-accepted`, `redirect-not-here`, `password-not-here`, and what a device code and app-only access do not go with (all 2).
 */
export async function remainingAnswers(
  first: First,
  { flags, test }: { readonly flags: Flags; readonly test: boolean },
  earlier: Earlier,
  deps: Asker,
): Promise<Answers> {
  // Known from the start: it decides how the app is registered, and that the portal's first screen is done.
  const clientId = flags.clientId ?? earlier.saved.clientId;
  const known = await answer(registrationQuestions, clientId === undefined ? first : { ...first, clientId }, {
    ctx: deps.ctx,
    canAsk: deps.canAsk,
    flags,
    saved: stillCounts(flags, earlier, clientId),
    facts: deps.facts,
    showScreen: (screen) => deps.report.show(stepScreen(screen, screen.title, deps.ctx)),
  });
  if (known.access === 'app-only') requireAppOnly({ ...known, ...first }, flags);
  const { register: way, clientType, redirectUri = '', protocols, consent } = known;
  // Where the app acts for itself nobody is asked how to sign in.
  const { signIn = known.access === 'app-only' ? ('skip' as const) : undefined } = known;
  if (!way || !clientType || !protocols || !consent || !signIn) throw new Error('every question that always applies has an answer');
  const { audience = 'single', name = '', secretMonths = 12 } = known;
  const always = { register: way, clientType, redirectUri, protocols, consent, signIn };
  const answers = { ...known, ...first, ...always, audience, name, secretMonths, test };
  requireFitting(answers);
  return answers;
}

/** What was answered earlier, without what the flags of this run make meaningless. */
function stillCounts(flags: Flags, { saved, existing }: Earlier, clientId: string | undefined): Known {
  const before: Known = { ...(existing === undefined ? {} : answersOf(existing)), ...saved };
  // The administrator has answered: what was handed off is now registered.
  const handedBack = clientId !== undefined && before.register === 'handoff';
  // Another app than the one that was made: that one's way says nothing about it.
  const named = flags.clientId?.toLowerCase();
  const otherApp = named !== undefined && before.register === 'auto' && named !== before.clientId;
  // Who consents depends on the way, so with another one it is decided anew.
  const { consent: _, ...undecided } = before;
  const sameWay = flags.register === undefined || flags.register === before.register;
  const left = handedBack || otherApp ? { ...undecided, register: 'existing' as const } : sameWay ? before : undecided;
  return withoutOtherAccess(left, flags.access);
}

/** The other kind of access is another client with another consent: what was answered for the one says nothing about the other. */
function withoutOtherAccess(saved: Known, wanted: string | undefined): Known {
  if (wanted === undefined || wanted === (saved.access ?? 'delegated')) return saved;
  const left: { -readonly [K in keyof Known]: Known[K] } = { ...saved };
  for (const id of ['access', 'clientType', 'redirectUri', 'consent', 'signIn', 'signInAs'] as const) delete left[id];
  return left;
}
