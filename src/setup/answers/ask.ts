import type { Context } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import type { ProductScreen } from '../../products/product.ts';
import type { Known } from './answers.ts';
import { answerMissing } from './missing.ts';
import { acceptedText, checkedAnswer, type Facts, type Flags, type Question } from './question.ts';

export interface Asking {
  readonly ctx: Pick<Context, 'prompts'>;
  /** a person is there and prompts are on */
  readonly canAsk: boolean;
  /** raw flag values (and their environment defaults) by question id */
  readonly flags: Flags;
  /** answers of an interrupted set-up */
  readonly saved: Known;
  readonly facts: Facts;
  /** says where the answer is found, before it is asked for or found missing */
  readonly showScreen?: (screen: ProductScreen) => void;
}

/**
 * Answers the questions in order: flag, interrupted set-up, person, default. Throws `answer-missing` (exit 3) naming the flag,
 * `value-invalid` (exit 2), `Interrupted`.
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
  const saved = acceptedText(question, asking.saved, known);
  if (saved !== undefined) return saved;
  const fallback = question.default?.(known, asking.facts);
  const asked = asking.canAsk && question.asked(known, asking.facts);
  const screen = asked || fallback === undefined ? question.shownAt?.(known) : undefined;
  if (screen !== undefined) asking.showScreen?.(screen);
  if (asked) return checkedAnswer(question, await prompt(question, known, fallback, asking), known);
  if (fallback !== undefined) return checkedAnswer(question, fallback, known);
  if (question.optional === true) return undefined;
  throw answerMissing(question.flag, question.message, question.example(known));
}

async function prompt(question: Question, known: Known, fallback: string | undefined, { ctx }: Asking): Promise<string> {
  const { message } = question;
  const choices = (question.offered ?? question.choices)?.(known);
  if (choices !== undefined && question.several === true) {
    return (await ctx.prompts.checkbox({ message, choices, default: fallback?.split(',') ?? [] })).join(',');
  }
  if (choices !== undefined) return ctx.prompts.select({ message, choices, ...defined({ default: fallback }) });
  return ctx.prompts.text({
    message,
    ...defined({ default: fallback, check: question.check }),
  });
}

const parsed = ({ parse }: Question, value: string) => parse?.(value) ?? value;
