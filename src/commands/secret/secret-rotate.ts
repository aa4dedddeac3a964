import * as z from 'zod/mini';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { again, led, mailauth, type NextStep, noted, plus } from '../../core/next.ts';
import { allShown } from '../../core/shown.ts';
import { getRecordedApplication } from '../../entra/application.ts';
import { refusalProblem, rolesThat } from '../../entra/refusals.ts';
import { type AppWork, untilReplicatedWith } from '../../entra/replication.ts';
import { problem } from '../../errors/problem.ts';
import { productNamed } from '../../products/products.ts';
import { type Rotated, Rotation, removesOld } from '../../secrets/rotation.ts';
import { alone, rotationNotes } from '../../secrets/rotation-notes.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { canAsk, mailboxArgument, mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { signInRun } from '../../session/sign-in-run.ts';
import { checkedAnswer } from '../../setup/answers/question.ts';
import { questions } from '../../setup/answers/questions.ts';
import { adminGraph, waitWords } from '../../setup/sign-in/admin-graph.ts';

const schema = z.object({ finish: z.optional(z.boolean()), secretMonths: z.optional(z.string()) });

export const secretRotate: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth secret rotate helpdesk@contoso.com',
      'mailauth secret rotate helpdesk@contoso.com --for osticket --finish   the new value is in there',
    ])
      .option('--finish', 'the new value is in the product: remove the old secret')
      .option('--secret-months <n>', 'lifetime of the new secret, 1 to 24 (default: what the product wants, else 12)')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const options = schema.parse(flags);
    const asked = options.secretMonths === undefined ? undefined : readMonths(options.secretMonths);
    const named = await mailboxArgument(session, mailauth('secret rotate'), args[0], flags, { needs: 'secret' });
    if (named.registration.clientType === 'public') throw problem('no-client-secret', { mailbox: named.mailbox });
    if (named.registration.certificateThumbprint !== undefined) {
      throw problem('certificate-not-rotated', { mailbox: named.mailbox, for: named.for });
    }
    return alone(session, named, async () => {
      // Read again under the lock: another process may have changed it.
      const record = (await mailboxesOf(session).readMailbox(named)) ?? named;
      if (options.finish !== true)
        return outcome(session, record, await rotate(session, record, asked ?? productNamed(record.for)?.secretMonths ?? 12));
      const isOpen =
        record.registration.oldSecretKeyId !== undefined || (await rotationNotes(session.ctx, session.home).read(record)) !== undefined;
      if (!isOpen) return finishedBefore(record);
      return outcome(session, record, await finish(session, record));
    });
  },
};

const readMonths = (value: string): number => Number(checkedAnswer(questions.secretMonths, value, {}, again({ secretMonths: 12 })));

async function rotate(session: Session, record: MailboxRecord, months: number): Promise<Rotated> {
  const { mailbox, for: product, registration: app } = record;
  const interrupted = await rotationNotes(session.ctx, session.home).read(record);
  const open = app.oldSecretKeyId !== undefined && interrupted === undefined;
  if (open && !removesOld(record)) throw problem('rotation-open', { mailbox, for: product });
  const begun = interrupted === undefined ? '' : `, begun ${interrupted.startedAt}`;
  const what = `A new client secret for ${app.clientId}${begun}`;
  await agree(session, record, { what, question: `${what}: go on?` });
  return (await openRotation(session, record)).rotate(months);
}

async function finish(session: Session, record: MailboxRecord): Promise<Rotated> {
  const title = productNamed(record.for)?.title ?? record.for;
  const question = `Is the new secret in ${title} already? Then the old one is removed.`;
  await agree(session, record, { what: 'Removing the old client secret', question, more: { finish: true } });
  return (await openRotation(session, record)).finish();
}

function finishedBefore({ mailbox, for: product, registration: app }: MailboxRecord) {
  const { secretKeyId = '', secretExpiresAt = '' } = app;
  return {
    data: { mailbox, for: product, secretId: secretKeyId, secretExpiresAt, finished: true, next: [] },
    text: 'No rotation is open.\n',
  };
}

interface Agreement {
  readonly what: string;
  readonly question: string;
  /** flags of the command that asks */
  readonly more?: { readonly finish: boolean };
}

async function agree(
  session: Session,
  { mailbox, for: product }: MailboxRecord,
  { what, question, more = { finish: false } }: Agreement,
): Promise<void> {
  if (session.globals.yes) return;
  const command = mailauth('secret rotate', mailbox, { for: product, ...more });
  if (!canAsk(session)) throw problem('needs-yes', { what, command: plus(command, { yes: true }) });
  if (!(await session.ctx.prompts.confirm({ message: question, default: false }))) throw problem('rotation-declined', { command });
}

