import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { Exit, MailauthError } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { authorityOf } from '../core/sign-in-authority.ts';
import type { SecretStore } from '../core/stores.ts';
import { rfc3339 } from '../core/time.ts';
import { addSecret, listSecrets, type NewSecret, removeLost, removeSecret, rotationName } from '../entra/app-secret.ts';
import { proveSecret } from '../entra/client-check.ts';
import type { AppWork } from '../entra/replication.ts';
import { problem } from '../errors/problem.ts';
import type { OAuthApp } from '../oauth/oauth-app.ts';
import { AppUsers, type RedMailbox, type UsersDeps } from './rotating-users.ts';
import { type RotationNote, rotationNotes, waitingSecret } from './rotation-notes.ts';

interface RotationDeps extends AppWork, UsersDeps {
  readonly ctx: Pick<Context, 'clock' | 'files' | 'random' | 'signal'>;
  readonly home: string;
  /** of the first mailbox: there a new secret waits */
  readonly store: SecretStore;
  readonly appObjectId: string;
}

export interface Rotated {
  readonly secretId: string;
  readonly secretExpiresAt: string;
  /** the old one; `unknown`: mailauth does not know which one that is, so it stays */
  readonly before: 'removed' | 'kept' | 'unknown';
  /** Microsoft's list does not show the new one yet: one whose value was lost may live beside it. The note stays, and the next run looks again */
  readonly isUnsure: boolean;
  /** because of them the old one stays */
  readonly red: readonly RedMailbox[];
}

/** mailauth is the only user of the old secret, so it may remove it. */
export const removesOld = ({ for: product, registration }: MailboxRecord): boolean =>
  product === 'this-computer' && registration.madeByMailauth;

/**
 * A new secret beside the old one: noted, made, stored, proven, put in the old one's place, and the old one removed where nothing else uses
 * it. Stopped anywhere it goes on where it was: a secret whose value is lost is found by its name and removed, a stored one is used. All
 * mailboxes of the app get the new one, and each that has a sign-in here is opened with it before the old one goes.
 * Throws the policies' problems, `rotation-unproven` (5), and what the proof throws; then all is as it was before.
 */
export class Rotation {
  private readonly deps: RotationDeps;
  private readonly notes: ReturnType<typeof rotationNotes>;
  private readonly waiting: ReturnType<typeof waitingSecret>;
  private readonly users: AppUsers;

  /** `users`: every mailbox of the app, at least one; the first one names the rotation */
  constructor(users: readonly MailboxRecord[], deps: RotationDeps) {
    this.users = new AppUsers(users, deps);
    this.deps = deps;
    this.notes = rotationNotes(deps.ctx, deps.home);
    this.waiting = waitingSecret(deps.store, this.users.first, authorityOf(deps.app.cloud, deps.app));
  }

  async rotate(months: number): Promise<Rotated> {
    const { ctx } = this.deps;
    const interrupted = await this.notes.read(this.users.first);
    const note = interrupted ?? { id: ctx.random.uuid(), startedAt: rfc3339(ctx.clock.now()) };
    if (interrupted === undefined) await this.notes.write(this.users.first, note);
    const state = await this.look(note, interrupted !== undefined);
    let unclear = interrupted !== undefined;
    if (state.kind !== 'committed') {
      const fresh = state.kind === 'stored' ? state.secret : await this.make(months, note, () => (unclear = true));
      await this.prove(fresh);
      // Stopped between two lines it is done again: the waiting entry goes last.
      await this.users.commit(fresh);
      await this.waiting.remove();
    }
    const red = await this.users.red();
    const before = red.length > 0 ? 'kept' : await this.settleOld(state.kind === 'committed');
    // An answer that was lost may have brought one more, and a replica may not have shown it before.
    const isUnsure = unclear && !(await this.sweep({ name: rotationName(note) })).isComplete;
    return this.ended(before, isUnsure, red);
  }

  /** Removes the old secret of an open rotation once the new one is proven again, and every other one that the rotation made. Safe to repeat. */
  async finish(): Promise<Rotated> {
    const red = await this.users.red();
    if (red.length > 0) return this.ended('kept', false, red);
    await this.removeOld(true);
    const { isComplete } = await this.sweep({});
    return this.ended('removed', !isComplete, red);
  }

  private async ended(before: Rotated['before'], isUnswept: boolean, red: readonly RedMailbox[]): Promise<Rotated> {
    const isUnsure = isUnswept || (before === 'removed' && this.users.oldKeyIds.length > 0);
    if (!isUnsure) await this.notes.forget(this.users.first);
    const { secretKeyId = '', secretExpiresAt = '' } = this.users.first.registration;
    return { secretId: secretKeyId, secretExpiresAt, before, isUnsure, red };
  }

  /** How far an earlier run came; what it lost is removed. */
  private async look(
    note: RotationNote,
    interrupted: boolean,
  ): Promise<{ kind: 'nothing' | 'committed' } | { kind: 'stored'; secret: NewSecret }> {
    const { secretKeyId } = this.users.first.registration;
    const isOpen = this.users.oldKeyIds.length > 0;
    const secret = await this.waiting.read();
    if (!interrupted && secret === undefined) return { kind: isOpen ? 'committed' : 'nothing' };
    const name = rotationName(note);
    const { left } = await this.sweep({ name, ...(secret && { spare: secret.keyId }) });
    if (secret !== undefined && (left.some((one) => one.keyId === secret.keyId) || (await this.lives(secret)))) {
      this.deps.report.note('Going on with a rotation that was interrupted: its new client secret is in the store.');
      return { kind: 'stored', secret };
    }
    // Somebody removed it in the portal.
    if (secret !== undefined) await this.waiting.remove();
    const committed = isOpen || left.some((one) => one.keyId === secretKeyId && one.displayName === name);
    return { kind: committed ? 'committed' : 'nothing' };
  }

