import { isLoopback, type MailboxRecord } from '../../core/mailbox.ts';
import { type Again, again, type NextStep } from '../../core/next.ts';
import type { Choice } from '../../core/prompts-port.ts';
import { nearest } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { type ProductScreen, redirectSource } from '../../products/product.ts';
import { productNamed } from '../../products/products.ts';
import type { AnswerId, Answers, Known } from './answers.ts';

/** Judges the raw text of one answer, wherever it came from: a flag, the environment, a prompt. */
type Check = (value: string) => true | string;
/** Answers as text, from flags and their environment. */
export type Flags = Readonly<Partial<Record<AnswerId, string>>>;
/** What only the surroundings know: the sandbox brings its own mailbox and registration. */
export interface Facts {
  readonly mailbox?: string;
  readonly clientId?: (known: Known) => string | undefined;
  readonly redirectUri?: (known: Known) => string | undefined;
  /** a person is there, but no browser can be opened for them: how to sign in is asked */
  readonly browserElsewhere?: boolean;
}

/** One question as data. The terminal is one front end; every question has a flag, and `--yes` takes its default. */
export interface Question {
  readonly id: AnswerId;
  readonly flag: string;
  /** the noun for errors: "… is not a client ID" */
  readonly noun: string;
  readonly message: string;
  /** in the words of the product; undefined: `message` */
  readonly worded?: (known: Known) => string | undefined;
  /** does it matter for this set-up at all? */
  readonly applies?: (known: Known) => boolean;
  /** is the person asked, or is the default taken silently? */
  readonly asked: (known: Known, facts: Facts) => boolean;
  readonly choices?: (known: Known) => readonly Choice<string>[];
  /** which of the choices a person is shown; all when it is left out */
  readonly offered?: (known: Known) => readonly Choice<string>[];
  readonly several?: boolean;
  readonly check?: Check;
  readonly default?: (known: Known, facts: Facts) => string | undefined;
  /** may stay without an answer */
  readonly optional?: boolean;
  /** where a product shows the answer: said before the question */
  readonly shownAt?: (known: Known) => ProductScreen | undefined;
  /** for exit 2 and 3: the command that is running, with an answer that is right */
  readonly example: (known: Known) => Again;
  /** from the text that was checked to the answer; left out where the text is the answer */
  readonly parse?: (value: string) => string | number | readonly string[];
}

/** Where an answer is shown before anything is done. */
export type SummaryLine =
  | 'Mailbox'
  | 'Label'
  | 'For'
  | 'Signs in as'
  | 'Tenant'
  | 'App'
  | 'Redirect URI'
  | 'Permissions'
  | 'Consent'
  | 'Sign-in';

/** A question of set-up with all that the rest of the program must know about it: the compiler says what a new question still lacks. */
export interface SetupQuestion<K extends AnswerId = AnswerId> extends Question {
  readonly id: K;
  /** the flag's value and its line in `setup --help`; left out: the flag of another question answers this one */
  readonly help?: readonly [value: string, text: string];
  readonly group: 'The mailbox:' | 'The registration:' | 'The sign-in:';
  /** the line of the summary that the answer changes */
  readonly summary: SummaryLine;
  /** another answer means another app than the one that is registered */
  readonly decidesApp: boolean;
  /** an earlier answer counts only while the answers to these are as they were */
  readonly decidedWith?: readonly AnswerId[];
  /** the answer as the mailbox file of a finished set-up has it */
  readonly recorded?: (record: MailboxRecord) => Known[K];
  /** would this answer leave the finished set-up as it is? */
  readonly isKept: (record: MailboxRecord, answers: Answers) => boolean;
}

/** One question for every answer: a new member of `answerSchemas` is not complete before it has its question. */
export type SetupQuestions = { readonly [K in AnswerId]: SetupQuestion<K> };

/** An answer as its flag would have it. */
export function textOf(known: Known, id: AnswerId): string | undefined {
  const answer = known[id];
  return answer === undefined ? undefined : Array.isArray(answer) ? answer.join(',') : String(answer);
}

/** An answer of the interrupted set-up as text, where it is still one that this question accepts. */
export function acceptedText(question: Question, saved: Known, known: Known): string | undefined {
  const value = textOf(saved, question.id);
  return value !== undefined && complaintOf(question, value, known) === undefined ? value : undefined;
}

/** Checks one raw answer. `next`: where another command than `setup` asks. Throws `value-invalid` (exit 2), `redirect-not-accepted`. */
export function checkedAnswer(question: Question, raw: string, known: Known, next: NextStep = question.example(known)): string {
  // A cell of a list or a flag in PowerShell may have spaces in place of commas.
  const value = question.several === true ? raw.trim().replace(/[\s,]+/g, ',') : raw.trim();
  const complaint = complaintOf(question, value, known);
  if (complaint === undefined) return value;
  if (question.id === 'redirectUri') throw problem('redirect-not-accepted', { uri: value, why: complaint, next });
  const meant = question.several === true ? undefined : nearest(value, question.choices?.(known).map((one) => one.value) ?? []);
  const right = meant === undefined ? next : again({ [question.id]: meant });
  throw problem('value-invalid', { what: question.noun, value, why: `${question.flag}: ${complaint}.`, next: right });
}

function complaintOf(question: Question, value: string, known: Known): string | undefined {
  if (question.choices !== undefined) {
    const allowed = question.choices(known).map((c) => c.value);
    const chosen = question.several === true ? value.split(',').map((v) => v.trim()) : [value];
    if (chosen.every((v) => allowed.includes(v)) && value !== '') return undefined;
    if (allowed.length === 0) return known.for === undefined ? 'there is nothing to choose from' : `${known.for} has only one kind`;
    const whose = known.for === undefined || question.id === 'for' ? '' : ` (${known.for})`;
    return `choose ${question.several ? 'any' : 'one'} of ${allowed.join(', ')}${whose}`;
  }
  const verdict = question.check?.(value) ?? true;
  return verdict === true ? undefined : verdict;
}

export const productOf = (known: Known) => productNamed(known.for ?? '');
export const leftToOperator = (id: AnswerId) => (known: Known) => productOf(known)?.asks.some((asked) => asked === id) ?? false;
/** The redirect URI is the product's own, shown on one of its screens. */
export const isProduct = (known: Known): boolean => {
  const product = productOf(known);
  return product !== undefined && redirectSource(product) === 'product';
};
/** A product's own callback address wins over a redirect that the sandbox brings along. */
export const elsewhere = (uri: string | undefined): string | undefined => (uri === undefined || isLoopback(uri) ? undefined : uri);
/** The command that is running, with what is known of the mailbox and its product, and with these flags. */
export const base = (known: Known, flags: Readonly<Record<string, string | number | false>> = {}): Again =>
  again({ mailbox: known.mailbox, for: known.for === 'this-computer' ? undefined : known.for, ...flags });

export const isAppOnly = (known: Known): boolean => known.access === 'app-only';

/** The mailbox uses the app that all mailboxes of its tenant and product use. */
export const isShared = ({ sharedApp }: Pick<Known, 'sharedApp'>): boolean => sharedApp === 'yes' || sharedApp === 'take';

/** Whether an app is registered in this set-up: of an app that exists nothing but its ID and its redirect URI is asked. */
export const isRegistering = (known: Known): boolean => known.register !== 'existing';

/** The finished set-up does not record the answer, so any answer leaves it as it is. */
export const anyIsKept = (): boolean => true;
