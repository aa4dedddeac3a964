import type { Protocol } from '../core/cloud.ts';
import type { MailauthError } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import type { MailSpot } from '../errors/catalogue/mail/mail-words.ts';
import { problem } from '../errors/problem.ts';
import { saslUser } from '../tokens/formats.ts';
import { type MailResult, withDiagnosis, withNote } from './result.ts';

/**
 * The names that may be right for SASL `user=`, best first, each once: what is known to work, the mailbox, who signed in, the delegate.
 * Each one tried is a login at Exchange, so there are never more than these.
 */
export function namesToTry(record: MailboxRecord, protocol: Protocol): readonly string[] {
  // An app that acts for itself has no mailbox of its own, so its name cannot be the right one.
  const people = record.access === 'app-only' ? [] : [record.account?.username, record.signInAs];
  const names = [saslUser(record, protocol), record.mailbox, ...people];
  const distinct = new Map<string, string>();
  for (const name of names) {
    // A name that could add fields to the SASL message is only ever refused, never tried as a second choice.
    if (name === undefined || name === '' || (distinct.size > 0 && /[\p{Cc}<>]/u.test(name))) continue;
    const key = name.toLowerCase();
    if (!distinct.has(key)) distinct.set(key, name);
  }
  return [...distinct.values()];
}

/** Refusals of the sign-in that another user name may solve. Throttling, networks, TLS, switches and bad tokens are not among them. */
const nameRefusals: ReadonlySet<string> = new Set([
  'imap-authenticate-failed',
  'pop-authenticate-failed',
  'smtp-authenticate-failed',
  'smtp-credentials-wrong',
  'mail-token-user',
  'mail-no-full-access',
  'smtp-send-as-denied',
]);

const failedAt = (result: MailResult): string | undefined => result.stages.find((s) => s.state === 'failed')?.name;
const refusesName = (result: MailResult): boolean =>
  result.error !== undefined && failedAt(result) === 'auth' && nameRefusals.has(result.error.code);
const signedIn = (result: MailResult): boolean => result.stages.some((s) => s.name === 'auth' && s.state === 'ok');

/**
 * Tests under the first name, and under the others only where the first was refused as a name. What the second sign-in shows decides:
 * SMTP that takes it works under that name (the sender stays the mailbox). IMAP and POP open the mailbox of the name they are given,
 * so there it only proves that the token is good and the rights are what is missing. Stops at the first name that signs in.
 */
export async function testByName(
  names: readonly string[],
  signInAs: string | undefined,
  test: (user: string) => Promise<MailResult>,
): Promise<MailResult> {
  const [first = '', ...others] = names;
  const began = await test(first);
  if (!refusesName(began)) return noted(began);
  for (const name of others) {
    const other = await test(name);
    if (signedIn(other)) return began.protocol === 'smtp' ? noted(other) : rightsMissing(began, name, signInAs);
    // Throttled or cut off: this try shows nothing, and more tries would make it worse.
    if (!refusesName(other)) return began;
  }
  return others.length === 0 ? began : noneWorks(began, names);
}

/** Notes the user name that SMTP takes, in every test: mail programs need that name too. */
function noted(result: MailResult): MailResult {
  const { protocol, ok, user, mailbox } = result;
  if (protocol !== 'smtp' || !ok || user.toLowerCase() === mailbox.toLowerCase()) return result;
  return withNote(result, problem('smtp-user-name', spotOf(result)));
}

function rightsMissing(began: MailResult, name: string, signInAs: string | undefined): MailResult {
  const isDelegate = signInAs !== undefined && signInAs.toLowerCase() === name.toLowerCase();
  const blanks = { ...spotOf(began), tokenUser: name, opensOwn: true };
  return withDiagnosis(began, withReply(began, isDelegate ? problem('mail-no-full-access', blanks) : problem('mail-token-user', blanks)));
}

/**
 * No name works. With missing rights the delegate could still open their own mailbox; that was refused too, so rights are not the reason.
 */
function noneWorks(began: MailResult, names: readonly string[]): MailResult {
  const code = began.error?.code;
  if (code === 'mail-token-user') return began;
  const blanks = { ...spotOf(began), tokenLooksRight: code !== `${began.protocol}-authenticate-failed`, alsoRefused: names.slice(1) };
  return withDiagnosis(began, withReply(began, problem(`${began.protocol}-authenticate-failed`, blanks)));
}

const withReply = (from: MailResult, error: MailauthError): MailauthError => error.but({ detail: from.error?.detail ?? {} });

const spotOf = ({ mailbox, user, protocol, host, port }: MailResult): MailSpot => ({ mailbox, user, protocol, host, port });
