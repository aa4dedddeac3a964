import { type Cmdlet, powerShellLine } from '../core/cmdlet.ts';
import { defined } from '../core/defined.ts';
import type { ErrorDetail, MailauthError } from '../core/errors.ts';
import type { ExchangeSpot } from '../errors/catalogue/registration/exchange-errors.ts';
import { problem } from '../errors/problem.ts';
import type { ExchangeAnswer, ExchangeRefusal, ExchangeWay } from './way.ts';

/** The cmdlets of one run through one way; a refusal that is not expected is thrown as a problem. */
export interface ExchangeCalls {
  readonly way: ExchangeWay;
  /** what this run changed by now, in words */
  readonly changed: string[];
  /** throws the problem that the refusal means */
  ask(cmdlet: Cmdlet): Promise<readonly unknown[]>;
  /** the same, where it is an answer that the object is not there */
  askIfThere(cmdlet: Cmdlet): Promise<readonly unknown[]>;
  run(cmdlet: Cmdlet): Promise<ExchangeAnswer>;
  problem(refusal: ExchangeRefusal, cmdlet: Cmdlet): MailauthError;
  /** the answer came, and is not what such a cmdlet gives */
  unreadable(cmdlet: Cmdlet, why: string): MailauthError;
}

export interface CallsAbout extends Omit<ExchangeSpot, 'changed'> {
  /** the server, for the words of an error */
  readonly host: string;
  readonly administrator?: string | undefined;
}

export function exchangeCalls(way: ExchangeWay, about: CallsAbout): ExchangeCalls {
  const changed: string[] = [];
  const ran = new Set<string>();
  const run = async (cmdlet: Cmdlet): Promise<ExchangeAnswer> => {
    const answer = await way.run(cmdlet);
    if (answer.kind === 'ok') ran.add(powerShellLine(cmdlet));
    return answer;
  };
  // What this run has done is not left to the person.
  const asProblem = (refusal: ExchangeRefusal, cmdlet: Cmdlet) =>
    refusalProblem(refusal, cmdlet, { ...about, lines: about.lines.filter((line) => !ran.has(line)), changed: [...changed] });
  const asked = async (cmdlet: Cmdlet, isExpected: (answer: ExchangeRefusal) => boolean) => {
    const answer = await run(cmdlet);
    if (answer.kind === 'ok') return answer.objects;
    if (isExpected(answer)) return [];
    throw asProblem(answer, cmdlet);
  };
  return {
    way,
    changed,
    ask: (cmdlet) => asked(cmdlet, () => false),
    askIfThere: (cmdlet) => asked(cmdlet, ({ reason }) => reason === 'not-found'),
    run,
    problem: asProblem,
    unreadable: (cmdlet, why) => asProblem({ kind: 'refused', reason: 'unreadable', said: `${cmdlet.name}: ${why}` }, cmdlet),
  };
}

type About = CallsAbout & ExchangeSpot;

function refusalProblem(refusal: ExchangeRefusal, cmdlet: Cmdlet, about: About): MailauthError {
  const { said, requestId, retryAfterSeconds } = refusal;
  const detail: ErrorDetail = defined({ reply: said === '' ? undefined : said, correlationId: requestId, retryAfterSeconds });
  const more = { detail };
  const { Identity: what } = cmdlet.parameters;
  const whom = [cmdlet.parameters.User, cmdlet.parameters.Trustee, what, about.mailbox].find(
    (one) => typeof one === 'string' && isIn(said, one),
  );
  const object = String(whom ?? what ?? about.mailbox);
  switch (refusal.reason) {
    case 'token':
      return problem('exchange-token-refused', { ...about, reason: said }, more);
    case 'role':
      return problem('exchange-role-missing', { ...about, who: about.administrator }, more);
    case 'cmdlet':
      return problem('exchange-cmdlet-forbidden', { ...about, cmdlet: cmdlet.name }, more);
    case 'not-found':
      return problem('exchange-not-found', { ...about, what: object }, more);
    case 'ambiguous':
      return problem('exchange-ambiguous', { ...about, what: object }, more);
    case 'customization':
      return problem('exchange-customization', about, more);
    case 'busy':
      return problem('exchange-busy', { ...about, retryAfter: retryAfterSeconds }, more);
    case 'other':
      return problem('exchange-refused', { ...about, cmdlet: cmdlet.name, said }, more);
    case 'unreadable':
      return problem('exchange-unreadable', { ...about, what: said });
  }
}

const isIn = (text: string, word: string): boolean => text.toLowerCase().includes(word.toLowerCase());
