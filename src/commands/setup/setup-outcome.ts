import { defined } from '../../core/defined.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { mailauth, type NextStep } from '../../core/next.ts';
import { allShown } from '../../core/shown.ts';
import { rfc3339 } from '../../core/time.ts';
import { resultsShown } from '../../mail/result.ts';
import { productNamed } from '../../products/products.ts';
import { type Sheet, sheetOf } from '../../products/sheet/sheet.ts';
import { factsOf } from '../../products/sheet/sheet-facts.ts';
import { renderSheetText } from '../../products/sheet/sheet-text.ts';
import { sheetJson, writeSheet } from '../../products/sheet/write-sheet.ts';
import type { Outcome } from '../../session/command.ts';
import { canAsk } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import type { SetupOutcome } from '../../setup/begin-setup.ts';
import { exchangeWork, renderExchangeWork } from '../../setup/sign-in/app-only-step.ts';
import { decodeClientSecret } from '../../store/client-secret-entry.ts';
import { clientSecretEntry } from '../../store/token-entry.ts';

interface SheetWish {
  readonly reveal: boolean;
  readonly file: string | undefined;
}

/** How a set-up ends: what is there now, the hand-over sheet of a product, and the next command. */
export async function presentSetup(outcome: SetupOutcome, session: Session, wish: SheetWish): Promise<Outcome> {
  if (outcome.kind === 'handed-off') return presentHandoff(outcome, session);
  const { record } = outcome;
  const sheet = await sheetFor(record, session, wish);
  const written = sheet === undefined || wish.file === undefined ? undefined : await writeSheet(session.ctx, wish.file, sheet, wish.reveal);
  const next = allShown(nextCommands(outcome, written), session.ctx.surroundings);
  const exchange = record.access === 'app-only' ? exchangeWork(record) : undefined;
  const allGreen = outcome.kind === 'done' && outcome.results.length > 0 && outcome.results.every((result) => result.ok);
  // A person has read them before the tests.
  const isRead = allGreen && canAsk(session);
  const lines = exchange === undefined || outcome.kind === 'already' || isRead ? '' : `\n${renderExchangeWork(exchange)}\n`;
  const data = {
    mailbox: record.mailbox,
    for: record.for,
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
    tests: outcome.kind === 'already' ? [] : resultsShown(outcome.results, session.ctx.surroundings),
    ...(sheet === undefined ? {} : { sheet: sheetJson(sheet, wish) }),
    ...defined({ handover: written }),
    next,
  };
  return {
    data,
    ...(outcome.kind === 'done' && outcome.error !== undefined ? { error: outcome.error } : {}),
    text: (theme) => {
      const { out } = session.ctx;
      const columns = columnsOf(out);
      const shown =
        sheet === undefined || record.for === 'this-computer' || record.access === 'app-only'
          ? ''
          : `${renderSheetText(sheet, { theme, columns, reveal: wish.reveal })}\n`;
      const file = written === undefined ? '' : `  The hand-over sheet is in ${written}\n`;
      return `\n${theme.bold(fold(titleOf(outcome), columns))}\n${shown === '' ? '' : '\n'}${shown}${lines}${file}${next.map((line) => `  next: ${theme.cyan(line)}`).join('\n')}\n`;
    },
  };
}

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

function titleOf(outcome: Finished): string {
  const { mailbox, access } = outcome.record;
  if (outcome.kind === 'already') return `${mailbox} is set up already; nothing was changed.`;
  if (access === 'app-only') return `${mailbox} is set up; the app ${outcome.signedIn ? 'has a token of its own' : 'has no token yet'}.`;
  return `${mailbox} is ${outcome.signedIn ? 'set up and signed in' : 'set up; no sign-in on this computer'}.`;
}

async function sheetFor(record: MailboxRecord, session: Session, wish: SheetWish): Promise<Sheet | undefined> {
  const guide = productNamed(record.for);
  // An app that acts for itself gets its tokens here: no program has a form for that.
  if (guide === undefined || record.access === 'app-only') return undefined;
  if (record.for === 'this-computer' && wish.file === undefined) return undefined;
  // No form asks for the key of a certificate.
  const isSecret = record.registration.clientType === 'confidential' && record.registration.certificateThumbprint === undefined;
  const wanted = wish.reveal && isSecret;
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
  const signedIn = outcome.kind === 'done' ? outcome.signedIn : record.account !== undefined;
  if (!signedIn && (record.for === 'this-computer' || record.access === 'app-only'))
    return [mailauth('login', record.mailbox, product), mailauth('status', record.mailbox)];
  if (!signedIn) {
    const sheet = mailauth('setup', { mailbox: record.mailbox, ...product, handover: 'sheet.html' });
    return [...(written === undefined ? [sheet] : []), mailauth('status', record.mailbox)];
  }
  const [first] = record.protocols;
  const test = record.protocols.length > 1 ? 'all' : (first ?? 'all');
  return [mailauth('test', test, record.mailbox, product), mailauth('token get', record.mailbox, product)];
}