  /** What a list must show before anything is concluded from it. */
  private get newest(): readonly string[] {
    return this.users.newKeyIds.slice(0, 1);
  }

  /** Removes what the rotation made and nothing knows the value of. `name` left out: the rotation that made the secret in force. */
  private async sweep({ name, spare }: { readonly name?: string; readonly spare?: string }) {
    const keep = [...this.users.newKeyIds, ...this.users.oldKeyIds, ...(spare === undefined ? [] : [spare])];
    const { appObjectId, report } = this.deps;
    const swept = await removeLost(this.deps, { appObjectId, keep, showing: this.newest, ...defined({ name }) });
    if (swept.removed > 0) report.note('Removed a client secret of an interrupted rotation: its value was lost.');
    return swept;
  }

  /** A secret that the list does not show may have been made a moment ago: the token endpoint knows it, or the list shows it a little later. */
  private async lives({ keyId, secret }: NewSecret): Promise<boolean> {
    const app = { ...this.deps.app, clientSecret: secret };
    if (await this.isTaken(app)) return true;
    const { isComplete } = await listSecrets(this.deps, { appObjectId: this.deps.appObjectId, showing: [keyId] });
    return isComplete || this.isTaken(app);
  }

  /** Does the token endpoint take this secret now? Throws `rotation-unproven`, so that nothing is concluded from no answer. */
  private async isTaken(app: OAuthApp): Promise<boolean> {
    try {
      await this.tryIt(app, false);
      return true;
    } catch (error) {
      if (error instanceof MailauthError && error.code === 'client-secret-wrong') return false;
      throw error;
    }
  }

  /** Into the store before anything else happens: Microsoft shows it only once. */
  private async make(months: number, note: RotationNote, onUnclear: () => void): Promise<NewSecret> {
    const { appObjectId, report } = this.deps;
    try {
      const fresh = await addSecret(this.deps, { appObjectId, displayName: rotationName(note), months }, onUnclear);
      await this.waiting.write(fresh);
      report.progress('secret', 'done', `New client secret stored, until ${fresh.endDateTime}`);
      return fresh;
    } catch (error) {
      // A clear refusal made nothing: there is nothing to go on with.
      if (error instanceof MailauthError && error.exit === Exit.notAllowed) await this.notes.forget(this.users.first);
      throw error;
    }
  }

  /** Asks the token endpoint, which may not know a new secret for a minute. A secret that never works is removed again. */
  private async prove(fresh: NewSecret): Promise<void> {
    const { app, report, ctx } = this.deps;
    try {
      await this.tryIt({ ...app, clientSecret: fresh.secret });
    } catch (error) {
      const later = ctx.signal.aborted || !(error instanceof MailauthError) || error.exit === Exit.temporary;
      if (!later) await this.undo(fresh);
      throw error;
    }
    report.progress('secret', 'done', 'The new client secret works');
  }

  private async tryIt(app: OAuthApp, isPatient = true): Promise<void> {
    const { mailbox, for: product } = this.users.first;
    const verdict = await proveSecret(app, (text) => this.deps.report.progress('secret', 'waiting', text), isPatient);
    if (verdict.kind === 'unanswered')
      throw problem('rotation-unproven', { mailbox, for: product, host: new URL(app.endpoints.token).host });
  }

  private async undo({ keyId }: NewSecret): Promise<void> {
    const { appObjectId, report } = this.deps;
    const removed = await removeSecret(this.deps, { appObjectId, keyId }).catch(() => undefined);
    await this.waiting.remove();
    if (removed === 'removed') return this.notes.forget(this.users.first);
    report.note(
      removed === undefined
        ? 'The new client secret could not be removed again; the next mailauth secret rotate does it.'
        : 'Microsoft does not find the new client secret, so it could not be removed again; the next mailauth secret rotate looks for it.',
    );
  }

  private async settleOld(committedBefore: boolean): Promise<Rotated['before']> {
    // Stopped after the old one was removed, before the note was.
    if (this.users.oldKeyIds.length === 0) return committedBefore && removesOld(this.users.first) ? 'removed' : 'unknown';
    if (!removesOld(this.users.first)) return 'kept';
    await this.removeOld(committedBefore);
    return 'removed';
  }

  /** `proveFirst`: an earlier run stored the new one, and it may have stopped working since. */
  private async removeOld(proveFirst: boolean): Promise<void> {
    const { appObjectId } = this.deps;
    if (this.users.oldKeyIds.length === 0) return;
    if (proveFirst) await this.tryIt(this.deps.app);
    for (const keyId of this.users.oldKeyIds) {
      // An earlier run may have removed it already. Otherwise one that is not found may have been made a moment ago.
      const isRemoved = proveFirst && (await this.isGone(keyId));
      if (!isRemoved && (await removeSecret(this.deps, { appObjectId, keyId })) === 'already-gone' && !(await this.isGone(keyId))) return;
    }
    await this.users.change(({ oldSecretKeyId, ...registration }) => (oldSecretKeyId === undefined ? undefined : registration));
    this.deps.report.progress('secret', 'done', 'The old client secret is removed');
  }

  /** Only a list that shows the newest secret tells what is gone. */
  private async isGone(keyId: string): Promise<boolean> {
    const { secrets, isComplete } = await listSecrets(this.deps, { appObjectId: this.deps.appObjectId, showing: this.newest });
    return isComplete && !secrets.some((one) => one.keyId === keyId);
  }
}
