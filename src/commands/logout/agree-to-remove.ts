import { defined } from '../../core/defined.ts';
import type { MailboxKey, MailboxRecord } from '../../core/mailbox.ts';
import { again, mailauth } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { productNamed } from '../../products/products.ts';
import { canAsk } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import type { InterruptedSetup } from '../../setup/journal/journal-file.ts';

/** What this computer has of one mailbox and product: a finished set-up, an interrupted one, a folder for the administrator. */
export interface LocalTraces extends MailboxKey {
  readonly record?: MailboxRecord;
  readonly journal?: InterruptedSetup;
  /** its app and client secret stay, because other mailboxes use them */
  readonly sharesApp?: boolean;
}

/**
 * The set-ups of one mailbox that are meant: the only one, or those that a person picks. A script with several must say `--for`, because
 * what goes cannot be got back. Throws `guide-choice` (3).
 */
export async function pickSetUps(session: Session, here: readonly LocalTraces[]): Promise<readonly LocalTraces[]> {
  const [first] = here;
  if (first === undefined || here.length === 1) return here;
  const { mailbox } = first;
  if (!canAsk(session)) throw problem('guide-choice', { mailbox, guides: here.map((one) => one.for), command: mailauth('logout') });
  const chosen = await session.ctx.prompts.select({
    message: `${mailbox} has several set-ups. Which one goes?`,
    choices: [
      ...here.map((one) => ({ value: one.for, name: titleOf(one), description: partsOf(one).join(', ') })),
      { value: 'all', name: `All ${here.length}` },
    ],
  });
  return chosen === 'all' ? here : here.filter((one) => one.for === chosen);
}

/**
 * Shows a person what goes and asks; `--yes` answers. A script agrees to one set-up by naming it, and to all of them only with `--yes`.
 * Throws `needs-yes` (3), `logout-declined`, and `Back` where the person picked what goes and wants to pick again.
 */
export async function agreeToRemove(
  session: Session,
  going: readonly LocalTraces[],
  options: { all: boolean; deleteApp: boolean; wasPicked: boolean },
): Promise<void> {
  if (going.length === 0 || session.globals.yes) return;
  const { all, deleteApp, wasPicked: back } = options;
  if (!canAsk(session)) {
    if (!all) return;
    throw problem('needs-yes', {
      what: `Removing all set-ups (${going.length})`,
      command: again({ yes: true }),
    });
  }
  session.report.show(whatGoes(going, deleteApp));
  const { prompts } = session.ctx;
  if (all) {
    const count = String(going.length);
    await prompts.text({
      message: `How many set-ups go? Type ${count} to remove them:`,
      check: (value) => value.trim() === count || `type ${count}, or press Ctrl-C to keep them`,
    });
    return;
  }
  // The name of an app that is deleted is typed later, which is the stronger question.
  const isTyped = deleteApp && going.some((one) => one.sharesApp !== true);
  if (!isTyped && !(await prompts.confirm({ message: 'Remove this from this computer?', default: false, back }))) {
    throw problem('logout-declined', {});
  }
}

function whatGoes(going: readonly LocalTraces[], deleteApp: boolean): string {
  const rows = going.map((one) => `  ${one.mailbox} (${titleOf(one)}): ${partsOf(one).join(', ')}`);
  const made = going.some(({ record }) => record?.registration.madeByMailauth === true);
  const notes = [
    ...(going.some(hasSecret) ? ['Microsoft shows the value of a client secret only once: it cannot be got back.'] : []),
    ...(made && !deleteApp ? ['The registration stays in the tenant; --delete-app removes it too.'] : []),
  ];
  return `${['This goes from this computer:', ...rows, ...notes].join('\n')}\n`;
}

const titleOf = ({ for: product }: MailboxKey): string => productNamed(product)?.title ?? product;

function partsOf({ record, journal, sharesApp }: LocalTraces): readonly string[] {
  if (record === undefined) return [journal === undefined ? 'the folder for the administrator' : 'a set-up that is not finished'];
  const unfinished = journal === undefined ? [] : ['a set-up that is not finished'];
  return [
    'settings',
    ...(hasSignIn(record) ? ['sign-in and tokens'] : []),
    ...(hasSecret({ record, ...defined({ sharesApp }) }) ? [secretWord(record)] : []),
    ...unfinished,
  ];
}

const hasSignIn = (record: MailboxRecord): boolean => record.account !== undefined || record.access === 'app-only';
const hasSecret = ({ record, sharesApp }: Pick<LocalTraces, 'record' | 'sharesApp'>): boolean =>
  record?.registration.clientType === 'confidential' && sharesApp !== true;
const secretWord = ({ registration }: MailboxRecord): string =>
  registration.certificateThumbprint === undefined ? 'client secret' : 'certificate and key';
