import { mailOf } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { mailauth, type NextStep, noted } from '../../core/next.ts';
import { allShown } from '../../core/shown.ts';
import { plain } from '../../core/text.ts';
import { rfc3339 } from '../../core/time.ts';
import { problem } from '../../errors/problem.ts';
import { resultsShown } from '../../mail/result.ts';
import { productNamed } from '../../products/products.ts';
import { renderFinish } from '../../products/sheet/finish-text.ts';
import { type Sheet, sheetOf } from '../../products/sheet/sheet.ts';
import { factsOf } from '../../products/sheet/sheet-facts.ts';
import { renderSheetText } from '../../products/sheet/sheet-text.ts';
import { isTaken, sheetJson, sheetRenderer, writeSheet } from '../../products/sheet/write-sheet.ts';
import type { Reveal } from '../../products/step/step.ts';
import type { Outcome } from '../../session/command.ts';
import { canAsk } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import type { SetupOutcome } from '../../setup/begin-setup.ts';
import { exchangeWork, renderExchangeWork } from '../../setup/sign-in/app-only-step.ts';
import { decodeClientSecret } from '../../store/client-secret-entry.ts';
import { clientSecretEntry } from '../../store/token-entry.ts';
import { type Theme, themeFor } from '../../ui/theme.ts';
import { finishMenu } from './finish-menu.ts';

interface SheetWish {
  readonly reveal: boolean;
  readonly file: string | undefined;
}

/** How a set-up ends: what is there now, what to fill in where, and the next command. On a terminal a product's form is accompanied. */
export async function presentSetup(outcome: SetupOutcome, session: Session, wish: SheetWish): Promise<Outcome> {
  if (outcome.kind === 'handed-off') return presentHandoff(outcome, session);
  const { record } = outcome;
  const { ctx } = session;
  const sheet = await sheetFor(record, session, wish);
  const written = await writtenSheet(sheet, session, wish);
  const next = allShown(nextCommands(outcome, written), ctx.surroundings);
  const exchange = record.access === 'app-only' ? exchangeWork(record) : undefined;
  // A person has read the lines for Exchange before the tests.
  const isRead = outcome.kind === 'already' || (isAllGreen(outcome) && canAsk(session));
  const data = {
    mailbox: record.mailbox,
    for: record.for,
    ...defined({ label: record.label }),
    alreadySetUp: outcome.kind === 'already',
    signedIn: outcome.kind === 'already' ? record.account !== undefined : outcome.signedIn,
    account: record.account?.username ?? null,
    tenantId: record.tenantId,
    clientId: record.registration.clientId,
    endpoints: record.endpoints,
    scopes: record.scopes,
    store: record.store,
    secretExpiresAt: record.registration.secretExpiresAt ?? null,
    access: record.access ?? 'delegated',
    ...defined({ exchange }),
    tests: outcome.kind === 'already' ? [] : resultsShown(outcome.results, ctx.surroundings),
    ...(sheet === undefined ? {} : { sheet: sheetJson(sheet, wish) }),
    ...defined({ handover: written }),
    next,
  };
  const onScreen = sheet === undefined || record.for === 'this-computer' ? undefined : sheet;
  const hasMenu = onScreen !== undefined && isHandOver(outcome) && canAsk(session) && ctx.out.isTerminal;
  const finish = (theme: Theme): string =>
    [
      `\n${titleOf(outcome, theme, columnsOf(ctx.out))}\n`,
      ...(onScreen === undefined ? [] : [formOf(onScreen, session, { theme, reveal: wish.reveal, hasMenu })]),
      ...(exchange === undefined || isRead ? [] : [`\n${renderExchangeWork(exchange)}\n`]),
      ...(written === undefined ? [] : [`  The hand-over sheet is in ${written}\n`]),
    ].join('');
  const commands = (theme: Theme): string => `${next.map((line) => `  next: ${theme.cyan(line)}`).join('\n')}\n`;
  const error = outcome.kind === 'done' ? outcome.error : undefined;
  if (!hasMenu) return { data, ...defined({ error }), text: (theme) => finish(theme) + commands(theme) };
  session.report.settle();
  ctx.out.write(`${finish(themeFor(ctx, ctx.out, session.globals.noColor))}\n`);
  await finishMenu({ session, record, sheet: onScreen });
  return { data, text: commands };
}

interface FormWish extends Reveal {
  readonly theme: Theme;
  readonly hasMenu: boolean;
}

/** The product's form, short; whole with --verbose. */
function formOf(sheet: Sheet, { ctx, globals }: Session, { hasMenu, ...more }: FormWish): string {
  const options = { ...more, columns: columnsOf(ctx.out) };
  if (globals.verbose) return `\n${renderSheetText(sheet, options)}\n`;
  return renderFinish(sheet, { ...options, secretHint: hasMenu ? 'shown below, on request' : 'mailauth secret show --reveal' });
}

const isAllGreen = (outcome: Finished): boolean =>
  outcome.kind === 'done' && outcome.results.length > 0 && outcome.results.every((result) => result.ok);

/** The product gets its sign-in now: what was tested here before, if anything, was fine. */
const isHandOver = (outcome: Finished): boolean => outcome.kind === 'done' && !outcome.signedIn && outcome.error === undefined;

