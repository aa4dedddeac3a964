import type { Context } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import type { Reporter } from '../../core/run-parts.ts';
import { stepScreen } from '../../products/step/step-text.ts';
import { type Answers, checkClientId, type Known } from './answers.ts';
import { answersOf } from './answers-record.ts';
import { answer } from './ask.ts';
import { requireAppOnly, requireFitting } from './fitting.ts';
import { type Facts, type Flags, productOf, type SetupQuestion } from './question.ts';
import { allQuestions, registrationQuestions } from './questions.ts';
import type { Said } from './said.ts';

export interface Earlier {
  /** answers of the run that was interrupted */
  readonly saved: Known;
  /** the finished set-up of this mailbox and product */
  readonly existing: MailboxRecord | undefined;
  /** the app that the interrupted run had registered */
  readonly madeClientId?: string;
}

/**
 * The answers of an earlier run that still count beside the flags of this one: those that applied then (older versions of mailauth wrote
 * something for every question), and that were not decided together with an answer that is another one now.
 */
export function earlierAnswers({ saved, existing, madeClientId }: Earlier, flags: Flags): Known {
  const before: Known = { ...(existing && answersOf(existing)), ...saved };
  const register = wayToRegister(before, flags, madeClientId ?? before.clientId);
  const now: Flags = { access: 'delegated', ...textOf(before), ...trimmed(flags), ...defined({ register }) };
  const then: Flags = { access: 'delegated', ...textOf(before) };
  const counts = ({ id, applies, decidedWith = [] }: SetupQuestion): boolean =>
    id !== 'clientId' && applies?.(before) !== false && decidedWith.every((other) => now[other] === then[other]);
  const kept: Record<string, unknown> = {};
  for (const question of allQuestions) if (counts(question)) kept[question.id] = before[question.id];
  // The flag --sign-in-as answered who opens the mailbox before that was asked.
  if (kept.signInAs !== undefined) kept.openedBy ??= kept.signInAs === before.mailbox ? 'itself' : 'delegate';
  // By hand an app that is registered already is gone on with: no second one is registered.
  const registered = saved.clientId ?? madeClientId;
  // An interrupted run without its ID had one that Microsoft does not know: the app of the finished set-up is not what was meant.
  const ofRecord = saved.register === 'existing' ? undefined : before.clientId;
  const clientId = { existing: registered ?? ofRecord, portal: registered, auto: undefined, handoff: undefined }[register ?? 'auto'];
  return defined({ ...kept, register, clientId });
}

/** The way of this run: another than before where a flag names one, or where the operator brings the ID of another app. */
function wayToRegister(before: Known, flags: Flags, madeClientId: string | undefined): Known['register'] {
  const way = allWays.find((one) => one === flags.register?.trim());
  if (way !== undefined) return way;
  const named = flags.clientId?.trim().toLowerCase();
  // The administrator has answered: what was handed off is registered now.
  const isHandedBack = named !== undefined && before.register === 'handoff';
  const isOtherApp = named !== undefined && before.register === 'auto' && named !== madeClientId?.toLowerCase();
  return isHandedBack || isOtherApp ? 'existing' : before.register;
}

const allWays = ['existing', 'portal', 'auto', 'handoff'] as const;

const textOf = (known: Known): Flags => Object.fromEntries(Object.entries(known).map(([id, value]) => [id, String(value)]));

const trimmed = (flags: Flags): Flags => Object.fromEntries(Object.entries(flags).map(([id, value]) => [id, value.trim()]));

/** Mailbox and product: known before anything is looked up. */
export type FirstAnswers = Known & Pick<Answers, 'mailbox' | 'for'>;

/** Who is asked, and what the surroundings know. */
interface Asker {
  readonly ctx: Pick<Context, 'prompts' | 'err' | 'env' | 'surroundings'>;
  readonly report: Pick<Reporter, 'show'>;
  readonly canAsk: boolean;
  readonly facts: Facts;
  /** what was answered in this run */
  readonly said: Said;
  /** of the tenant, where it is known already */
  readonly tenantId?: string;
  /** another set-up whose app this one could use, where a person can be asked */
  readonly sharedBy?: SharedBy;
}

/** Another set-up whose app the mailbox of these answers could use. */
export type SharedBy = (known: Known) => OfferedApp | undefined;

/** An app that stands, and for whom. */
interface OfferedApp {
  readonly tenant: string;
  readonly mailbox: string;
}

/**
 * Everything else that is asked of the operator, and whether it goes together. Throws `answer-missing` (3), `value-invalid`,
 * `redirect-not-accepted`, `redirect-not-here`, `password-not-here`, what a device code and app-only access do not go with (all 2), and `Back`.
 */
export async function remainingAnswers(first: FirstAnswers, flags: Flags, earlier: Earlier, deps: Asker): Promise<Answers> {
  const saved = earlierAnswers(earlier, flags);
  // Known from the start: it decides how the app is registered, and that the portal's first screen is done.
  const clientId = flags.clientId ?? saved.clientId;
  const known = await answer(
    registrationQuestions.map((question) => offering(inTenant(question, deps.tenantId), deps.sharedBy)),
    { ...first, ...defined({ clientId }) },
    {
      ctx: deps.ctx,
      canAsk: deps.canAsk,
      flags,
      saved,
      facts: deps.facts,
      said: deps.said,
      showScreen: (screen) => deps.report.show(stepScreen(screen, screen.title, deps.ctx)),
    },
  );
  if (known.access === 'app-only') requireAppOnly({ ...known, ...first }, flags);
  const { register, clientType, protocols, consent } = known;
  if (!register || !clientType || !protocols || !consent) throw new Error('every question that always applies has an answer');
  const answers = { ...known, ...first, register, clientType, protocols, consent };
  requireFitting(answers);
  return answers;
}

/** Where the tenant is known, its ID is not taken for the ID of an app. */
export const inTenant = (question: SetupQuestion, tenantId: string | undefined): SetupQuestion =>
  question.id === 'clientId' ? { ...question, check: checkClientId(tenantId) } : question;

/** Where another set-up has an app that this mailbox can use, a person is asked whether it does. */
function offering(question: SetupQuestion, sharedBy: Asker['sharedBy']): SetupQuestion {
  if (question.id !== 'sharedApp' || sharedBy === undefined) return question;
  const offered = (known: Known) => (known.register === 'auto' ? sharedBy(known) : undefined);
  return {
    ...question,
    asked: (known) => offered(known) !== undefined,
    default: (known) => (offered(known) === undefined ? undefined : 'take'),
    worded: (known) => {
      const { tenant = '', mailbox = '' } = offered(known) ?? {};
      const product = known.for === 'this-computer' ? 'this computer' : (productOf(known)?.title ?? known.for);
      return `${tenant} has an app for ${product} already (for ${mailbox}).`;
    },
  };
}
