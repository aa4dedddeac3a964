import * as z from 'zod/mini';
import type { MailboxRecord } from '../core/mailbox.ts';
import type { Secret } from '../core/secret.ts';
import { inSandbox } from '../diagnose/here.ts';
import { problem } from '../diagnose/problem.ts';
import type { Graph } from '../entra/graph.ts';
import { proveSecret } from '../entra/prove-secret.ts';
import { addSecret, type NewSecret, removeSecret, type SecretDeps } from '../entra/secret.ts';
import { clientSecretEntry } from '../store/token-entry.ts';
import { adminGraph } from '../wizard/admin.ts';
import { checkedAnswer, registrationQuestions } from '../wizard/questions.ts';
import { withApproval } from './approval.ts';
import { type CommandModule, examples } from './command.ts';
import { canAsk, mailboxArgument, mailboxesOf } from './mailbox-argument.ts';
import type { Session } from './session.ts';

const schema = z.object({ finish: z.optional(z.boolean()), secretMonths: z.optional(z.string()) });

export const secretRotate: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth secret rotate helpdesk@contoso.com',
      'mailauth secret rotate helpdesk@contoso.com --for osticket --finish   the new value is in there',
    ])
      .option('--finish', 'the new value is in the product: remove the old secret')
      .option('--secret-months <n>', 'lifetime of the new secret, 1 to 24 (default: 12)')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const options = schema.parse(flags);
    const months = readMonths(options.secretMonths ?? '12');
    const record = await mailboxArgument(session, 'mailauth secret rotate', args[0], flags);
    if (record.registration.clientType === 'public') throw problem('no-client-secret', { mailbox: record.mailbox });
    const rotation = new Rotation(session, record);
    return options.finish === true ? rotation.finish() : rotation.rotate(months);
  },
};

function readMonths(value: string): number {
  const question = registrationQuestions.find((q) => q.id === 'secretMonths');
  return Number(question === undefined ? value : checkedAnswer(question, value, {}));
}

/**
 * A new secret beside the old one, stored, then proven by signing in as the app. For this computer the old one goes then; where a product
 * uses it, or mailauth did not make the app, both stay until `--finish`. Secrets of others are never touched.
 */
class Rotation {
  private readonly session: Session;
  private readonly record: MailboxRecord;

  constructor(session: Session, record: MailboxRecord) {
    this.session = session;
    this.record = record;
  }

  async rotate(months: number) {
    const { session, record } = this;
    const { mailbox, for: product, registration: app } = record;
    if (app.oldSecretKeyId !== undefined) throw problem('rotation-open', { mailbox, for: product });
    await this.agree(`A new client secret for ${app.clientId}`);
    const { graph, deps } = await this.open();
    const appObjectId = await this.objectId(graph);
    // Its name must not look like one that a broken set-up left behind: those are swept.
    const name = `mailauth rotation ${new Date(session.ctx.clock.now()).toISOString().slice(0, 10)}`;
    const fresh = await addSecret(deps, { appObjectId, displayName: name, months });
    const store = await session.store(record);
    const before = await store.read(clientSecretEntry(record));
    await store.write(clientSecretEntry(record), fresh.secret);
    const old = app.secretKeyId;
    const { registration } = record;
    await mailboxesOf(session).writeMailbox({
      ...record,
      registration: {
        ...registration,
        secretKeyId: fresh.keyId,
        secretExpiresAt: fresh.endDateTime,
        ...(old === undefined ? {} : { oldSecretKeyId: old }),
      },
    });
    session.report.progress('secret', 'done', `New client secret stored, until ${fresh.endDateTime}`);
    await this.prove(fresh, before, deps, appObjectId);
    const removable = product === 'this-computer' && app.madeByMailauth && old !== undefined;
    if (removable) await this.removeOld(deps, appObjectId, old);
    // Whose id nobody noted cannot be told from other people's: it stays.
    return this.outcome(fresh.keyId, fresh.endDateTime, removable ? 'removed' : old === undefined ? 'unknown' : 'kept');
  }

  async finish() {
    const { record } = this;
    const { mailbox, for: product, registration: app } = record;
    const old = app.oldSecretKeyId;
    if (old === undefined) throw problem('no-rotation-open', { mailbox, for: product });
    await this.agree('Removing the old client secret: is the new value in the product? It');
    const { graph, deps } = await this.open();
    await this.removeOld(deps, await this.objectId(graph), old);
    return this.outcome(app.secretKeyId ?? '', app.secretExpiresAt ?? '', 'removed');
  }

  private async agree(what: string): Promise<void> {
    const { session, record } = this;
    if (session.globals.yes) return;
    if (!canAsk(session))
      throw problem('needs-yes', { what, command: `mailauth secret rotate ${record.mailbox} --for ${record.for} --yes` });
    if (!(await session.ctx.prompts.confirm({ message: `${what}: go on?`, default: false }))) throw problem('setup-declined', {});
  }

