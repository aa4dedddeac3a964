import type { Context } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import { Back } from '../../core/errors.ts';
import type { ProductScreen } from '../../products/product.ts';
import type { Known } from './answers.ts';
import { answerMissing } from './missing.ts';
import { acceptedText, checkedAnswer, type Facts, type Flags, type Question } from './question.ts';
import type { Said } from './said.ts';

export interface Asking {
  readonly ctx: Pick<Context, 'prompts'>;
  /** a person is there and prompts are on */
  readonly canAsk: boolean;
  /** raw flag values (and their environment defaults) by question id */
  readonly flags: Flags;
  /** answers of an interrupted set-up */
  readonly saved: Known;
  /** what was answered in this run, so that Esc can go back */
  readonly said?: Said;
  readonly facts: Facts;
  /** says where the answer is found, before it is asked for or found missing */
  readonly showScreen?: (screen: ProductScreen) => void;
}

/**
 * Answers the questions in order: flag, interrupted set-up, person, default. Throws `answer-missing` (exit 3) naming the flag,
 * `value-invalid` (exit 2), `Interrupted`, and `Back` where a person went back to an earlier question: then all are gone through again.
 */
export async function answer(questions: readonly Question[], known: Known, asking: Asking): Promise<Known> {
  let all = flagAnswers(questions, known, asking.flags);
  for (const question of questions) {
    if (asking.flags[question.id] !== undefined || question.applies?.(all) === false) continue;
    const value = await answerOne(question, all, asking);
    if (value !== undefined) all = { ...all, [question.id]: parsed(question, value) };
  }
  return all;
}

/**
 * What the flags say, known before the first question: `--client-id` decides how the app is registered, and a wrong flag is told at
 * once. Throws `value-invalid`, `redirect-not-accepted` (exit 2).
 */
export function flagAnswers(questions: readonly Question[], known: Known, flags: Asking['flags']): Known {
  let all = known;
  for (const question of questions) {
    const flag = flags[question.id];
    if (flag !== undefined) all = { ...all, [question.id]: parsed(question, checkedAnswer(question, flag, all)) };
  }
  return all;
}

async function answerOne(question: Question, known: Known, asking: Asking): Promise<string | undefined> {
  const isOpen = asking.said?.isOpen(question.id) === true;
  const saved = isOpen ? undefined : acceptedText(question, asking.saved, known);
  if (saved !== undefined) return saved;
  const fallback = question.default?.(known, asking.facts);
  const asked = asking.canAsk && (isOpen || question.asked(known, asking.facts));
  const screen = asked || fallback === undefined ? question.shownAt?.(known) : undefined;
  if (screen !== undefined) asking.showScreen?.(screen);
  if (asked) return checkedAnswer(question, await askPerson(question, known, fallback, asking), known);
  if (fallback !== undefined) return checkedAnswer(question, fallback, known);
  if (question.optional === true) return undefined;
  throw answerMissing(question.flag, question.worded?.(known) ?? question.message, question.example(known));
}

async function askPerson(question: Question, known: Known, fallback: string | undefined, asking: Asking): Promise<string> {
  const { said } = asking;
  try {
    const text = await prompt(question, known, fallback, asking);
    said?.answered(question.id, text);
    return text;
  } catch (error) {
    if (error instanceof Back) said?.back();
    throw error;
  }
}

async function prompt(question: Question, known: Known, fallback: string | undefined, { ctx, said }: Asking): Promise<string> {
  const asked = { message: question.worded?.(known) ?? question.message, back: said?.canGoBack === true };
  const filledIn = said?.filledIn(question.id);
  const choices = (question.offered ?? question.choices)?.(known);
  if (choices !== undefined && question.several === true) {
    return (await ctx.prompts.checkbox({ ...asked, choices, default: (filledIn ?? fallback)?.split(',') ?? [] })).join(',');
  }
  if (choices !== undefined) return ctx.prompts.select({ ...asked, choices, ...defined({ default: filledIn ?? fallback }) });
  return ctx.prompts.text({ ...asked, ...defined({ default: fallback, filledIn, check: question.check }) });
}

const parsed = ({ parse }: Question, value: string) => parse?.(value) ?? value;
