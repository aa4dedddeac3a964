import { Back, MailauthError } from '../../core/errors.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import { led, mailauth } from '../../core/next.ts';
import type { Secret } from '../../core/secret.ts';
import type { Graph } from '../../entra/graph.ts';
import type { AdminWays } from '../../errors/catalogue/registration/admin-errors.ts';
import type { GraphCommands } from '../../errors/catalogue/registration/graph-errors.ts';
import { firstTry } from '../../oauth/admin-refusal.ts';
import { forgetAdministrator, isSignedInAlready } from '../../oauth/admin-sign-in.ts';
import type { Answers } from '../answers/answers.ts';
import { waysByHand } from '../answers/app-questions.ts';
import { resumeHere, type SetupDeps, setupHere } from '../journal/setup-deps.ts';
import { adminGraph, graphToken } from '../sign-in/admin-graph.ts';
import { browserMethod } from '../sign-in/sign-in-step.ts';
import type { RegistrationStep } from './registration-step.ts';

/** The commands that an error of the registration names. */
export const commandsOf = (answers: Answers, { cloud }: Pick<RegistrationStep, 'cloud'>): Required<GraphCommands> => ({
  resume: resumeHere(answers, cloud),
  handoff: setupHere(answers, cloud, { register: 'handoff' }),
  undo: mailauth('logout', answers.mailbox, { for: answers.for, deleteApp: true }),
});

/**
 * The administrator's sign-in for `--register auto`, and the work that it is for. Where Microsoft refuses the sign-in, or the account lacks the
 * role, a person chooses how to go on: with another account, with a token of another app, or another way (`Back`). Without a person, and
 * with --yes, the error names these ways.
 */
export async function withAdministrator<T>(answers: Answers, step: RegistrationStep, work: (graph: Graph) => Promise<T>): Promise<T> {
  const { deps, tenant, cloud, said } = step;
  const { resume: again, handoff } = commandsOf(answers, step);
  const portal = setupHere(answers, cloud, { register: 'portal' });
  const otherWays = [led('Another person is the administrator', handoff), led('By hand in the portal', portal)];
  const ways: AdminWays = { again, otherWays };
  const signIn = { ...ways, tenant, cloud, method: browserMethod(answers.signIn) };
  let token: Secret | undefined;
  for (;;) {
    const isOfEarlier = isSignedInAlready(deps, signIn);
    try {
      return await work(await adminGraph(deps, { ...signIn, ...(token && { token }) }));
    } catch (error) {
      // A token that served an earlier set-up may have ended, or have been revoked, since then.
      if (isOfEarlier && error instanceof MailauthError && error.code === 'graph-token-refused') {
        forgetAdministrator(deps, signIn);
        continue;
      }
      const chosen = await askHow(error, deps);
      if (chosen === 'handoff' || chosen === 'portal') {
        said.answered('register', chosen);
        throw new Back();
      }
      const given = chosen === 'token' ? await deps.ctx.prompts.secret({ message: 'Token for Microsoft Graph?' }) : undefined;
      token = given === undefined ? undefined : graphToken(given, 'It', again);
    }
  }
}

/** Throws the refusal where nobody can be asked, and where the person stops; `Back` where the person goes back to the summary. */
async function askHow(
  error: unknown,
  { ctx, report, canAsk, agreed }: SetupDeps,
): Promise<Exclude<(typeof choices)[number]['value'], 'stop'>> {
  if (!canAsk || agreed || !leadsOn(error)) throw error;
  report.progress('admin-sign-in', 'failed', error.title);
  if (error.why !== undefined) report.show(`  ${fold(error.why, columnsOf(ctx.err), 2)}\n\n`);
  const { aadsts } = error.detail;
  const offered = choices.map((one) => (one.value === 'account' ? { ...one, name: firstTry(aadsts) ?? one.name } : one));
  const chosen = await ctx.prompts.select({ message: 'How do you want to go on?', choices: offered, default: 'account', back: true });
  if (chosen === 'stop') throw error;
  return chosen;
}

const leadsOn = (error: unknown): error is MailauthError =>
  error instanceof MailauthError && ['admin-sign-in-refused', 'sign-in-timeout', 'graph-role-missing'].includes(error.code);

const wayNamed = (way: 'handoff' | 'portal') => {
  const choice = waysByHand.find(({ value }) => value === way);
  return { value: way, name: choice?.name ?? way, ...(choice?.description === undefined ? {} : { description: choice.description }) };
};

const choices = [
  { value: 'account', name: 'Sign in with another account', description: 'opens the page of Microsoft again' },
  wayNamed('handoff'),
  wayNamed('portal'),
  { value: 'token', name: 'With a token for Microsoft Graph', description: 'of another app, as in MAILAUTH_GRAPH_TOKEN; it is not stored' },
  { value: 'stop', name: 'Stop here', description: 'the answers are kept' },
] as const;