  private async open() {
    const { session, record } = this;
    const { ctx, report } = session;
    const [box, cloud, endpoints] = await Promise.all([session.sandbox(), session.cloud(record), this.endpoints()]);
    const tenant = { id: record.tenantId, foundBy: record.tenantId, endpoints };
    const again = `mailauth secret rotate ${record.mailbox} --for ${record.for}`;
    const graph = await adminGraph(
      {
        ctx: withApproval(session, box),
        report,
        canAsk: canAsk(session),
        stepTimeoutMs: session.stepTimeoutMs,
        browserTimeoutMs: session.browserTimeoutMs,
        network: () => session.network(),
      },
      tenant,
      cloud,
      again,
      'browser',
    );
    const commands = { resume: again, undo: `mailauth logout ${record.mailbox} --for ${record.for} --delete-app` };
    return { graph, deps: { graph, commands, clock: ctx.clock, signal: ctx.signal } };
  }

  private async endpoints() {
    const { session, record } = this;
    const [{ appOf }, network, cloud, store] = await Promise.all([
      import('../tokens/refresh.ts'),
      session.network(),
      session.cloud(record),
      session.store(record),
    ]);
    const app = await appOf(record, { ctx: session.ctx, network, cloud, store, timeoutMs: session.stepTimeoutMs });
    return app.endpoints;
  }

  private async objectId(graph: Graph): Promise<string> {
    const { made, clientId } = this.record.registration;
    if (made?.applicationObjectId !== undefined) return made.applicationObjectId;
    const answer = await graph.get(`/applications(appId='${clientId}')?$select=id,appId`);
    const read = answer.kind === 'ok' ? z.object({ id: z.string() }).safeParse(answer.body) : undefined;
    if (read?.success !== true) throw problem('app-gone', { mailbox: this.record.mailbox, clientId });
    return read.data.id;
  }

  /** Proof by the token endpoint; a new secret may be unknown there for a minute. If it never works, all is as it was before. */
  private async prove(fresh: NewSecret, before: Secret | undefined, deps: SecretDeps, appObjectId: string): Promise<void> {
    const { session, record } = this;
    const [network, cloud, endpoints, store] = await Promise.all([
      session.network(),
      session.cloud(record),
      this.endpoints(),
      session.store(record),
    ]);
    const app = {
      cloud,
      tenantId: record.tenantId,
      endpoints,
      clientId: record.registration.clientId,
      clientSecret: fresh.secret,
      network,
      clock: session.ctx.clock,
      timeoutMs: session.stepTimeoutMs,
      signal: session.ctx.signal,
    };
    try {
      await proveSecret(app, (text) => session.report.progress('secret', 'waiting', text));
    } catch (error) {
      if (before !== undefined) await store.write(clientSecretEntry(record), before);
      await mailboxesOf(session).writeMailbox(record);
      await removeSecret(deps, { appObjectId, keyId: fresh.keyId });
      throw error;
    }
    session.report.progress('secret', 'done', 'The new client secret works');
  }

  private async removeOld(deps: SecretDeps, appObjectId: string, keyId: string): Promise<void> {
    await removeSecret(deps, { appObjectId, keyId });
    const now = await this.current();
    const { oldSecretKeyId: _, ...registration } = now.registration;
    await mailboxesOf(this.session).writeMailbox({ ...now, registration });
    this.session.report.progress('secret', 'done', 'The old client secret is removed');
  }

  private async current(): Promise<MailboxRecord> {
    return (await mailboxesOf(this.session).readMailbox(this.record)) ?? this.record;
  }

  private outcome(secretId: string, secretExpiresAt: string, before: 'removed' | 'kept' | 'unknown') {
    const { mailbox, for: product } = this.record;
    const show = `mailauth secret show ${mailbox} --for ${product}`;
    const lines = {
      removed: [show],
      kept: [`${show} --reveal   (put it into the product)`, `mailauth secret rotate ${mailbox} --for ${product} --finish`],
      unknown: [`${show} --reveal   (put it into the product)`],
    }[before];
    const text = {
      removed: 'Rotated: only the new client secret works.',
      kept: 'The new client secret works; the old one works too, until the rotation is finished.',
      unknown: 'The new client secret works. mailauth did not make the old one: remove it in the portal when nothing uses it any more.',
    }[before];
    const next = this.session.globals.sandbox ? lines.map(inSandbox) : lines;
    return {
      data: { mailbox, for: product, secretId, secretExpiresAt, finished: before !== 'kept', next },
      text: `${text}\n${next.map((line) => `  next: ${line}\n`).join('')}`,
    };
  }
}
