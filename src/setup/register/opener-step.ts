import { bareAddress } from '../../core/text.ts';
import type { Graph } from '../../entra/graph.ts';
import { type MailboxAccount, mailboxAccount } from '../../entra/mailbox-account.ts';
import { type Answers, checkAddress } from '../answers/answers.ts';
import { answerMissing, asks } from '../answers/missing.ts';
import { base } from '../answers/question.ts';
import { questions } from '../answers/questions.ts';
import type { OpenSetup } from '../journal/setup-deps.ts';

/**
 * "Not sure" who opens the mailbox: Microsoft Graph is asked where an administrator has signed in (`graph`), and the person where that does
 * not tell. Nothing was created yet. Throws `answer-missing` (3) where a delegate is needed and there is nobody to ask.
 */
export async function withOpener(
  answers: Answers,
  { deps, journal }: Pick<OpenSetup, 'deps' | 'journal'>,
  graph?: Graph,
): Promise<Answers> {
  if (answers.openedBy !== 'unsure') return answers;
  const { report, canAsk, ctx } = deps;
  const { mailbox } = answers;
  if (graph !== undefined) report.progress('opener', 'started', `Asking Microsoft Graph who opens ${mailbox}`);
  const account = graph === undefined ? noAdministrator : await mailboxAccount(graph, mailbox);
  let isBlocked = account.kind === 'blocked';
  if (account.kind === 'unseen') {
    report.progress('opener', 'skipped', `Microsoft Graph does not tell who opens ${mailbox}: ${account.why}.`);
    isBlocked = canAsk && (await ctx.prompts.select({ message: questions.openedBy.message, choices: knownOpeners })) === 'delegate';
  } else {
    const found = isBlocked
      ? 'has no sign-in of its own (a shared mailbox or a room): another person opens it'
      : 'has a sign-in of its own';
    report.progress('opener', 'done', `${mailbox} ${found}`);
  }
  const { openedBy: _, signInAs: __, ...others } = answers;
  const known: Answers = isBlocked
    ? { ...others, openedBy: 'delegate', signInAs: await delegate(answers, deps) }
    : { ...others, openedBy: 'itself' };
  await journal.answered(known);
  return known;
}

const noAdministrator: MailboxAccount = { kind: 'unseen', why: 'no administrator has signed in here' };

const knownOpeners = (questions.openedBy.choices?.({}) ?? []).filter(({ value }) => value !== 'unsure');

async function delegate(answers: Answers, { ctx, canAsk }: OpenSetup['deps']): Promise<string> {
  const { flag, message } = questions.signInAs;
  if (!canAsk) throw answerMissing(flag, message, asks(base(answers, { signInAs: false }), flag));
  return bareAddress(await ctx.prompts.text({ message, check: checkAddress })).toLowerCase();
}
