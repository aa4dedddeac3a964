import { defined } from '../../core/defined.ts';
import { Back, Exit, Interrupted } from '../../core/errors.ts';
import { columnsOf } from '../../core/fold.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { mailauth } from '../../core/next.ts';
import type { Choice } from '../../core/prompts-port.ts';
import { shown } from '../../core/shown.ts';
import { explain } from '../../explain/explain-text.ts';
import { renderExplanation } from '../../explain/explanation-lines.ts';
import type { Sheet } from '../../products/sheet/sheet.ts';
import { renderSheetHtml } from '../../products/sheet/sheet-html.ts';
import { sheetPage } from '../../products/sheet/write-sheet.ts';
import { isCopied, type StepField } from '../../products/step/step.ts';
import type { Session } from '../../session/session.ts';
import { decodeClientSecret } from '../../store/client-secret-entry.ts';
import { guardWrites } from '../../store/home.ts';
import { clientSecretEntry } from '../../store/token-entry.ts';
import { themeFor } from '../../ui/theme.ts';

interface Finish {
  readonly session: Session;
  readonly record: MailboxRecord;
  readonly sheet: Sheet;
}

type Wish = 'secret' | 'copy' | 'sheet' | 'works' | 'error';

/**
 * While the person fills in the product's form: what they need for it, until the product works. The set-up is finished already, so Esc, Ctrl-C
 * and Ctrl-D end this like "It works".
 */
export async function finishMenu(finish: Finish): Promise<void> {
  const { ctx, report } = finish.session;
  const choices = choicesOf(finish);
  const acts = { secret: showSecret, copy: copyValues, sheet: openSheet, error: explainError };
  try {
    for (;;) {
      const wish = await ctx.prompts.select({ message: 'What next?', choices, back: true });
      if (wish === 'works') return;
      await acts[wish](finish).catch(backToMenu);
    }
  } catch (error) {
    const isLeft = error instanceof Back || (error instanceof Interrupted && error.exit === Exit.interrupted && !ctx.signal.aborted);
    if (!isLeft) throw error;
  } finally {
    report.settle();
  }
}

/** Esc at a question of the menu leads back to it, and at the menu out of it. */
function backToMenu(error: unknown): void {
  if (!(error instanceof Back)) throw error;
}

function choicesOf({ session, sheet }: Finish): readonly Choice<Wish>[] {
  const choices: readonly (Choice<Wish> & { readonly isOffered?: boolean })[] = [
    { value: 'secret', name: 'Show the client secret', isOffered: secretField(sheet) !== undefined },
    { value: 'copy', name: 'Copy the values one by one', isOffered: session.ctx.clipboard.usable },
    { value: 'sheet', name: 'Open the sheet', description: 'every value with its explanation, and how to renew; without the secret' },
    { value: 'works', name: 'It works' },
    { value: 'error', name: "It does not: paste the product's error" },
  ];
  return choices.filter(({ isOffered }) => isOffered !== false).map(({ isOffered: _, ...choice }) => choice);
}

const fieldsOf = ({ parts }: Sheet): readonly StepField[] => parts.flatMap(({ fields }) => fields);
const secretField = (sheet: Sheet): StepField | undefined => fieldsOf(sheet).find(({ secret }) => secret === 'client-secret');

async function secretOf({ session, record }: Finish): Promise<string | undefined> {
  const stored = await (await session.store(record)).read(clientSecretEntry(record));
  if (stored !== undefined) return decodeClientSecret(stored).secret.reveal();
  const renew = shown(mailauth('secret rotate', record.mailbox, { for: record.for }), session.ctx.surroundings);
  session.report.note(`The client secret is not in the store any more. A new one: ${renew}`);
  return undefined;
}

async function showSecret(finish: Finish): Promise<void> {
  const value = await secretOf(finish);
  if (value !== undefined) finish.session.report.show(`\n  ${secretField(finish.sheet)?.label ?? 'Client Secret'}\n\n${value}\n\n`);
}

/** The fields that are filled in, in the order of the form; each is pasted before the next one is copied. */
async function copyValues(finish: Finish): Promise<void> {
  const { ctx, report } = finish.session;
  const { clipboard, prompts } = ctx;
  const fields = fieldsOf(finish.sheet).filter((field) => field.secret === 'client-secret' || isTyped(field));
  for (const [i, field] of fields.entries()) {
    const value = field.secret === 'client-secret' ? await secretOf(finish) : String(field.value);
    if (value === undefined) continue;
    if (!(await clipboard.copy(value))) return report.note('The program for the clipboard failed. Copy the values from the screen.');
    const next = fields[i + 1];
    const message = `${field.label} is copied: paste it.${next === undefined ? ' Clear the clipboard?' : ` Copy the next: ${next.label}?`}`;
    const goesOn = await prompts.confirm({ message, default: true, back: true });
    if (next === undefined && goesOn) await clipboard.copy('');
    if (!goesOn) return;
  }
}

const isTyped = (field: StepField): boolean => (field.how ?? 'enter') === 'enter' && isCopied(field, { reveal: false });

/** A page of this user's own, which nobody else can read, although no secret is in it. */
async function openSheet({ session, record, sheet }: Finish): Promise<void> {
  const { ctx, home, report } = session;
  const file = sheetPage(home, record);
  await guardWrites(home, () => ctx.files.writeAtomic(file, renderSheetHtml(sheet, { reveal: false })));
  const opened = ctx.browser.usable ? await ctx.openFile(file) : undefined;
  report.show(`  The sheet ${opened?.kind === 'opened' ? 'is open in your browser' : 'is a page for any browser'}: ${file}\n`);
}

async function explainError({ session, record, sheet }: Finish): Promise<void> {
  const { ctx, globals, report } = session;
  const text = await ctx.prompts.text({
    message: `The error of ${sheet.product}? (paste it; Enter alone goes back)`,
    wrapped: true,
    back: true,
  });
  if (text.trim() === '') return;
  const { clientId, redirectUri } = record.registration;
  const setup = { clientId, tenant: record.tenantId, ...defined({ redirectUri: redirectUri || undefined, account: record.signInAs }) };
  const found = await explain([text], { cloud: await session.cloud(record), mailbox: record.mailbox, setup });
  const theme = themeFor(ctx, ctx.err, globals.noColor);
  report.show(`\n${renderExplanation(found, theme, ctx.surroundings, columnsOf(ctx.err))}\n`);
}
