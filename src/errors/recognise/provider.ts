import type { ProblemCode } from '../problem.ts';

/** Signs of mail providers other than Microsoft: hosts of their servers and pages. An address of a person (`a@gmail.com`) is no such sign. */
const providers: readonly (readonly [name: string, sign: RegExp])[] = [
  [
    'Google',
    /(?<![@\w])(?:(?:imap|smtp|pop|smtp-relay)\.(?:gmail|googlemail|google)\.com|(?:mail|support|accounts)\.google\.com|gsmtp\b|gmail-imap)/i,
  ],
  ['Yahoo', /(?<![@\w])(?:(?:[\w-]+\.)?mail\.yahoo\.com|yahoodns\.net|login\.yahoo\.com|help\.yahoo\.com)/i],
  ['AOL', /(?<![@\w])(?:imap|smtp|pop)\.aol\.com/i],
  ['iCloud', /(?<![@\w])(?:imap|smtp|p\d\d-[\w-]+)\.mail\.(?:me|icloud)\.com/i],
  ['Fastmail', /(?<![@\w])(?:imap|smtp|pop)\.fastmail\.com/i],
  ['Zoho', /(?<![@\w])(?:imap|smtp|pop)(?:pro)?\.zoho\.(?:com|eu|in)/i],
  ['GMX', /(?<![@\w])(?:imap|mail|pop)\.gmx\.(?:net|com|de|at|ch)/i],
];

const microsoft = /outlook\.(?:com|office|cn)|office365|exchangelabs|microsoftonline|\bAADSTS|hotmail\.com\b/i;

/** Whose server answers, where a text shows that it is not Microsoft's. `anywhere`: also where Microsoft's names stand in it, too. */
export const foreignProvider = (text: string, where?: 'anywhere'): string | undefined =>
  where === undefined && microsoft.test(text) ? undefined : providers.find(([, sign]) => sign.test(text))?.[0];

/** Entries about replies of Microsoft's mail servers. */
export const isOfMail = (code: ProblemCode): boolean =>
  /^(?:imap|pop|smtp|mail|mailbox|sasl|throttled)\b/.test(code) && !/^mailbox-(?:unknown|choice|file)/.test(code);