const unsureWords = "Microsoft's list does not show it yet, so a client secret of the same rotation whose value was lost may still work.";

function outcome({ ctx }: Session, { mailbox, for: product }: MailboxRecord, rotated: Rotated) {
  const { secretId, secretExpiresAt, before, isUnsure } = rotated;
  const show = mailauth('secret show', mailbox, { for: product });
  const reveal = noted(plus(show, { reveal: true }), 'put it into the product');
  const steps = {
    removed: [show],
    kept: [reveal, mailauth('secret rotate', mailbox, { for: product, finish: true })],
    unknown: [reveal],
  }[before];
  const text = {
    removed: 'Rotated: only the new client secret works.',
    kept: 'The new client secret works; the old one works too, until the rotation is finished.',
    unknown: 'The new client secret works. mailauth did not make the old one: remove it in the portal when nothing uses it any more.',
  }[before];
  const lookAgain = noted(
    mailauth('secret rotate', mailbox, { for: product, finish: before !== 'unknown' }),
    'looks again, in some minutes',
  );
  const next = allShown(isUnsure ? [...steps, lookAgain] : steps, ctx.surroundings);
  const said = isUnsure ? `The new client secret works. ${unsureWords}` : text;
  return {
    data: { mailbox, for: product, secretId, secretExpiresAt, finished: before !== 'kept' && !isUnsure, next },
    text: `${said}\n${next.map((line) => `  next: ${line}\n`).join('')}`,
  };
}

/** Signs an administrator in and finds the app. Throws the sign-in's problems, `stored-secret-missing` (4), `app-gone` (1). */
async function openRotation(session: Session, record: MailboxRecord): Promise<Rotation> {
  const { ctx, report } = session;
  const [box, inForce, store, { appOf }] = await Promise.all([
    session.sandbox(),
    session.inForce(record),
    session.store(record),
    import('../../tokens/refresh.ts'),
  ]);
  const run = signInRun(session, box);
  const { cloud } = inForce;
  report.busy('secret', 'Asking Microsoft about the tenant');
  const app = await appOf(record, { ...run, ...inForce, store });
  const tenant = { id: record.tenantId, foundBy: record.tenantId, endpoints: app.endpoints };
  const again = mailauth('secret rotate', record.mailbox, { for: record.for });
  const deps: AppWork = {
    graph: await adminGraph(run, { tenant, cloud, again, otherWays: byHand(record), method: 'browser' }),
    commands: { resume: again, undo: mailauth('logout', record.mailbox, { for: record.for, deleteApp: true }) },
    clock: ctx.clock,
    signal: ctx.signal,
    onWait: (reason, ms) => report.progress('secret', 'waiting', waitWords(reason, ms)),
  };
  const appObjectId = await objectIdOf(record, deps);
  return new Rotation(record, { ...deps, ctx, report, home: session.home, mailboxes: mailboxesOf(session), store, appObjectId, app });
}

/** The rotation without mailauth's own access to the tenant: by a person in the portal, who need not be the operator. */
const byHand = ({ mailbox, for: product, registration: { clientId } }: MailboxRecord): readonly NextStep[] => [
  `Somebody else can make the new client secret by hand: Entra > App registrations > ${clientId} > Certificates & secrets.`,
  led('Its value then goes in with', mailauth('setup', { mailbox, for: product, clientId, clientSecretFile: '-' })),
];

async function objectIdOf({ mailbox, for: product, registration }: MailboxRecord, deps: AppWork): Promise<string> {
  const { made, clientId } = registration;
  const { graph } = deps;
  const known = made?.applicationObjectId;
  const answer =
    known === undefined
      ? await graph.get(`/applications(appId='${encodeURIComponent(clientId)}')?$select=id,appId`)
      : await getRecordedApplication(graph, untilReplicatedWith(deps), known, 'id,appId');
  const read = answer.kind === 'ok' ? z.object({ id: z.string() }).safeParse(answer.body) : undefined;
  if (read?.success === true) return read.data.id;
  if (answer.kind === 'ok' || answer.status === 404) throw problem('app-gone', { mailbox, for: product, clientId });
  const who = graph.claims.opaque ? undefined : graph.claims.username;
  throw refusalProblem(answer, { ...deps.commands, exists: [], what: 'read the application', roles: rolesThat.register.slice(1), who });
}
