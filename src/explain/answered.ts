import { defined } from '../core/defined.ts';
import { lookUp } from '../core/links.ts';
import type { NextStep } from '../core/next.ts';
import { redact } from '../core/redact.ts';
import { plain } from '../core/text.ts';
import type { ProblemCode } from '../errors/problem.ts';
import { isOfSignIn, type Recognised } from '../errors/recognise/recognise.ts';
import { firstSentence } from '../oauth/entra-error.ts';
import { type Explained, explained, type Known } from './fill.ts';
import { type Values, valuesIn } from './values.ts';

/** What looks like an error and is not in the catalogue. */
export interface Unknown {
  /** the number (`AADSTS9999999`), the reply, or the whole of a text in which nothing is known */
  readonly text: string;
  readonly title: string;
  /** Microsoft's own sentence, when the text has it */
  readonly why?: string;
  readonly next: readonly NextStep[];
  /** Microsoft's page about this number */
  readonly lookUp?: string;
}

/** What was recognised, with the text around it. */
export interface Finding extends Pick<Recognised, 'code' | 'aadsts' | 'means' | 'oauth'> {
  readonly context: string;
}

interface About {
  readonly known: Known;
  readonly fillIn: boolean;
  /** all of a short text: with one error in it, every value in it is that error's */
  readonly whole: string | undefined;
  /** what was asked, as it is shown */
  readonly input: string;
}

interface Answers {
  readonly entries: readonly Explained[];
  readonly unknown: readonly Unknown[];
}

/** `replies`: those of servers in which nothing was recognised */
export function answered(all: readonly Finding[], replies: readonly string[], about: About): Answers {
  // A number or a sentence of Microsoft's, or of another provider, says more than the OAuth error beside it.
  const saysMore = (code: ProblemCode | undefined) => isOfSignIn(code) || code === 'mail-server-foreign';
  const isSaid = all.some(({ aadsts, code, oauth }) => aadsts !== undefined || (!oauth && saysMore(code)));
  const findings = all.filter(({ oauth }) => !(oauth && isSaid));
  const entries = new Map<ProblemCode, Explained>();
  const unknown: Unknown[] = [];
  for (const finding of findings) {
    const { code, aadsts } = finding;
    const text = findings.length === 1 && about.whole !== undefined ? about.whole : finding.context;
    if (code === undefined) {
      if (aadsts !== undefined) unknown.push(unknownNumber(aadsts, text));
    } else if (!entries.has(code)) {
      const one = filled(code, finding, text, about);
      if (one !== undefined) entries.set(code, one);
    }
  }
  unknown.push(...replies.map(unknownReply));
  if (entries.size === 0 && unknown.length === 0 && about.input !== '') unknown.push(nothingKnown(about.input));
  return { entries: [...entries.values()], unknown };
}

function filled(code: ProblemCode, finding: Finding, text: string, { known, fillIn }: About): Explained | undefined {
  const { aadsts, means } = finding;
  const values: Values & { readonly said?: string } = fillIn ? { ...valuesIn(text), said: saidIn(finding, text) } : {};
  const { correlationId, at } = values;
  return explained(code, { ...values, aadsts, ...means }, known, defined({ aadsts, correlationId, at }));
}

/** Microsoft's own sentence behind a number or an OAuth error; empty where the text has none. */
function saidIn({ aadsts, oauth }: Pick<Finding, 'aadsts' | 'oauth'>, text: string): string {
  const behind =
    aadsts !== undefined
      ? new RegExp(`AADSTS\\s{0,9}${aadsts}:? ?([\\s\\S]{0,1000})`)
      : oauth
        ? /(?:error_description["']?\s{0,3}[=:]\s{0,3}["']?|\b[a-z]+(?:_[a-z]+)+(?:: |\) ))([\s\S]{0,1000})/
        : undefined;
  const [, said = ''] = behind?.exec(text) ?? [];
  return redact(firstSentence(said.replace(/["'](?:,\s{0,9}["'\w][\s\S]*|\s{0,9}\}[\s\S]*)$/, '').replace(/&\w{1,20}=[\s\S]*/, '')));
}

function unknownNumber(aadsts: number, context: string): Unknown {
  const sentence = saidIn({ aadsts, oauth: false }, context);
  const page = lookUp(aadsts);
  return {
    text: `AADSTS${aadsts}`,
    title: `AADSTS${aadsts} is not known to mailauth`,
    ...(sentence === '' ? {} : { why: `Microsoft says: ${sentence}` }),
    next: [page],
    lookUp: page,
  };
}

function unknownReply(text: string): Unknown {
  const short = plain(text, 200);
  return { text: short, title: `This reply is not known to mailauth: ${plain(text, 120)}`, next: moreText };
}

const moreText = ['Give mailauth explain the lines around it, too, or the whole log with --file.'];

function nothingKnown(input: string): Unknown {
  const text = plain(input, 200);
  if (/^[245]\.7\.\d+$/.test(input)) {
    return {
      text,
      title: `"${input}" alone is not known: Exchange has several sentences with this code`,
      next: ['Give mailauth explain the whole line that the server said.'],
    };
  }
  return {
    text,
    title: input.length > 60 ? 'This text is not known to mailauth' : `"${input}" is not known to mailauth`,
    next: [...moreText, "Numbers of Microsoft's sign-in: https://login.microsoftonline.com/error"],
  };
}
