import type { ProblemCode } from '../problem.ts';

/** Signs of mail providers other than Microsoft: hosts of their servers and pages. An address of a person (`a@gmail.com`) is no such sign. */
const providers: readonly (readonly [name: string, sign: RegExp])[] = [
  [
    'Google',
    /(?<![@\w])(?:(?:imap|smtp|pop|smtp-relay)\.(?:gmail|googlemail|google)\.com|(?:mail|support|accounts)\.google\.com|gsmtp\b|gmail-imap)/i,
  ],
  ['Yahoo', /(?<![@\w])(?:(?:imap|smtp|pop|plus\.smtp)\.mail\.yahoo\.com|yahoodns\.net|login\.yahoo\.com|help\.yahoo\.com)/i],
  ['AOL', /(?<![@\w])(?:imap|smtp|pop)\.aol\.com/i],
  ['iCloud', /(?<![@\w])(?:imap|smtp|p\d\d-[\w-]+)\.mail\.(?:me|icloud)\.com/i],
  ['Fastmail', /(?<![@\w])(?:imap|smtp|pop)\.fastmail\.com/i],
  ['Zoho', /(?<![@\w])(?:imap|smtp|pop)(?:pro)?\.zoho\.(?:com|eu|in)/i],
  ['GMX', /(?<![@\w])(?:imap|mail|pop)\.gmx\.(?:net|com|de|at|ch)/i],
];

/** Cheap: a long log is looked through for this alone. */
const anyOfThem = /google|gmail|gsmtp|yahoo|\.aol\.|icloud|mail\.me\.com|fastmail|zoho|\.gmx\./i;
const microsoft = /outlook\.(?:com|office|cn)|office365|exchangelabs|microsoftonline|\bAADSTS|hotmail\.com\b/i;

/** Whether a text may be about another provider. */
export const mayBeForeign = (text: string): boolean => anyOfThem.test(text);

/** Whose server answers, where a text shows that it is not Microsoft's. */
export const foreignProvider = (text: string): string | undefined =>
  microsoft.test(text) ? undefined : providers.find(([, sign]) => sign.test(text))?.[0];

/** Entries about replies of Microsoft's mail servers. */
export const isOfMail = (code: ProblemCode): boolean =>
  /^(?:imap|pop|smtp|mail|mailbox|sasl|throttled)\b/.test(code) && !/^mailbox-(?:unknown|choice|file)/.test(code);
