import * as z from 'zod/mini';
import type { MailauthError } from '../core/errors.ts';
import { isHandedOver, type MailboxRecord } from '../core/mailbox.ts';
import { type Command, mailauth } from '../core/next.ts';
import type { Choice } from '../core/prompts-port.ts';
import { bareAddress } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { productNames } from '../products/product.ts';
import { isFileOf, type MailboxFiles, mailboxFiles } from '../store/mailbox-file.ts';
import { storedToken } from '../tokens/current.ts';
import type { Session } from './session.ts';

export const mailboxesOf = (session: Session): MailboxFiles => mailboxFiles({ files: session.ctx.files, home: session.home });

/** A person is there and prompts are on. */
export const canAsk = ({ ctx, globals }: Session): boolean => ctx.interactive && !globals.noInput && !globals.yes;

const forFlag = z.object({ for: z.optional(z.string()) });

/** `--for` of the commands that work on a finished set-up. Throws `value-invalid` for an unknown product (exit 2). */
export function productFlag(flags: unknown): string | undefined {
  const value = forFlag.parse(flags).for;
  if (value === undefined || productNames.some((name) => name === value)) return value;
  throw problem('value-invalid', {
    what: 'product',
    value,
    why: `--for takes ${productNames.join(', ')}.`,
    next: mailauth('status'),
  });
}

/**
 * The set-up a command means: by argument, MAILAUTH_MAILBOX, or because it is the only one; `--for` among several products.
 * Throws `no-mailbox`, `mailbox-unknown` (exit 4), `mailbox-choice`, `guide-choice` (exit 3), `mailbox-file-broken`; with
 * `needs: 'token'` also `not-signed-in` and `handed-over` (exit 4), where the mailbox has several products and none is signed in. Set-ups that
 * cannot have what the command needs are not meant while others can.
 */
export async function mailboxArgument(
  session: Session,
  command: Command,
  argument: string | undefined,
  flags: unknown,
  { needs }: { readonly needs?: keyof typeof canHave } = {},
): Promise<MailboxRecord> {
  const given = argument ?? (session.ctx.env.MAILAUTH_MAILBOX || undefined);
  const wanted = given === undefined ? undefined : bareAddress(given).toLowerCase();
  const guide = productFlag(flags);
  const { records, broken } = await candidates(session, wanted, guide);
  const named = records.filter((r) => (wanted === undefined || r.mailbox === wanted) && (guide === undefined || r.for === guide));
  const able = needs === undefined ? named : named.filter(canHave[needs]);
  const matching = able.length > 0 ? able : named;
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only;
  if (only === undefined) throw nothingMatches(wanted, guide, { records, broken });
  if (canAsk(session)) return choose(session, matching);
  const mailboxes = [...new Set(matching.map((r) => r.mailbox))];
  if (mailboxes.length > 1) throw problem('mailbox-choice', { candidates: mailboxes, command });
  const [signedIn, ...others] = await signedInOf(session, matching);
  if (signedIn !== undefined && others.length === 0) return signedIn;
  if (needs !== undefined && needs !== 'secret' && signedIn === undefined) throw withoutToken(matching);
  throw problem('guide-choice', { mailbox: only.mailbox, guides: matching.map((r) => r.for), command });
}

const canHave = {
  token: (record: MailboxRecord) => !isHandedOver(record),
  sending: (record: MailboxRecord) =>
    !isHandedOver(record) && ['smtp', 'graph-send'].some((word) => record.protocols.some((one) => one === word)),
  secret: ({ registration }: MailboxRecord) => registration.clientType === 'confidential',
};

function nothingMatches(wanted: string | undefined, guide: string | undefined, { records, broken }: Listed): MailauthError {
  const damaged = broken.find(({ file }) => isFileOf(file, { mailbox: wanted, for: guide }));
  if (damaged !== undefined) return problem('mailbox-file-broken', damaged, { detail: { file: damaged.file } });
  if (wanted === undefined && records.length === 0) return problem('no-mailbox', {});
  if (guide !== undefined && (wanted === undefined || records.some((r) => r.mailbox === wanted))) {
    return noneForProduct(records, guide, wanted);
  }
  return problem('mailbox-unknown', { mailbox: wanted ?? '', known: [...new Set(records.map((r) => r.mailbox))] });
}

/** Mailboxes are set up, but not for this product. */
const noneForProduct = (records: readonly MailboxRecord[], product: string, mailbox = records[0]?.mailbox ?? ''): MailauthError =>
  problem('product-unknown', { mailbox, guide: product, known: records.map((r) => `${r.mailbox} for ${r.for}`) });

type Listed = Awaited<ReturnType<MailboxFiles['listMailboxes']>>;

/** A named mailbox is opened by its name, so that a thousand others cost nothing; only a miss lists them all, for the error's words. */
async function candidates(session: Session, wanted: string | undefined, product: string | undefined): Promise<Listed> {
  const files = mailboxesOf(session);
  if (wanted !== undefined) {
    // The damaged file of another product is nothing to this one.
    const names = product === undefined ? productNames : [product];
    const named = await Promise.all(names.map((name) => files.readMailbox({ mailbox: wanted, for: name })));
    const records = named.filter((record) => record !== undefined);
    if (records.length > 0) return { records, broken: [] };
  }
  return files.listMailboxes();
}

async function choose(session: Session, records: readonly MailboxRecord[]): Promise<MailboxRecord> {
  const width = Math.max(...records.map((r) => r.mailbox.length));
  const choices: Choice<string>[] = records.map((r, i) => ({ value: String(i), name: `${r.mailbox.padEnd(width)}  ${r.for}` }));
  const chosen = records[Number(await session.ctx.prompts.select({ message: 'Which mailbox?', choices }))];
  if (chosen === undefined) throw problem('no-mailbox', {});
  return chosen;
}

/** One mailbox for several products: token commands use the one that is signed in. */
async function signedInOf(session: Session, records: readonly MailboxRecord[]): Promise<readonly MailboxRecord[]> {
  const signedIn: MailboxRecord[] = [];
  for (const record of records) {
    if ((await storedToken(await session.store(record), record)) !== undefined) signedIn.push(record);
  }
  return signedIn;
}

/** Why these set-ups of one mailbox have no token here. `records` is not empty. */
export function withoutToken(records: readonly MailboxRecord[]): MailauthError {
  const { mailbox = '', for: product = '' } = records[0] ?? {};
  if (records.every(isHandedOver))
    return problem('handed-over', { mailbox, products: records.map((r) => r.for), proofs: records.map(proof) });
  return problem('not-signed-in', { mailbox, guides: records.length > 1 ? records.map((r) => r.for) : [product] });
}

/** The command that proves such a mailbox from here: it signs in once, tests and keeps no token. */
function proof({ mailbox, for: product, registration }: MailboxRecord): Command {
  const setup = { mailbox, for: product };
  if (registration.redirectUri === '') return mailauth('setup', { ...setup, signIn: 'password', passwordFile: '-' });
  // A redirect to this computer is added to mailauth's own app for the time of the proof; another app keeps what it has.
  return mailauth('setup', { ...setup, signIn: registration.madeByMailauth ? 'browser' : 'paste' });
}
