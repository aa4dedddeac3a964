import * as z from 'zod/mini';
import { defined } from '../../core/defined.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { again, mailauth } from '../../core/next.ts';
import { isGuid } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { productNamed } from '../../products/products.ts';
import { isSameKey, namedUsers } from '../../secrets/app-users.ts';
import { type Rotated, removesOld } from '../../secrets/rotation.ts';
import { rotationNotes } from '../../secrets/rotation-notes.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { readWhole } from '../../session/globals.ts';
import { mailboxArgument } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { checkedAnswer } from '../../setup/answers/question.ts';
import { questions } from '../../setup/answers/questions.ts';
import { isOpen, onApp, openRotation, redError } from './rotate-app.ts';
import { agree, monthsFor, stepsAfter, wordsAfter } from './rotation-words.ts';

const text = z.optional(z.string());
const schema = z.object({ finish: z.optional(z.boolean()), secretMonths: text, app: text, ending: text });
type Options = z.infer<typeof schema>;

export const secretRotate: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth secret rotate helpdesk@contoso.com',
      'mailauth secret rotate helpdesk@contoso.com --for osticket --finish   the new value is in there',
      'mailauth secret rotate --app 11111111-2222-3333-4444-555555555555',
      'mailauth secret rotate --ending 30      one sign-in a tenant',
    ])
      .option('--finish', 'the new value is in the product: remove the old secret')
      .option('--app <client-id>', 'the app itself, for every mailbox that uses it')
      .option('--ending <days>', 'every app whose client secret is over or ends within so many days')
      .option('--secret-months <n>', 'lifetime of the new secret, 1 to 24 (default: what the product wants, else 12)')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const options = schema.parse(flags);
    const months = options.secretMonths === undefined ? undefined : readMonths(options.secretMonths);
    if (options.app !== undefined || options.ending !== undefined) return rotateMany(args[0], options, months, session);
    const named = await mailboxArgument(session, mailauth('secret rotate'), args[0], flags, { needs: 'secret' });
    if (named.registration.clientType === 'public') throw problem('no-client-secret', { mailbox: named.mailbox });
    if (named.registration.certificateThumbprint !== undefined) {
      throw problem('certificate-not-rotated', { mailbox: named.mailbox, for: named.for });
    }
    return onApp(session, named, async (users) => {
      const record = users.find((user) => isSameKey(user, named)) ?? named;
      const { clientId } = record.registration;
      if (users.length > 1)
        session.report.note(
          `The app ${clientId} is that of ${users.length} mailboxes (${namedUsers(users)}): all of them get the new secret.`,
        );
      if (options.finish !== true) return outcome(session, record, users, await rotate(session, record, users, months));
      if (!(await isOpen(session, users))) return finishedBefore(record);
      return outcome(session, record, users, await finish(session, record, users));
    });
  },
};

const readMonths = (value: string): number => Number(checkedAnswer(questions.secretMonths, value, {}, again({ secretMonths: 12 })));

/** Throws `usage` (2). */
async function rotateMany(mailbox: string | undefined, options: Options, months: number | undefined, session: Session): Promise<Outcome> {
  const { app, ending, finish } = options;
  const usage = (message: string) => problem('usage', { message, help: mailauth('secret rotate', { help: true }) });
  if (mailbox !== undefined) throw usage('Give a mailbox, or --app or --ending, not both');
  if (app !== undefined && ending !== undefined) throw usage('--app names one app and --ending finds them: give one of them');
  // What stands there may be a secret, so it is not repeated.
  if (app !== undefined && !isGuid(app.trim()))
    throw usage('--app takes an Application (client) ID, which mailauth status --all --format csv shows');
  if (ending !== undefined && finish === true)
    throw usage('--finish is for one app: give it with --app, once its new value is in the product');
  const days =
    ending === undefined ? undefined : readWhole('--ending', ending, { unit: 'days', minimum: 0, example: again({ ending: 30 }) });
  const { rotateApps } = await import('./rotate-apps.ts');
  return rotateApps({ ...defined({ clientId: app?.trim().toLowerCase(), days, months }), finish: finish === true }, session);
}

async function rotate(session: Session, record: MailboxRecord, users: readonly MailboxRecord[], secretMonths?: number): Promise<Rotated> {
  const { mailbox, for: product, registration: app } = record;
  const [first = record] = users;
  const interrupted = await rotationNotes(session.ctx, session.home).read(first);
  if ((await isOpen(session, users)) && interrupted === undefined && !removesOld(first))
    throw problem('rotation-open', { mailbox, for: product });
  const begun = interrupted === undefined ? '' : `, begun ${interrupted.startedAt}`;
  const what = `A new client secret for ${app.clientId}${begun}`;
  await agree(session, { what, question: `${what}: go on?`, command: mailauth('secret rotate', mailbox, { for: product, secretMonths }) });
  return (await openRotation(session, users, openingOf(record, users))).rotate(secretMonths ?? monthsFor(record));
}

async function finish(session: Session, record: MailboxRecord, users: readonly MailboxRecord[]): Promise<Rotated> {
  const title = productNamed(record.for)?.title ?? record.for;
  const question = `Is the new secret in ${title} already? Then the old one is removed.`;
  const command = mailauth('secret rotate', record.mailbox, { for: record.for, finish: true });
  await agree(session, { what: 'Removing the old client secret', question, command });
  return (await openRotation(session, users, openingOf(record, users))).finish();
}

/** The app of one mailbox alone is proven by the token endpoint: no other mailbox can be forgotten. */
const openingOf = (record: MailboxRecord, users: readonly MailboxRecord[]) => ({
  again: mailauth('secret rotate', record.mailbox, { for: record.for }),
  provesMailboxes: users.length > 1,
});

function finishedBefore({ mailbox, for: product, registration: app }: MailboxRecord): Outcome {
  const { secretKeyId = '', secretExpiresAt = '' } = app;
  return {
    data: { mailbox, for: product, secretId: secretKeyId, secretExpiresAt, finished: true, next: [] },
    text: 'No rotation is open.\n',
  };
}

function outcome({ ctx }: Session, record: MailboxRecord, users: readonly MailboxRecord[], rotated: Rotated): Outcome {
  const { mailbox, for: product, registration } = record;
  const { secretId, secretExpiresAt, before, isUnsure, red } = rotated;
  const next = stepsAfter(rotated, record, mailauth('secret rotate', mailbox, { for: product }), ctx.surroundings);
  const others = users.length > 1 ? { clientId: registration.clientId, mailboxes: users.map((user) => user.mailbox) } : {};
  return {
    data: { mailbox, for: product, ...others, secretId, secretExpiresAt, finished: before !== 'kept' && !isUnsure, next },
    ...defined({ error: redError(registration.clientId, red) }),
    text: `${wordsAfter(rotated)}\n${next.map((line) => `  next: ${line}\n`).join('')}`,
  };
}