function presentHandoff(outcome: SetupOutcome & { kind: 'handed-off' }, session: Session): Outcome {
  const { key, tenantId, folder, files, goOn } = outcome;
  const next = allShown([goOn], session.ctx.surroundings);
  return {
    data: { mailbox: key.mailbox, for: key.for, alreadySetUp: false, signedIn: false, tenantId, handoff: { folder, files }, next },
    text: (theme) =>
      `\n${theme.bold(`${key.mailbox} waits for an administrator.`)}\n` +
      `  Give them this folder: ${folder}\n${files.map((file) => `    ${file}\n`).join('')}` +
      `  When the administrator has registered the app:\n${next.map((line) => `  next: ${theme.cyan(line)}`).join('\n')}\n`,
  };
}

type Finished = Exclude<SetupOutcome, { kind: 'handed-off' }>;

function titleOf(outcome: Finished, theme: Theme, columns: number): string {
  const title = fold(titleWords(outcome), columns, 2);
  const isGreen = outcome.kind === 'done' && outcome.error === undefined;
  return isGreen ? `${theme.green(theme.signs.ok)} ${theme.bold(title)}` : theme.bold(title);
}

function titleWords(outcome: Finished): string {
  const { mailbox, access } = outcome.record;
  if (outcome.kind === 'already')
    return `${mailbox} is set up already; ${outcome.isRelabelled === true ? 'only its label was changed' : 'nothing was changed'}.`;
  if (access === 'app-only') return `${mailbox} is set up; the app ${outcome.signedIn ? 'has a token of its own' : 'has no token yet'}.`;
  return `${mailbox} is ${outcome.signedIn ? 'set up and signed in' : 'set up; no sign-in on this computer'}.`;
}

/** No form asks for the key of a certificate. */
const hasSecret = ({ registration }: MailboxRecord): boolean =>
  registration.clientType === 'confidential' && registration.certificateThumbprint === undefined;

async function sheetFor(record: MailboxRecord, session: Session, wish: SheetWish): Promise<Sheet | undefined> {
  const guide = productNamed(record.for);
  // An app that acts for itself gets its tokens here: no program has a form for that.
  if (guide === undefined || record.access === 'app-only') return undefined;
  if (record.for === 'this-computer' && wish.file === undefined) return undefined;
  const wanted = wish.reveal && hasSecret(record);
  const stored = wanted ? await (await session.store(record)).read(clientSecretEntry(record)) : undefined;
  const clientSecret = stored && decodeClientSecret(stored).secret;
  const { secretKeyId } = record.registration;
  return sheetOf(
    guide,
    factsOf(record, {
      writtenAt: rfc3339(session.ctx.clock.now()),
      ...defined({ clientSecret, audience: record.registration.audience, appName: record.registration.name, secretId: secretKeyId }),
    }),
    session.ctx.surroundings,
  );
}

function nextCommands(outcome: Finished, written: string | undefined): readonly NextStep[] {
  const { record } = outcome;
  const product = { for: record.for === 'this-computer' ? undefined : record.for };
  const status = mailauth('status', record.mailbox);
  const signedIn = outcome.kind === 'done' ? outcome.signedIn : record.account !== undefined;
  if (signedIn) return [...afterSignIn(outcome, product), status];
  if (record.for === 'this-computer' || record.access === 'app-only') return [mailauth('login', record.mailbox, product), status];
  const sheet = mailauth('setup', { mailbox: record.mailbox, ...product, handover: 'sheet.html' });
  return [
    ...(hasSecret(record) ? [mailauth('secret show', record.mailbox, { ...product, reveal: true })] : []),
    ...(written === undefined ? [sheet] : []),
    ...(hasSecret(record) ? [] : [status]),
  ];
}

/** The line for the program that will use the sign-in, once the sign-in is proven. */
function afterSignIn(outcome: Finished, product: { readonly for: string | undefined }): readonly NextStep[] {
  const { mailbox, protocols, lastTests } = outcome.record;
  const isProven =
    outcome.kind === 'done' ? isAllGreen(outcome) : protocols.every((one) => lastTests.some(({ ok, protocol }) => ok && protocol === one));
  const [only = 'all', ...others] = protocols;
  if (!isProven) return [mailauth('test', others.length > 0 ? 'all' : only, mailbox, product)];
  if (mailOf(protocols).length === 0) return [mailauth('send', { help: true }), noted(mailauth('keepalive', { install: true }), 'a timer')];
  const program = protocols.includes('smtp') ? 'msmtp' : protocols.includes('imap') ? 'mbsync' : 'getmail';
  return [noted(mailauth('export', program, mailbox, product), 'or mutt'), noted(mailauth('keepalive', { install: true }), 'a timer')];
}

async function writtenSheet(sheet: Sheet | undefined, { ctx }: Session, { file, reveal }: SheetWish): Promise<string | undefined> {
  return sheet === undefined || file === undefined ? undefined : writeSheet(ctx, file, sheet, reveal);
}

/** The sheet of a set-up whose end nobody is shown: one of many. */
export const writeSheetOf = async (record: MailboxRecord, session: Session, wish: SheetWish): Promise<string | undefined> =>
  writtenSheet(await sheetFor(record, session, wish), session, wish);

/** A file of somebody else is not written over unasked, also with `--yes`: that agrees to the set-up. Throws `value-invalid`, `sheet-place-taken`. */
export async function mayWriteSheet(file: string, session: Session, mayAsk = canAsk(session)): Promise<void> {
  sheetRenderer(file);
  if (!(await isTaken(session.ctx, file))) return;
  const message = `${plain(file)} is not a sheet of mailauth. Write over it?`;
  if (mayAsk && (await session.ctx.prompts.confirm({ message, default: false }))) return;
  throw problem('sheet-place-taken', { file });
}
